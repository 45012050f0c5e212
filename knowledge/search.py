"""From a standalone query to the passages that answer it, or to the honest finding that none does.

Three views of each passage are fused: cosine of the nearest question that it answers, cosine of its text, and BM25 over
all its words. What the wording wants (a contrast, an example) and the sides that the query names then tip the
balance between neighbours. Scores, not ranks, are fused: the distance to the second best says how sure the first is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.aspects import aspect_of
from knowledge.embedder import Embedder
from knowledge.index import VectorIndex
from knowledge.mentions import Mentions
from knowledge.passages import Knowledge, Passage


@dataclass(frozen=True)
class Weights:
    """How much each view counts; tuned on the tuning half of the labelled set (docs/report-card.md)."""

    ask: float = 1.0
    text: float = 0.35
    words: float = 0.35
    aspect: float = 0.06
    side: float = 0.10
    stray_side: float = 0.04


@dataclass(frozen=True)
class Hit:
    """A passage found; `score` is the cosine of the query with the nearest of its questions or its text."""

    passage: Passage
    score: float
    fused: float


@dataclass(frozen=True)
class Retrieval:
    """What was found for a query; `covered` says whether the notes answer it at all."""

    hits: tuple[Hit, ...]
    covered: bool
    confidence: float


class Search:
    """Searches one body of knowledge. Immutable after construction, so that all learners share it."""

    def __init__(self, knowledge: Knowledge, index: VectorIndex, embedder: Embedder, weights: Weights | None = None) -> None:
        import bm25s

        self.knowledge, self.weights = knowledge, weights or Weights()
        self.mentions = Mentions(knowledge.concepts)
        self._passages = knowledge.passages
        self._index, self.embedder = index, embedder
        self._bm25 = bm25s.BM25()
        self._bm25.index([_words(_all_text(passage)) for passage in self._passages], show_progress=False)
        self._elsewhere = embedder.embed(elsewhere())

    def search(self, query: str, k: int = 4) -> Retrieval:
        """The k passages that answer the query best, a contrast's sides all present. Raises ValueError for k < 1."""
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k!r}")
        vector = self.embedder.embed([query])[0]
        asks, texts = self._index.similarities(vector)
        fused = self._fuse(query, asks, texts)
        order = [int(i) for i in np.argsort(-fused, kind="stable")[: max(4 * k, 12)]]
        hits = [Hit(self._passages[i], float(max(asks[i], texts[i])), float(fused[i])) for i in order]
        named = self.mentions.sides(query)
        chosen = _cover_sides(hits, named, k)
        confidence = self._confidence(query, vector, float(asks.max()), float(texts.max()), bool(named))
        return Retrieval(tuple(chosen), confidence >= 0, confidence)

    def _fuse(self, query: str, asks: NDArray[np.float32], texts: NDArray[np.float32]) -> NDArray[np.float32]:
        w = self.weights
        words = self._lexical(query)
        fused = w.ask * asks + w.text * texts + w.words * words
        aspect, named = aspect_of(query), set(self.mentions.sides(query))
        for i, passage in enumerate(self._passages):
            if passage.kind == aspect:
                fused[i] += w.aspect
            if named:
                about = set(passage.about)
                fused[i] += w.side * len(named & about) / len(named)
                fused[i] -= w.stray_side * len(about - named) / max(1, len(about))
        return fused

    def _lexical(self, query: str) -> NDArray[np.float32]:
        """BM25 scores scaled to a maximum of 1, shape (passages,)."""
        words = [word for word in _words(query) if word in self._bm25.vocab_dict]
        if not words:
            return np.zeros(len(self._passages), dtype=np.float32)
        scores = self._bm25.get_scores(words).astype(np.float32)
        return scores / max(float(scores.max()), 1e-6)

    def _confidence(self, query: str, vector: NDArray[np.float32], ask: float, text: float, named: bool) -> float:
        """Above 0: the notes cover the query. The margin over the nearest question that they do not cover counts too."""
        elsewhere = float((self._elsewhere @ vector).max()) if len(self._elsewhere) else 0.0
        return (ask - 0.55) + 0.5 * (ask - elsewhere) + (0.08 if named else 0.0)


def _cover_sides(hits: Sequence[Hit], named: Sequence[str], k: int) -> list[Hit]:
    """The first k hits, the last ones exchanged where a named side would have no passage."""
    chosen = list(hits[:k])
    for side in named:
        if any(side in hit.passage.about for hit in chosen):
            continue
        found = next((hit for hit in hits[k:] if side in hit.passage.about), None)
        if found is not None and len(chosen) > 1:
            chosen[-1] = found
    return chosen


def _all_text(passage: Passage) -> str:
    return " ".join([passage.title, passage.text, passage.claim, *(ask.text for ask in passage.asks), *passage.phrasings])


_STOP = frozenset(
    "a an the is are was be do does did of to in on for and or it its that this these those with as at by from what which how why when "
    "can i you we they my me about into than then so if not no yes there their them will would should".split()
)


def _words(text: str) -> list[str]:
    """Lower-case words without stop words, plural and -ing/-ed endings cut: enough stemming for BM25 over short notes."""
    words = re.findall(r"[a-z0-9][a-z0-9.+]*[a-z0-9]|[a-z0-9]", text.lower().replace("-", " "))
    return [re.sub(r"(?<=\w{3})(?:ies|es|s|ing|ed|ation|ations)$", "", word) for word in words if word not in _STOP]


def elsewhere() -> list[str]:
    """Questions that the notes do not answer: other trades' meanings of our words, and other topics."""
    path = Path(__file__).parent / "elsewhere.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

