"""What is known of each sentence that an answer may hold: the hints that tutor/choosing/weighing.py names and weighs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.aspects import aspect_of
from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from knowledge.passages import Reference
from knowledge.search import Hit, embed_read
from tutor.choosing.several import asks_several
from tutor.choosing.taught import SILENCE, Votes
from tutor.experiments.runs import Mark
from tutor.verdict.polarity import contradicts

_LATER_IN_NOTE = 0.15  # of a vote, by which a sentence of an untaught note counts less than the one before it
_LEAST = 1e-4  # of all shares, so that what is never expected is not infinitely so
# Nats, the means of the best sentence and of the end over the forks of an earlier fit, where the language model knows nothing of a sentence, or of what is said.
_UNREAD, _END_UNREAD = -5.0, -0.5
_IN_STEPS = re.compile(
    r"\bsteps?\b|\bstages?\b|one after (?:the other|another)|under the hood|walk me|in order\b|\beach (?:of|one)\b|\ball (?:of|the|three|four)\b|\bthree\b|\bfour\b"
    r"|\bhow (?:does|do|is|are)\b.*\b(?:works?|made|built|trained|computed|done)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Piece:
    """One thing that the answer may hold; `mark` cites its note, `n` is the note's place among the notes that were found,
    and `position` the sentence's place in it."""

    kind: Literal["opening", "sentence", "end"]
    text: str
    n: int = 0
    position: int = 0
    sentence: str = ""
    mark: Mark = 0


