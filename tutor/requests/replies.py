"""Which of a question's choices a reply means, in whatever words: "the small extra matrices", "b, because …", "no idea, just run it".

Letters, numbers and the choice's own words are told by rule. Else linear models on what the larger encoder makes of reply and choices tell whether it is a choice at all, and which:
fitted by tutor/evaluation/fit_replies.py on tutor/requests/replies.tsv, whose replies also stand for their choices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from tutor.engines.large_encoder import WIDTH
from tutor.requests.manner import MANNERS, Judged, JudgesManner
from tutor.requests.naming import is_asked

FITTED = Path(__file__).parent / "replies.npz"
LETTERS = "ABCDEF"

Kind: TypeAlias = Literal["choice", "skip", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a reply may be, in the order of the fitted rows: a choice, a wish to go on without one, anything else."""
OPEN_FOR = 3  # turns in which a question can still be answered
SIGNS = 4  # of each choice, for which weights are fitted
FEATURES = len(MANNERS) + 6 + 2 * WIDTH  # of a reply
_SURE = 0.6  # the probability from which a kind is believed
_CERTAIN = 0.7  # and one of the choices: to be told that one expected what one did not is worse than to be asked back
_CERTAIN_OF_OWN = 0.9  # the same of a question that has a model of its own, which makes more of them look sure
_LONGEST = 25  # words, beyond which length says no more
# Single words, so that no run of them can be split in many ways.
_LEAD = (
    r"(?:(?:i'?d|i'?ll|i|think|say|guess|pick|choose|take|go|going|for|with|bet|on|reckon|it|it'?s|is|that'?s|my|the|answer|choice|option|letter"
    r"|definitely|surely|clearly|maybe|probably|h+m+|u+m+|uh+|ok|so|sorry|well|gotta|must|has|to|be)\W+)*"
)
# "A base model is one" begins with an article.
_LETTER_FIRST = re.compile(
    rf"^[\s\"'(*]*{_LEAD}\(?(?P<letter>[a-f])\b\)?(?:(?=[\s\"'*]*$)|(?=\s*[,.!?:;)–—-])|(?= (?:because|since|cause|cuz|bc|but|tho(?:ugh)?|as|i think|for sure|definitely|obviously|ofc|of course|(?:is|was) (?:my|the) (?:answer|guess|choice))\b))",
    re.IGNORECASE,
)
_LETTER_LAST = re.compile(
    r"(?:\b(?:say|guess|pick|choose|take|go (?:for|with)|bet on|vote(?: is)?(?: for)?|answer(?: is|:)?|option|choice|letter|going with|(?:must|has to) be|so|hence|thus)\W+|[.,;!?–—-]\s*)\(?(?P<letter>[A-F])\)?\W*$"
)
_LETTER_MEANT = re.compile(
    r"\b(?:it'?s|i (?:said|meant|mean|picked|chose)|(?:my )?answer (?:is|was))\W+\(?(?P<letter>[a-f])\)?\W*$",
    re.IGNORECASE,
)
_REASONED = r"(?=\W*$|\s*[,.!?:;(–—-]|\s+(?:because|since|cause|cuz|bc|as|i (?:think|guess|say)|for sure|definitely|obviously)\b)"
_SHORTEST = 2  # words of a choice that stand for it: "only the time, I think"
_ARTICLE = re.compile(r"^(?:the|an?) ")
_HEDGED = re.compile(
    r"(?:\W+(?:i|i'd|think|guess|suppose|say|would|reckon|bet|probably|maybe|surely|of|course|ofc|obviously|definitely|please|pls|duh|lol|then))+\W*$"
)
_NUMBERED = re.compile(
    r"\b(?:(?P<place>first|second|third|fourth|1st|2nd|3rd|4th|middle|last) (?:one|option|choice|answer)|(?<=the )(?P<alone>first|second|third|fourth|1st|2nd|3rd|4th|middle|last)(?=\W*$)|(?:number|option) (?P<number>one|two|three|four|[1-4]))\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:not|never)\b[^,.;]{0,20}$|n't\b[^,.;]{0,20}$", re.IGNORECASE)
