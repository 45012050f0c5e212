"""From a standalone query to the passages that answer it, or to the honest finding that none does.

Four views of each passage are fused: cosine of the nearest question that it answers, cosine of its text, BM25 over all
its words, and what a classifier learned of questions' words (knowledge/classifier.py). What the wording wants (a contrast, an example) and the sides that the query names then tip the
balance between neighbours. Scores, not ranks, are fused: the distance to the second best says how sure the first is.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.aspects import aspect_of
from knowledge.classifier import AnswerWords
from knowledge.coverage import Coverage, coverage_features, load_coverage
from knowledge.embedder import Embedder
from knowledge.index import Similarities, VectorIndex
from knowledge.mentions import Mentions
from knowledge.passages import Knowledge, Passage
from knowledge.spelling import Spelling
from knowledge.words import content_words

_LEAST = 1e-5  # share of a passage that might as well be none
_ALMOST = 0.05  # cosine by which a question may be farther and still be meant: notes that nobody taught have few


@dataclass(frozen=True)
class Weights:
    """How much each view counts; tuned on the tuning part of the labelled set (docs/report-card.md)."""

    ask: float = 1.0
    text: float = 0.35
    words: float = 0.35
    learned: float = 0.3
    aspect: float = 0.06
    side: float = 0.10
    stray_side: float = 0.04
    talk: float = 0.2


@dataclass(frozen=True)
class Hit:
    """A passage found; `score` is the cosine of the query with the nearest of its questions or its text."""

    passage: Passage
    score: float
    fused: float


@dataclass(frozen=True)
class Part:
    """One of several things that a message asks: its text, its vector where it was read in the light of what stands before it, the set talked of by then,
    and, for readers from left to right, its words behind those that it goes on from."""

    text: str
    vector: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    concept: str | None = None
    context: str = ""


@dataclass(frozen=True)
class Retrieval:
    """What was found for a query; `covered` says whether the notes answer it at all, `best_of` how well each set's best passage fits."""

    hits: tuple[Hit, ...]
    covered: bool
    confidence: float
    best_of: Mapping[str, float] = field(default_factory=dict)


