"""How many words and pairs of words a question shares with each of many others: cosines of tf-idf vectors (Salton & Buckley 1988).

Embeddings know that "erase" and "delete" are near; they blur "in the test set" and "with the test set", which words tell apart.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray


class SharedWords:
    """The texts' vectors, kept by column, so that a question touches only those of its own words. Immutable."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = len(texts)
        known: dict[str, int] = {}
        terms = [[known.setdefault(term, len(known)) for term in _terms(text)] for text in texts]
        rows = np.repeat(np.arange(len(texts)), [len(row) for row in terms])
        columns = np.fromiter(chain.from_iterable(terms), dtype=np.int64, count=len(rows))
        # Ordered by column, then text: each (column, text) once, with how often the term stands there.
        pairs, times = np.unique(columns * max(1, len(texts)) + rows, return_counts=True)
        columns, self._row = pairs // max(1, len(texts)), pairs % max(1, len(texts))
        seen = np.bincount(columns, minlength=len(known))
        self._rarity = (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)
        self._rarity[seen < 2] = 0  # a term that stands in one text only brings no two together
        values = self._rarity[columns] * (1 + np.log(times))
        lengths = np.sqrt(np.bincount(self._row, values**2, minlength=len(texts)))
        self._value = (values / np.maximum(lengths, 1e-9)[self._row]).astype(np.float32)
        self._start = np.concatenate([[0], np.cumsum(seen)])
        self._column = {term: column for term, column in known.items() if seen[column] > 1}

    def cosines(self, text: str) -> NDArray[np.float32]:
        """Shape (texts,), from 0 (no word in common) to 1."""
        found = np.zeros(self._texts, dtype=np.float32)
        count = Counter(self._column[term] for term in _terms(text) if term in self._column)
        weights = {column: float(self._rarity[column]) * (1 + math.log(times)) for column, times in count.items()}
        length = math.hypot(*weights.values())
        for column, weight in weights.items():
            span = slice(self._start[column], self._start[column + 1])
            found[self._row[span]] += weight / length * self._value[span]
        return found


def _terms(text: str) -> Iterator[str]:
    words = re.findall(r"[a-z0-9']+", text.lower())
    yield from words
    yield from (f"{one} {two}" for one, two in pairwise(words))