_REASON = re.compile(
    r"[\s,.;:–—-]+(?:because|since|cause|cuz|bc|as (?:the|it|there|they|we|you|each|every|no|all)|for the reason)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_CORRECTS = re.compile(
    r"(?<=[\w.,;:!?…–-] )(?:(?:no|oh|ah|sorry|hm+)\W+)?(?:no,? wait|wait,? no|wait|no,? sorry|scratch that|i mean(?:t)?|or rather)\b[\s,.:;!…–-]*(?=\S)",
    re.IGNORECASE,
)
_PLACES = {
    word: i
    for i, words in enumerate(("first 1st one 1", "second 2nd two 2", "third 3rd three 3", "fourth 4th four 4"))
    for word in words.split()
}


@dataclass(frozen=True)
class Reply:
    """`choice` is the index that is meant; None where it is none, or not sure which."""

    kind: Kind
    choice: int | None = None


Reads: TypeAlias = Callable[[str, Sequence[str], str], Reply]
"""Reads a reply to a question with choices."""


def read_words(question: str, choices: Sequence[str], text: str) -> Reply:
    """By rule alone: a letter, a number or the very words of a choice; of two, what it was corrected to."""
    choice = next(
        (c for c in (named_choice(choices, said) for said in (_corrected(text), text)) if c is not None), None
    )
    return Reply("other") if choice is None else Reply("choice", choice)


