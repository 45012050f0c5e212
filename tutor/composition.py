"""Answers made of the passages' own sentences: which may come next, as a grammar for constrained decoding.

    answer   = refusal | [opening] sentence{1,5}
    opening  = "Yes." | "No."          only for a yes/no question, see tutor/polarity.py
    sentence = a sentence of a retrieved passage, with its citation

The model chooses; it cannot invent. What it may choose is narrowed to what a good answer can hold: no sentence twice, no
near-repetition, none that stands before one already taken from its passage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from knowledge.passages import Polarity
from knowledge.search import Hit
from tutor.engines.base import Branch
from tutor.prompts import NO_ANSWER

LONGEST_ANSWER = 5  # sentences
_REPEATS = 0.90  # cosine from which a sentence repeats another
# Nats: what retrieval knows weighs in where the model's likelihoods are close (docs/report-card.md).
_NEAR = 10.0  # a unit of cosine between question and sentence
_RANK = 2.0  # a place in the ranking of notes


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

    def __init__(
        self, query: str, hits: Sequence[Hit], embedder: Embedder, openings: Sequence[Polarity], refusable: bool
    ) -> None:
        sentences = [
            Piece("sentence", cited(sentence, n), n, position, sentence)
            for n, hit in enumerate(hits, 1)
            for position, sentence in enumerate(hit.passage.sentences)
        ]
        self.pieces: list[Piece] = list(sentences)
        self._openings = range(len(self.pieces), len(self.pieces) + len(openings))
        self.pieces += [Piece("opening", opening.capitalize() + ".") for opening in openings]
        self._refusal = len(self.pieces)
        self._refusable = refusable
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
        if self._openings and not taken:
            return [self._branch(key) for key in (*self._openings, *([self._refusal] if self._refusable else []))]
        said = [key for key in taken if self.pieces[key].kind == "sentence"]
        if len(said) == LONGEST_ANSWER:
            return []
        keys = [key for key in range(self._openings.start) if self._adds(key, said)]
        if not taken and self._refusable:
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
        piece = self.pieces[key]
        bias = 0.0
        if piece.kind == "sentence":
            bias = _NEAR * float(self.relevance[key] - self.relevance.max()) - _RANK * (piece.n - 1)
        return Branch(piece.text, key, bias)


def cited(sentence: str, *notes: int) -> str:
    """`Pruning removes weights.` with note 2 is `Pruning removes weights [2].`"""
    marks = "".join(f" [{n}]" for n in notes)
    return sentence[:-1] + marks + sentence[-1] if sentence[-1:] in ".!?" else sentence + marks + "."
