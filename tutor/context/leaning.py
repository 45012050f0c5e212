"""Does a question lean on what was said before? A logistic model over what retrieval finds with and without the topic, and over its wording
(tutor/context/elliptic.py).

"Has anybody actually measured that?" finds nothing that fits by itself, and much once the topic stands before it; "what is LoRA?" the other
way round; and what the notes do not cover should not be covered only because the topic was put before it. Weights are in leaning.json, fitted on
the tuning part (`make calibrate`, tutor/evaluation/fit_leaning.py).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.search import Retrieval, Search
from knowledge.words import content_words
from tutor.context.elliptic import sounds_elliptic

FITTED = Path(__file__).parent / "leaning.json"
FEATURES = (
    "covered alone",
    "covered with topic",
    "best alone",
    "best with topic",
    "nearest alone",
    "nearest with topic",
    "set behind alone",
    "set behind with topic",
    "of the set alone",
    "of the set with topic",
    "names the set",
    "names other sets",
    "words",
    "telling words",
    "strange words",
    "pronoun",
    "pronoun for something else",
    "joint",
    "very short",
    "joint, set near",
    "pronoun, set near",
    "sounds like a follow-up",
    "moved by the dialogue",
)
# "Who won the world cup?": surely not covered (a logit), and no word that points back, so another subject whatever a topic would make of it.
_FOREIGN = -2.0
_POINTS_BACK = ("pronoun", "joint", "very short", "names the set")
LEAD = re.compile(
    r"^(?:(?:and|but|so|ok(?:ay)?|then|well|also|hm+|right|yes|no|now|wow|oh|ah|aha|lol|u+f+|huh|wait|cool|nice(?: one)?|great|thanks|sure"
    r"|(?:(?:that |it )?(?:sounds|makes) (?:\w+ )?\w+|that went over my head|good to know|fair enough|i see|got it|understood|interesting|perfect)(?=[,.!…]))"
    r"\b[\s,.!?…]*)+",
    re.IGNORECASE,
)
PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|that|this|those|these|both|each|either|neither|one|ones|there|all three|the two|the three)\b",
    re.IGNORECASE,
)
_POINTLESS_IT = re.compile(
    r"\bis it (?:true|possible|correct|right|a fact|fair to say)\b|\bdoes it (?:matter|make sense)\b|\bone of\b|\bone[- ]shot\b|\bone another\b|\bis there\b|\bare there\b"
    r"|\bthis (?:week|weekend|morning|evening|year|month|summer|winter|page|tutor|app|website|chat)\b|\btell (?:it|them) apart\b|\b(?:heard|true|think|believe|say|said|so|sure|claim|know|means?) that\b",
    re.IGNORECASE,
)
# "why does my chatbot forget what I told it": one talks to what was just named, not to a concept.
_OWN_SUBJECT = re.compile(
    r"\b(?:chatbot|bot|assistant|model|llm|ai|agent)s?\b[^.!?;:]*\b(?:tell|told|ask|asked|teach|taught|gave|showed|type|typed|wrote)\s+(?:it|them)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Leaning:
    """Fitted weights of FEATURES and the bias."""

    weights: tuple[float, ...]
    bias: float

    def leans(
        self, question: str, filled_in: str, concept: str, search: Search, read: NDArray[np.float32] | None = None
    ) -> bool:
        """Whether `filled_in`, the question with its topic before it, is what the learner means.

        `concept` is the topic's set, and `read` what the encoder of dialogues makes of the question behind the exchange before.
        """
        found = features(question, filled_in, concept, search, read)
        named = dict(zip(FEATURES, found, strict=True))
        # "How much memory does QLoRA need?", after pruning: the fit, made of conversations that mostly go on, would put pruning before it.
        elsewhere = named["covered alone"] < _FOREIGN or named["names other sets"]
        if elsewhere and not any(named[name] for name in _POINTS_BACK):
            return False
        return sum(w * value for w, value in zip(self.weights, found, strict=True)) + self.bias > 0


@cache
def load_leaning(path: Path = FITTED) -> Leaning:
    """The fitted model; raises ValueError if the file does not fit FEATURES."""
    fitted = json.loads(path.read_text())
    if list(fitted["weights"]) != list(FEATURES):
        raise ValueError(f"{path} must weigh {FEATURES}, got {list(fitted['weights'])}; run `make calibrate`")
    return Leaning(tuple(fitted["weights"].values()), float(fitted["bias"]))


def features(
    question: str, filled_in: str, concept: str, search: Search, read: NDArray[np.float32] | None = None
) -> tuple[float, ...]:
    """FEATURES of a question and of the same with its topic."""
    alone, filled = search.search(question), search.search(filled_in, vector=read)
    # Trained to leave a question of its own where it lies.
    moved = 0.0 if read is None else 1.0 - float(search.tuned.embed([question])[0] @ read)
    bare = LEAD.sub("", question).strip()
    mentions = search.mentions.find(question)
    own = sum(any(owner == concept for owner, _ in mention.sides) for mention in mentions)
    words, pronoun = len(question.split()), PRONOUN.search(bare) is not None
    near = max(0.0, 0.3 - _behind(alone, concept))
    elsewhere = _POINTLESS_IT.search(bare) is not None or _OWN_SUBJECT.search(bare) is not None
    return (
        *(alone.confidence, filled.confidence),
        *(alone.hits[0].fused, filled.hits[0].fused, alone.hits[0].score, filled.hits[0].score),
        *(_behind(alone, concept), _behind(filled, concept)),
        *(_of_set(alone, concept), _of_set(filled, concept)),
        *(float(own), float(len(mentions) - own)),
        math.log(max(1, words)),
        float(len(list(content_words(bare)))),
        float(min(2, _strangers(bare, search.knowledge.own_words))),
        *(float(pronoun), float(pronoun and elsewhere), float(bare != question), float(words <= 4)),
        *(near * float(bare != question), near * float(pronoun and not elsewhere)),
        sounds_elliptic(question, search.mentions),
        moved,
    )


def _behind(found: Retrieval, concept: str) -> float:
    """How much less than the best passage of all the set's best fits."""
    return max(found.best_of.values()) - found.best_of[concept]


def _of_set(found: Retrieval, concept: str) -> float:
    """The share of the passages that are of the set."""
    return sum(hit.passage.concept == concept for hit in found.hits) / len(found.hits)


def _strangers(text: str, vocabulary: Collection[str]) -> int:
    """How many words are neither known to the notes nor nearly spelled like one of theirs."""
    return sum(
        word not in vocabulary and (len(word) < 5 or not get_close_matches(word, vocabulary, n=1, cutoff=0.8))
        for word in content_words(text)
        if len(word) > 2 and not word[0].isdigit()
    )