def named_choice(choices: Sequence[str], text: str) -> int | None:
    """The index that a reply names by letter, number or the choice's own words."""
    said = _folded(text)
    same = next((i for i, choice in enumerate(choices) if _folded(choice) == said), None)
    if same is not None:
        return same
    core = _HEDGED.sub("", _ARTICLE.sub("", re.sub(rf"^{_LEAD}", "", said)))
    begun = [i for i, choice in enumerate(choices) if _ARTICLE.sub("", _folded(choice)).startswith(core)]
    if len(begun) == 1 and len(core.split()) >= _SHORTEST:
        return begun[0]
    clauses = [re.split("[,;:]", _folded(choice))[0] for choice in choices]
    if clauses.count(core) == 1:
        return clauses.index(core)
    reasoned = [
        i for i, choice in enumerate(choices) if re.match(rf"{_LEAD}{re.escape(_folded(choice))}{_REASONED}", said)
    ]
    if len(reasoned) == 1:
        return reasoned[0]
    letter = _LETTER_FIRST.match(text.strip()) or _LETTER_LAST.search(text) or _LETTER_MEANT.search(text)
    if letter is not None:
        index = LETTERS.index(letter["letter"].upper())
        return index if index < len(choices) else None
    place = _NUMBERED.search(text)
    if place is None or _DENIED.search(text[: place.start()]):
        return None
    word = (place["place"] or place["alone"] or place["number"]).lower()
    if word == "middle" and len(choices) % 2 == 0:
        return None
    index = {"last": len(choices) - 1, "middle": len(choices) // 2}.get(word, _PLACES.get(word, 0))
    return index if index < len(choices) else None


@dataclass(frozen=True)
class Replies:
    """`which` (SIGNS,) weighs a choice's signs; `kinds` (KINDS, features) and `bias` tell what a reply is. `known` holds, for a question and a choice of it, unit vectors (n, WIDTH) of replies that meant it.

    `own` weighs what the encoder made of a reply to a question with enough of them: (choices, 2 · WIDTH + 1), the last for the bias.
    """

    embedder: Embedder
    judge: JudgesManner
    which: NDArray[np.float32]
    kinds: NDArray[np.float32]
    bias: NDArray[np.float32]
    known: Mapping[tuple[str, str], NDArray[np.float32]]
    own: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def read(self, question: str, choices: Sequence[str], text: str) -> Reply:
        """A choice with a reason behind it counts without the reason where the whole does not tell which. Raises as the embedder does."""
        reply = self._read(question, choices, text)
        bare = _REASON.sub("", text).strip()
        if reply != Reply("choice") or len(bare.split()) < _SHORTEST or bare == text.strip():
            return reply
        unreasoned = self._read(question, choices, bare)
        return reply if unreasoned.choice is None else unreasoned

    def _read(self, question: str, choices: Sequence[str], text: str) -> Reply:
        """What a reply was corrected to ("a? no wait, the average") counts if it is a choice."""
        if (corrected := _corrected(text)) != text and (
            reply := self._read(question, choices, corrected)
        ).choice is not None:
            return reply
        named = named_choice(choices, text)
        if named is not None and _folded(choices[named]) == _folded(text):
            return Reply("choice", named)
        signs, features = self.seen(question, choices, text)
        likely = _softmax(self.kinds @ features + self.bias)
        kind, sure = KINDS[int(likely.argmax())], likely.max() >= _SURE
        if named is not None and (kind == "choice" or not sure):  # "the last one was fun" names none
            return Reply("choice", named)
        if kind != "choice" or not sure:
            return Reply(kind if sure else "other")
        logits, certain = signs @ self.which, _CERTAIN
        if (own := self.own.get(question)) is not None:
            logits, certain = logits + own @ [*features[-2 * WIDTH :], 1.0], _CERTAIN_OF_OWN
        each = _softmax(logits)
        return Reply("choice", int(each.argmax()) if each.max() >= certain else None)

    def seen(self, question: str, choices: Sequence[str], text: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Each choice's signs, (choices, SIGNS), and the reply's features."""
        read, *others = self.embedder.embed([text, *choices, *(f"{question} {choice}" for choice in choices)])
        alone, asked = np.stack(others[: len(choices)]), np.stack(others[len(choices) :])
        # What was made of a text behind all layers is about what it says; halfway also about how.
        meant = alone[:, WIDTH:] @ read[WIDTH:]
        none = np.zeros((0, WIDTH), dtype=np.float32)
        others_said = [self.known.get((question, choice), none) @ read[WIDTH:] for choice in choices]
        near = np.array([max([own, *said]) for own, said in zip(meant, others_said, strict=True)])
        signs = np.stack([meant, asked[:, WIDTH:] @ read[WIDTH:], alone[:, :WIDTH] @ read[:WIDTH], near], 1)
        judged = self.judge(text)
        return signs.astype(np.float32), features_of(text, choices, signs @ self.which, float(near.max()), judged, read)


def features_of(
    text: str,
    choices: Sequence[str],
    scores: NDArray[np.float32],
    nearest: float,
    judged: Judged,
    read: NDArray[np.float32],
) -> NDArray[np.float32]:
    """What tells the kind of a reply: how it is meant and put, how near it comes to a choice, and what the encoder made of it (`read`)."""
    manners = [judged.manners.get(manner, 0.0) for manner in MANNERS]
    put = [text.rstrip().endswith("?"), is_asked(text), named_choice(choices, text) is not None]
    length = min(len(text.split()), _LONGEST) / _LONGEST
    return np.array([*manners, *put, nearest, float(_softmax(scores).max()), length, *read], dtype=np.float32)


def load_replies(embedder: Embedder, judge: JudgesManner, path: Path = FITTED) -> Replies:
    """The fitted models; raises ValueError if they do not fit this version's features."""
    with np.load(path) as fitted:
        arrays = {name: fitted[name] for name in fitted.files}
    which, kinds, bias = (arrays[name].astype(np.float32) for name in ("which", "kinds", "bias"))
    if which.shape != (SIGNS,) or kinds.shape != (len(KINDS), FEATURES) or bias.shape != (len(KINDS),):
        raise ValueError(f"{path} must weigh {FEATURES} features of {KINDS}, got {kinds.shape}; run `make calibrate`")
    vectors, owners = arrays["vectors"].astype(np.float32), arrays["owners"]
    pairs = [(str(question), str(choice)) for question, choice in arrays["choices"]]
    known = {pair: vectors[owners == i] for i, pair in enumerate(pairs)}
    weights, asked = arrays["own"].astype(np.float32), arrays["asked"]
    own = {str(question): weights[asked == question] for question in dict.fromkeys(asked)}
    return Replies(embedder, judge, which, kinds, bias, known, own)


def _corrected(text: str) -> str:
    """What stands behind the last "no wait", or all."""
    return text[[0, *(found.end() for found in _CORRECTS.finditer(text))][-1] :]


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    likely = np.exp(logits - logits.max())
    return np.asarray(likely / likely.sum(), dtype=np.float32)


def _folded(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .!")