class Evidence:
    """Of an answer's sentences, by their places: what retrieval, teaching and the answer before tell of them. `said` are the places of those said so far."""

    def __init__(
        self,
        query: str,
        pieces: Sequence[Piece],
        hits: Sequence[Hit],
        embedder: Embedder,
        votes: Votes,
        tuned: Embedder | None,
        mentions: Mentions | None,
        told: Collection[Reference],
        vector: NDArray[np.float32] | None,
    ) -> None:
        """Each of the `hits` is the note of the piece at its place; the rest is as in tutor/choosing/composition.py."""
        self._query, self._pieces, self._hits, self._votes = query, pieces, hits, votes
        self.references: list[Reference] = [
            (hit.passage.id, piece.position) for hit, piece in zip(hits, pieces, strict=True)
        ]
        self._told, self._notes_told = frozenset(told), frozenset(name for name, _ in told)
        vectors = embedder.embed([query, *(piece.sentence for piece in pieces)])
        self.alike: NDArray[np.float32] = vectors[1:] @ vectors[1:].T
        self._near: NDArray[np.float32] = vectors[1:] @ vectors[0]
        tuned_vectors = tuned.embed([query, *(piece.sentence for piece in pieces)]) if tuned else vectors
        self._tuned: NDArray[np.float32] = tuned_vectors[1:] @ (tuned_vectors[0] if vector is None else vector)
        before = [key for key, reference in enumerate(self.references) if reference in self._told]
        self._near_told: NDArray[np.float32] = self.alike[:, before].max(1) if before else 0 * self._near
        self._parts = [part.first for part in votes.parts]
        self.of_several = len(self._parts) > 1
        self._parts_words = [part.words for part in votes.parts]
        self._parts_learned = [part.learned for part in votes.parts]
        self._parts_read = [part.read for part in votes.parts]
        near = embed_read([(part.query, part.vector) for part in votes.parts], tuned or embedder)
        self._tuned_parts: NDArray[np.float32] = tuned_vectors[1:] @ near.T
        self.sides = [frozenset(mentions.sides(piece.sentence)) for piece in pieces] if mentions else []
        self.asked_sides = frozenset(mentions.sides(query)) if mentions else frozenset()
        self._several = asks_several(query, mentions) if mentions else 0.0
        self._contrast = float(aspect_of(query) == "contrast")
        self._best = max((hit.fused for hit in hits), default=0.0)

    def first_hints(self, key: int, opening: str) -> tuple[float, ...]:
        """What is known of a sentence that might come first (tutor/choosing/weighing.py: FIRST)."""
        opposes = opening == "Yes." and contradicts("yes", self._query, self._pieces[key].sentence)
        return (
            *self._hints(key, self._vote(self._votes.first, key)),
            *(float(opposes), self._was_told(key), float(self._near_told[key])),
            float(self.references[key][0] in self._notes_told),
            *self._part_hints(key, ()),
        )

    def later_hints(self, key: int, said: Sequence[int]) -> tuple[float, ...]:
        """What is known of a sentence that might follow others (LATER)."""
        last, piece = self._pieces[said[-1]], self._pieces[key]
        same = last.mark == piece.mark
        after, _ = self._votes.after(self._said(said))
        new_side = float(bool(self.sides_left(said) & self.sides[key])) if self.sides else 0.0
        return (
            *self._hints(key, self._vote(after, key)),
            float(same),
            float(same and piece.position == last.position + 1),
            self._was_told(key),
            *self._part_hints(key, said),
            *(new_side, self._contrast * new_side),
            self._vote(self._votes.held, key),
            float(max(self.alike[key, other] for other in said)),
            self._reads_on(key, said),
        )

    def end_hints(self, said: Sequence[int]) -> tuple[float, ...]:
        """What is known of ending after these (END)."""
        _, end = self._votes.after(self._said(said))
        so_many = (float(len(said) == 1), float(len(said) == 2), float(len(said) > 2))
        unsaid = [key for key in range(len(self._pieces)) if key not in said]
        return (
            *(end, *so_many),
            float(max(0, len(self._votes.parts) - len(said))),
            float(len(self.sides_left(said))),
            float(_IN_STEPS.search(self._query) is not None),
            *(self._several * n for n in so_many),
            self._contrast * float(bool(self.sides_left(said))),
            max((self._part_hints(key, said)[0] for key in unsaid), default=0.0),
            max((self._vote(self._votes.held, key) for key in unsaid), default=SILENCE),
            max((self._vote(self._votes.learned, key) for key in unsaid), default=SILENCE),
            max((self._vote(self._votes.read, key) for key in unsaid), default=SILENCE),
            self._vote(self._votes.first, said[0]),
            self._reads_on(None, said),
        )

    def opening_read(self, key: int) -> float:
        """Of Yes against No, in nats, as the language model reads an answer that tells this sentence first; 0 if it does not know it."""
        behind = self._votes.behind((self.references[key],))
        return float(np.log((behind.yes + _LEAST) / (behind.no + _LEAST))) if behind else 0.0

    def _reads_on(self, key: int | None, said: Sequence[int]) -> float:
        """How much the language model wants the sentence, or the end, behind those said, in nats."""
        behind = self._votes.behind(self._said(said))
        if key is None:
            return float(np.log(behind.end + _LEAST)) if behind else _END_UNREAD
        if behind is None or self.references[key] not in behind.shares:
            return _UNREAD
        return float(np.log(behind.shares[self.references[key]] + _LEAST))

    def _was_told(self, key: int) -> float:
        return float(self.references[key] in self._told)

    def _part_hints(self, key: int, said: Sequence[int]) -> tuple[float, ...]:
        """How near the sentence is to that part of the question for which it does most beyond what is said: votes, and cosine."""
        if not self._parts:
            return (0.0,) * 5
        votes = (
            max(self._beyond([self._vote(part, k) for k in (key, *said)]) for part in parts)
            for parts in (self._parts, self._parts_words, self._parts_learned, self._parts_read)
        )
        cosines = (self._beyond([float(part[k]) for k in (key, *said)]) for part in self._tuned_parts.T)
        return (*votes, max(cosines))

    @staticmethod
    def _beyond(values: Sequence[float]) -> float:
        return values[0] - max(values[1:], default=0.0)

    def sides_left(self, said: Sequence[int]) -> frozenset[str]:
        """The sides that the question names and no sentence has named yet."""
        return self.asked_sides.difference(*(self.sides[key] for key in said)) if self.sides else frozenset()

    def _hints(self, key: int, vote: float) -> tuple[float, ...]:
        behind = self._best - self._hits[key].fused
        others = (self._vote(votes, key) for votes in (self._votes.words, self._votes.learned, self._votes.read))
        return (float(self._near[key]), float(self._tuned[key]), vote, *others, float(self._pieces[key].n), behind)

    def _said(self, said: Sequence[int]) -> tuple[Reference, ...]:
        return tuple(self.references[key] for key in said)

    def _vote(self, votes: Mapping[Reference, float], key: int) -> float:
        name, place = self.references[key]
        if name in self._votes.passages:
            return votes.get((name, place), SILENCE)
        # Nobody taught a class's own notes: there the nearest of the passage's own questions votes, first for its first sentence.
        return self._hits[key].score - _LATER_IN_NOTE * place
