"""Answers made of the passages' own sentences: which may come next, as a grammar for constrained decoding.

    answer   = refusal | [opening] sentence{1,5}
    opening  = "Yes." | "No."          only for a yes/no question, see tutor/polarity.py
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
from knowledge.passages import Polarity
from knowledge.search import Hit
from tutor.engines.base import Branch
from tutor.polarity import contradicts
from tutor.prompts import NO_ANSWER
from tutor.runs import Mark, RunNote, mark_of
from tutor.taught import NO_VOTES, Votes

LONGEST_ANSWER = 5  # sentences
_REPEATS = 0.90  # cosine from which a sentence repeats another
# Nats: what retrieval knows weighs in where the model's likelihoods are close (docs/report-card.md).
_NEAR, _NEAR_LATER = 15.0, 8.0  # a unit of cosine between question and sentence: for the first one, for later ones
_RANK, _RANK_LATER = 5.0, 3.0  # a place in the ranking of notes, which the model does not see
_OPPOSED = 6.0  # against a first sentence that reads as the opposite of Yes
_VOTE, _VOTE_LATER = 35.0, 20.0  # a unit of cosine between the question and a taught one that the sentence answered
_LEAN = 60.0  # likewise for Yes and No


@dataclass(frozen=True)
class Piece:
    """One thing that the answer may hold; `mark` cites its note, `n` is the note's place among the notes that were found,
    and `position` the sentence's place in it."""

    kind: Literal["opening", "sentence", "refusal", "end"]
    text: str
    n: int = 0
    position: int = 0
    sentence: str = ""
    mark: Mark = 0


class Composition:
    """The grammar of one answer. `vectors[i]` is the unit vector of the i-th sentence piece."""

    def __init__(
        self,
        query: str,
        hits: Sequence[Hit],
        embedder: Embedder,
        openings: Sequence[Polarity],
        refusable: bool,
        votes: Votes = NO_VOTES,
    ) -> None:
        sentences = [
            Piece("sentence", cited(sentence, mark), place, position, sentence, mark)
            for mark, place, hit in _marked(hits)
            for position, sentence in enumerate(hit.passage.sentences)
        ]
        references = [(hit.passage.id, i) for hit in hits for i, _ in enumerate(hit.passage.sentences)]
        # Nobody taught a class's own notes: there the nearest of the passage's own questions votes, for all its sentences.
        untaught = [hit for hit in hits if votes.passages and hit.passage.id not in votes.passages]
        default = {hit.passage.id: hit.score for hit in untaught}
        self._first = [votes.first.get(reference, default.get(reference[0], 0.0)) for reference in references]
        self._anywhere = [votes.anywhere.get(reference, default.get(reference[0], 0.0)) for reference in references]
        self._lean = votes.polarity
        self._query = query
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
        # A question about a run is answered with what was measured, which no model need choose, then with why.
        leads = {hit.label: hit.lead for hit in hits if isinstance(hit, RunNote) and hit.lead}
        self._leading = [key for key, piece in enumerate(sentences) if leads.get(str(piece.mark)) == piece.sentence]
        self._explains = (
            bool(leads) and re.search(r"\b(?:why|how come|reasons?|causes?)\b", query, re.IGNORECASE) is not None
        )

    def allowed(self, chosen: tuple[Branch, ...]) -> list[Branch]:
        """The branches that may follow the chosen ones; none once the answer is over."""
        taken = [branch.key for branch in chosen]
        pieces = [self.pieces[key] for key in taken]
        if any(piece.kind in ("refusal", "end") for piece in pieces):
            return []
        if self._openings and not taken:
            return [*self._opening_branches(), *([self._branch(self._refusal)] if self._refusable else [])]
        said = [key for key in taken if self.pieces[key].kind == "sentence"]
        if len(said) == LONGEST_ANSWER:
            return []
        keys = [key for key in range(self._openings.start) if self._adds(key, said)]
        if unsaid := [key for key in self._leading if key not in said]:
            return [self._branch(unsaid[0])]
        reasons = [key for key in keys if isinstance(self.pieces[key].mark, int)]
        unexplained = self._explains and bool(reasons) and all(key in self._leading for key in said)
        opening = next((self.pieces[key].text for key in taken if self.pieces[key].kind == "opening"), "")
        branches = self._sentences(reasons if unexplained else keys, bool(said), "" if said else opening)
        if not taken and self._refusable:
            branches.append(self._branch(self._refusal))
        if said and not unexplained:
            branches.append(self._branch(self._end))
        return branches

    def _opening_branches(self) -> list[Branch]:
        lean = {"Yes.": self._lean.get("yes", 0.0), "No.": self._lean.get("no", 0.0)}
        texts = {key: self.pieces[key].text for key in self._openings}
        return [Branch(text, key, _LEAN * lean[text]) for key, text in texts.items()]

    def _sentences(self, keys: Sequence[int], later: bool, opening: str) -> list[Branch]:
        """Sentence branches. The best that retrieval knows of has bias 0, so that ending competes with that one."""
        near, rank = (_NEAR_LATER, _RANK_LATER) if later else (_NEAR, _RANK)
        vote, votes = (_VOTE_LATER, self._anywhere) if later else (_VOTE, self._first)
        weight = {
            key: near * float(self.relevance[key]) - rank * self.pieces[key].n + vote * votes[key] for key in keys
        }
        if opening == "Yes.":
            for key in keys:
                weight[key] -= _OPPOSED * contradicts("yes", self._query, self.pieces[key].sentence)
        best = max(weight.values(), default=0.0)
        return [Branch(self.pieces[key].sentence, key, weight[key] - best) for key in keys]

    def _adds(self, key: int, said: Sequence[int]) -> bool:
        piece = self.pieces[key]
        for other in said:
            before = self.pieces[other]
            if key == other or self._alike[key, other] > _REPEATS:
                return False
            if before.mark == piece.mark and before.position > piece.position:
                return False
        return True

    def _branch(self, key: int) -> Branch:
        return Branch(self.pieces[key].text, key)


def _marked(hits: Sequence[Hit]) -> list[tuple[Mark, int, Hit]]:
    """The notes with their marks and places; a run says itself where it counts."""
    return [(mark_of(n, hit), hit.place if isinstance(hit, RunNote) else n, hit) for n, hit in enumerate(hits, 1)]


def cited(sentence: str, *notes: Mark) -> str:
    """`Pruning removes weights.` with note 2 is `Pruning removes weights [2].`"""
    marks = "".join(f" [{n}]" for n in notes)
    return sentence[:-1] + marks + sentence[-1] if sentence[-1:] in ".!?" else sentence + marks + "."
