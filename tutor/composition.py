"""Answers made of the passages' own sentences: which may come next, as a grammar for constrained decoding.

    answer   = refusal | [opening] sentence{1,5}
    opening  = "Yes." | "No."          only where the author settled it, see `settled_polarity`
    sentence = a sentence of a retrieved passage, with its citation

The model chooses; it cannot invent. What it may choose is narrowed to what a good answer can hold: no sentence twice, no
near-repetition, none that stands before one already taken from its passage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from knowledge.passages import Polarity
from knowledge.search import Hit
from tutor.engines.base import Branch
from tutor.prompts import NO_ANSWER

LONGEST_ANSWER = 5  # sentences
_REPEATS = 0.90  # cosine from which a sentence repeats another


@dataclass(frozen=True)
class Piece:
    """One thing that the answer may hold; `n` is the note and `position` the sentence's place in it."""

    kind: Literal["opening", "sentence", "refusal", "end"]
    text: str
    n: int = 0
    position: int = 0
    sentence: str = ""


class Composition:
    """The grammar of one answer. `vectors[i]` is the unit vector of the i-th sentence piece."""

    def __init__(self, query: str, hits: Sequence[Hit], embedder: Embedder, opening: Polarity | None, refusable: bool) -> None:
        sentences = [
            Piece("sentence", cited(sentence, n), n, position, sentence)
            for n, hit in enumerate(hits, 1)
            for position, sentence in enumerate(hit.passage.sentences)
        ]
        self.pieces: list[Piece] = list(sentences)
        self._opening = len(self.pieces)
        if opening is not None:
            self.pieces.append(Piece("opening", opening.capitalize() + "."))
        self._refusal = len(self.pieces)
        if refusable:
            self.pieces.append(Piece("refusal", NO_ANSWER))
        self._end = len(self.pieces)
        self.pieces.append(Piece("end", ""))
        vectors = embedder.embed([query, *(piece.sentence for piece in sentences)])
        self._alike: NDArray[np.float32] = vectors[1:] @ vectors[1:].T
        self.relevance: NDArray[np.float32] = vectors[1:] @ vectors[0]

    def allowed(self, chosen: tuple[Branch, ...]) -> list[Branch]:
        """The branches that may follow the chosen ones; none once the answer is over."""
        taken = [branch.key for branch in chosen]
        pieces = [self.pieces[key] for key in taken]
        if any(piece.kind in ("refusal", "end") for piece in pieces):
            return []
        if self.pieces[self._opening].kind == "opening" and not taken:
            return [self._branch(self._opening)]
        said = [key for key in taken if self.pieces[key].kind == "sentence"]
        if len(said) == LONGEST_ANSWER:
            return []
        keys = [key for key in range(self._opening) if self._adds(key, said)]
        if not taken and self.pieces[self._refusal].kind == "refusal":
            keys.append(self._refusal)
        if said:
            keys.append(self._end)
        return [self._branch(key) for key in keys]

    def _adds(self, key: int, said: Sequence[int]) -> bool:
        piece = self.pieces[key]
        for other in said:
            before = self.pieces[other]
            if key == other or self._alike[key, other] > _REPEATS:
                return False
            if before.n == piece.n and before.position > piece.position:
                return False
        return True

    def _branch(self, key: int) -> Branch:
        return Branch(self.pieces[key].text, key)


def cited(sentence: str, *notes: int) -> str:
    """`Pruning removes weights.` with note 2 is `Pruning removes weights [2].`"""
    marks = "".join(f" [{n}]" for n in notes)
    return sentence[:-1] + marks + sentence[-1] if sentence[-1:] in ".!?" else sentence + marks + "."


_YES_NO = re.compile(
    r"^(?:(?:so|and|but|ok(?:ay)?|wait|hmm?|then|also)[\s,]+)*(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|must|am|isn'?t|aren'?t|doesn'?t|don'?t|can'?t|won'?t)\b"
    r"|(?:,|\?)?\s*(?:right|correct|true|yes|no|isn'?t it|doesn'?t it|don'?t they|aren'?t they)\s*\?*$|\b(?:is it true|true or false|i (?:heard|read|thought|think|believe) (?:that )?)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:not|never|no longer|without|cannot|nothing|none|no)\b|n'?t\b", re.IGNORECASE)
_LEADING_NEGATION = re.compile(r"^(?:(?:so|and|but|wait)[\s,]+)*(?:isn|aren|doesn|don|didn|can|won|wouldn|shouldn|hasn|haven|wasn)'?t\b", re.IGNORECASE)
_SURE = 0.82


def is_yes_no(query: str) -> bool:
    """Whether the question can be answered by Yes or No; a choice ("A or B?") cannot."""
    return bool(_YES_NO.search(query.strip())) and not re.search(r"\bor\b(?! not)", query)


def settled_polarity(query: str, hits: Sequence[Hit], embedder: Embedder, mentions: Mentions) -> Polarity | None:
    """Yes or No, if an author settled it: the nearest question with a polarity is near and names the same sides.

    A negation on one side only turns the answer round ("is it true that quantization does not …").
    """
    if not is_yes_no(query):
        return None
    asks = [ask for hit in hits for ask in hit.passage.asks if ask.polarity]
    if not asks:
        return None
    vectors = embedder.embed([query, *(ask.text for ask in asks)])
    scores = vectors[1:] @ vectors[0]
    wanted = sorted(mentions.sides(query))
    order = sorted(range(len(asks)), key=lambda i: -scores[i])
    best = next((i for i in order if sorted(mentions.sides(asks[i].text)) == wanted), None)
    if best is None or scores[best] < _SURE:
        return None
    turned = _negated(query) != _negated(asks[best].text)
    polarity = asks[best].polarity
    if turned:
        return "no" if polarity == "yes" else "yes"
    return polarity


def _negated(text: str) -> bool:
    """Whether the claim itself is negated; a leading "doesn't …?" asks for the same claim as "does …?"."""
    return len(_NEGATION.findall(_LEADING_NEGATION.sub("", text))) % 2 == 1