class Search:
    """Searches one body of knowledge. Immutable after construction, so that all learners share it."""

    def __init__(
        self,
        knowledge: Knowledge,
        index: VectorIndex,
        embedder: Embedder,
        tuned: Embedder,
        elsewhere: Sequence[str],
        coverage: Coverage | None = None,
        asked: Sequence[str] = (),
        dialogue: Embedder | None = None,
        learned: AnswerWords | None = None,
        words: Path | None = None,
    ) -> None:
        """`tuned` made the index's vectors, and `dialogue` reads follow-ups into the same space (knowledge/dialogue.py); `elsewhere` are questions
        that the notes do not answer, and `asked` some that they do; `learned` was learned from such. In the file `words` is kept what was counted of them for `spelling`."""
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # importing it sets DEBUG
        self.knowledge, self.weights = knowledge, Weights()
        self.mentions = Mentions(knowledge.concepts)
        self._asked, self._words = asked, words
        self._passages = knowledge.passages
        self._index, self.embedder, self.tuned, self.dialogue = index, embedder, tuned, dialogue
        self._bm25 = bm25s.BM25()
        self._bm25.index([content_words(passage.all_text) for passage in self._passages], show_progress=False)
        self._elsewhere = tuned.embed(elsewhere)
        self._coverage = coverage or load_coverage()
        self.learned = learned
        self._place = {passage.id: i for i, passage in enumerate(self._passages)}
        self._kinds = np.array([passage.kind for passage in self._passages])
        self._concepts, self._concept = np.unique([passage.concept for passage in self._passages], return_inverse=True)
        self._sides = np.array([len(passage.about) for passage in self._passages])
        self._about = {
            side: np.array([side in passage.about for passage in self._passages])
            for side in dict.fromkeys(side for passage in self._passages for side in passage.about)
        }
        references = learned.references if learned else ()
        self._learned_place = np.array([self._place[name] for name, _ in references], dtype=np.int64)
        known = np.bincount(self._learned_place, minlength=len(self._passages))
        self._unlearned = known < [len(passage.sentences) for passage in self._passages]

    @cached_property
    def spelling(self) -> Spelling:
        """Made when the first question comes, of the words of notes and questions."""
        names = [name for concept in self.knowledge.concepts for side in concept.sides for name in side.names]
        told = [text for passage in self._passages for text in (passage.title, passage.text, passage.claim)]
        # Authors write slips among a passage's own questions on purpose.
        asked = [text for p in self._passages for text in (*(ask.text for ask in p.asks), *p.phrasings)]
        return Spelling([*names, *told], [*asked, *self._asked], self._words)

    def search(
        self,
        query: str,
        k: int = 4,
        concept: str | None = None,
        parts: Sequence[Part] = (),
        vector: NDArray[np.float32] | None = None,
        wanted: str | None = None,
        read: Collection[str] = (),
        doubt: tuple[float, float] | None = None,
    ) -> Retrieval:
        """The k passages that answer the query best, a contrast's sides all present, the best for each of its `parts`, if it has several, and those that a reader names (`read`).

        `concept` is a set that is talked of, and `vector` what `dialogue` made of a follow-up, whose words the query fills in. One of the
        kind that is `wanted` is among them, about a named side where sides are named; the first stays what fits best. `doubt` is what a reader makes of
        whether anything answers (knowledge/coverage.py: READ). Raises ValueError for k < 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k!r}")
        parts = parts if len(parts) > 1 else ()
        tuned, *aims = embed_read([(query, vector), *((part.text, part.vector) for part in parts)], self.tuned)
        near = self._index.similarities(tuned)
        fused, scores = self._fuse(query, near, concept), np.maximum(near.asks, near.texts)
        order = [int(i) for i in np.argsort(-fused, kind="stable")[: max(4 * k, 12)]]
        hits = [Hit(self._passages[i], float(scores[i]), float(fused[i])) for i in order]
        named = self.mentions.sides(query)
        of_each = [
            int(np.argmax(self._fuse(part.text, self._index.similarities(aim), part.concept or concept)))
            for part, aim in zip(parts, aims, strict=True)
        ]
        of_parts = [Hit(self._passages[i], float(scores[i]), float(fused[i])) for i in of_each]
        chosen = _cover_needed(_cover_sides(hits, named, k), of_parts)
        if wanted and not any(self._is_wanted(hit.passage, wanted, named) for hit in chosen):
            falling = np.argsort(-fused, kind="stable")
            found = next((i for i in falling if self._is_wanted(self._passages[i], wanted, named)), None)
            if found is not None and k > 1:
                chosen[k - 1 :] = [Hit(self._passages[found], float(scores[found]), float(fused[found]))]
        if places := sorted(self._place[name] for name in {*read} & self._place.keys()):
            wishes = (hit for hit in chosen if wanted and self._is_wanted(hit.passage, wanted, named))
            of_read = (Hit(self._passages[i], float(scores[i]), float(fused[i])) for i in places)
            chosen = _cover_needed(chosen, [*of_parts, *wishes, *of_read])
            chosen = _cover_sides([*chosen, *(hit for hit in hits if hit not in chosen)], named, k)
        confidence = self._coverage.confidence(self._features(query, tuned, near), doubt)
        best = np.full(len(self._concepts), -np.inf)
        np.maximum.at(best, self._concept, fused)
        best_of = dict(zip(self._concepts.tolist(), best.tolist(), strict=True))
        return Retrieval(tuple(chosen), confidence >= 0, confidence, best_of)

    @staticmethod
    def _is_wanted(passage: Passage, kind: str, named: Sequence[str]) -> bool:
        return passage.kind == kind and (not named or not {*named}.isdisjoint(passage.about))

    def features(self, query: str, vector: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """What the decision to abstain rests on (knowledge/coverage.py: FEATURES)."""
        tuned = self.tuned.embed([query])[0] if vector is None else vector
        return self._features(query, tuned, self._index.similarities(tuned))

    def _features(self, query: str, tuned: NDArray[np.float32], near: Similarities) -> NDArray[np.float32]:
        return coverage_features(
            query,
            near.rows[:5],
            self._elsewhere @ tuned,
            bool(self.mentions.find(query)),
            self.knowledge.vocabulary,
            None if self.learned is None or self._is_untaught(near) else self.learned.strangeness(query),
        )

    def _is_untaught(self, near: Similarities) -> bool:
        """Whether a question of a passage with unlearned sentences is the nearest, or almost: the classifier would call its words strange."""
        return bool(self._unlearned[near.asks > near.asks.max() - _ALMOST].any())

    def _fuse(self, query: str, near: Similarities, concept: str | None) -> NDArray[np.float32]:
        w = self.weights
        words = self._lexical(query)
        fused = w.ask * near.asks + w.text * near.texts + w.words * words + w.learned * self._by_learning(query, near)
        fused += w.aspect * (self._kinds == aspect_of(query)) + w.talk * (self._concepts == concept)[self._concept]
        if named := {*self.mentions.sides(query)}:
            told = np.sum([self._about.get(side, np.zeros_like(self._kinds, dtype=bool)) for side in named], axis=0)
            fused += w.side * told / len(named) - w.stray_side * (self._sides - told) / np.maximum(1, self._sides)
        return fused

    def _by_learning(self, query: str, near: Similarities) -> NDArray[np.float32]:
        """Shape (passages,): the logarithm of each passage's share among all answers, from 0 (at most _LEAST) to 1.

        Passages that hold what was not learned get the cosine of their questions. Where the nearest question is one of theirs, so do
        all: the classifier would find the answer among what it learned, however strange the question.
        """
        if self.learned is None:
            return np.zeros(len(self._passages), dtype=np.float32)
        if self._unlearned[near.asks.argmax()]:
            return near.asks
        shares = np.bincount(self._learned_place, self.learned.shares(query), len(self._passages))
        found = (1 - np.log(np.maximum(shares, _LEAST)) / np.log(_LEAST)).astype(np.float32)
        return np.where(self._unlearned, near.asks, found)

    def _lexical(self, query: str) -> NDArray[np.float32]:
        """BM25 scores scaled to a maximum of 1, shape (passages,)."""
        words = [word for word in content_words(query) if word in self._bm25.vocab_dict]
        if not words:
            return np.zeros(len(self._passages), dtype=np.float32)
        scores = self._bm25.get_scores(words).astype(np.float32)
        return scores / max(float(scores.max()), 1e-6)


def embed_read(texts: Sequence[tuple[str, NDArray[np.float32] | None]], embedder: Embedder) -> NDArray[np.float32]:
    """Vectors (texts, dimension): of each text the one that comes with it, read in the light of others, or the embedder's."""
    vectors = embedder.embed([text for text, _ in texts])
    for row, (_, vector) in enumerate(texts):
        if vector is not None:
            vectors[row] = vector
    return vectors


