"""How much each hint counts when the next sentence is chosen, in nats beside the model's own likelihoods.

The hints are what retrieval and teaching know of a sentence (FIRST, LATER), of ending there (END) and of Yes against No (OPENING).
Their weights are in choice.json, fitted on the tuning part of the labelled set (`make calibrate`, tutor/evaluation/choosing.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FITTED = Path(__file__).parent / "choice.json"

# What the last answer told is known where a question leans on it: the sentence itself, its likes, its note.
# Of a sentence: cosine with the question, as published and tuned; the teacher's vote, by the questions' sense, by their words, as learned of these, and
# as a language model that learned them reads the question; its note's place and score below the best note's.
_ANY = ("near", "tuned", "vote", "words", "learned", "read", "rank", "behind")
# And with its parts (tutor/choosing/parts.py): how near the sentence is to any, or how much nearer than those said; and whether it is the first to name a side.
FIRST = (
    *_ANY,
    "opposes yes",
    "told before",
    "near told",
    "note told",
    "vote of a part",
    "words of a part",
    "learned of a part",
    "read of a part",
    "tuned of a part",
)
# "held": the vote for it to come anywhere in the answer; "alike": cosine with what it follows; "reads on": what the language model makes of it behind what is said (tutor/choosing/causal_classifier.py).
LATER = (
    *_ANY,
    "same note",
    "next in note",
    "told before",
    "vote of a part",
    "words of a part",
    "learned of a part",
    "read of a part",
    "tuned of a part",
    "new side",
    "new side of a contrast",
    "held",
    "alike",
    "reads on",
)
# The votes for the sentence that does most for a part of the question, for the best one that is not said yet, by sense, as learned and as read, and for the first one said.
# Whether several things are asked (tutor/choosing/several.py) counts differently after one sentence and after two.
END = (
    *("vote", "one said", "two said", "more said", "parts left", "sides left", "in steps"),
    *("several, one said", "several, two said", "several, more said"),
    *("sides of a contrast left", "part left", "best left", "learned left", "read left", "first said"),
    "reads on",
)
OPENING = ("vote", "reader", "causal reader", "words", "reads on")
"""Of Yes against No: the difference of the teacher's votes, and what tutor/verdict/reader.py, tutor/verdict/causal_reader.py, tutor/verdict/agreement.py and tutor/choosing/causal_classifier.py make of the likeliest sentence."""

UNSURE = 35.0
"""Of Yes against No, on the scale of the weights (50 are a nat): below it, either is less than twice as likely right as wrong, and a wrong one is worse than none."""
_EARLY = 2  # turns; with as many before a question, more is needed
_UNSURE_EARLY, _UNSURE_LATE = ((30.0, UNSURE), (0.0, 150.0)), ((30.0, 85.0), (0.0, 150.0))
"""The same by how far the sentence that answers is ahead of the next, from so much on: where it is open which one answers, so is what it says Yes or No to. In 198 turns of
learners' talks (tutor/evaluation/openings/judged.jsonl) that began with Yes or No by UNSURE alone, the word was right in 48 of 55 first and second questions, but in 92 of 143 later ones,
which lean on what was said in ways that are read less well; false in 5 and 23."""
UNSURE_BESIDE_WORDS = 100.0
"""The same where the question asks in words too: of the tuning part's questions that held such words, those between 35 and 100 had got the right word 43 times, a wrong one 10 times, and one that no reader wanted 55 times."""


def least_lead(ahead: float, beside_words: bool, turns: int) -> float:
    """From which lead Yes or No is said: `ahead` is the lead of the sentence that answers over the next one, `beside_words` whether the question asks in words too, `turns` how many came before it."""
    levels = _UNSURE_EARLY if turns < _EARLY else _UNSURE_LATE
    least = next(lead for least_ahead, lead in levels if ahead >= least_ahead)
    return max(least, UNSURE_BESIDE_WORDS) if beside_words else least


@dataclass(frozen=True)
class Weighing:
    """Fitted weights, in the order of the tuples of names above; `yes` is the bias to Yes. Of an answer to several requests, what comes second is weighed anew."""

    first: tuple[float, ...]
    later: tuple[float, ...]
    end: tuple[float, ...]
    later_of_several: tuple[float, ...]
    end_of_several: tuple[float, ...]
    opening: tuple[float, ...]
    yes: float

    @staticmethod
    def total(weights: Sequence[float], hints: Sequence[float]) -> float:
        """The weighted sum."""
        return sum(weight * hint for weight, hint in zip(weights, hints, strict=True))


@cache
def load_weighing(path: Path = FITTED, strict: bool = True) -> Weighing:
    """The fitted weights. Raises ValueError if the file does not fit the hints; with `strict=False`, a hint that it lacks weighs 0."""
    fitted: Mapping[str, Mapping[str, float]] = json.loads(path.read_text())
    names = {
        **{"first": FIRST, "later": LATER, "end": END},
        **{"later of several": LATER, "end of several": END, "opening": (*OPENING, "yes")},
    }
    for part, wanted in names.items():
        if strict and tuple(fitted.get(part, {})) != wanted:
            raise ValueError(
                f"{path} must weigh {wanted} in {part!r}, got {tuple(fitted.get(part, {}))}; run `python -m tutor.evaluation.choosing --anew`"
            )
    values = {part: tuple(fitted.get(part, {}).get(name, 0.0) for name in wanted) for part, wanted in names.items()}
    opening = values["opening"]
    several = values["later of several"], values["end of several"]
    return Weighing(values["first"], values["later"], values["end"], *several, opening[:-1], opening[-1])