def _cover_sides(hits: Sequence[Hit], named: Sequence[str], k: int) -> list[Hit]:
    """The first k hits, exchanged from the end where a named side would have no passage, the first hit always kept."""
    chosen = list(hits[:k])
    needed: set[int] = {0}
    for side in named:
        place = next((i for i, hit in enumerate(chosen) if side in hit.passage.about), None)
        if place is None:
            found = next((hit for hit in hits[k:] if side in hit.passage.about), None)
            place = next((i for i in reversed(range(len(chosen))) if i not in needed), None)
            if found is None or place is None:
                continue
            chosen[place] = found
        needed.add(place)
    return chosen


def _cover_needed(chosen: Sequence[Hit], needed: Sequence[Hit]) -> list[Hit]:
    """The same, exchanged from the end for what is needed and is not there, the first hit always kept."""
    wanted = {hit.passage.id: hit for hit in needed}
    kept = [hit for i, hit in enumerate(chosen) if i == 0 or hit.passage.id in wanted]
    missing = [hit for name, hit in wanted.items() if name not in {hit.passage.id for hit in chosen}]
    missing = missing[: len(chosen) - len(kept)]
    others = [hit for hit in chosen if hit not in kept][: len(chosen) - len(kept) - len(missing)]
    return sorted([*kept, *others], key=chosen.index) + missing
