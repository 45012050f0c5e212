"""How many words and pairs of words a question shares with each of many others: cosines of tf-idf vectors (Salton & Buckley 1988).

Embeddings know that "erase" and "delete" are near; they blur "in the test set" and "with the test set", which words tell apart.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.kept import keep

log = logging.getLogger(__name__)

_WORD = "[a-z0-9']+"
_END = "\x01"
_LETTERS_ONLY = (
    bytes(ord(c) if re.fullmatch(rf"{_WORD}|{_END}", c) else ord(" ") for c in map(str.lower, map(chr, range(128))))
    + b" " * 128
)


_FORMAT = "1"


class SharedWords:
    """The texts' vectors, kept by column, so that a question touches only those of its own words. Immutable."""

    def __init__(self, texts: Sequence[str], kept: Path | None = None) -> None:
        """Counted, which takes more than a second for the tutor's own, or read from the file where an earlier start `kept` it; a damaged one is counted anew."""
        digest = hashlib.sha256("\0".join([_FORMAT, str(len(texts)), *texts]).encode(errors="replace")).hexdigest()
        if kept is not None and self._read(kept, digest):
            return
        self._count(texts)
        if kept is not None:
            self._keep(kept, digest)

    def _read(self, path: Path, digest: str) -> bool:
        """Whether the file holds what was counted of these texts."""
        try:
            with np.load(path) as file:
                if str(file["digest"]) != digest:
                    return False
                words = file["words"].tobytes().decode("ascii").split(" ")
                self._texts, self._number = int(file["texts"]), {word: number for number, word in enumerate(words)}
                self._terms, self._row, self._value = file["terms"], file["row"], file["value"]
                self._rarity, self._start = file["rarity"], file["start"]
        except FileNotFoundError:
            return False
        except Exception as error:  # noqa: BLE001 - numpy and zipfile raise a dozen kinds for changed bytes, and all cost is a second
            log.warning("%s is damaged (%s); counting again", path, error)
            return False
        return True

    def _keep(self, path: Path, digest: str) -> None:
        try:
            arrays = {
                "digest": np.array(digest),
                "words": np.frombuffer(" ".join(self._number).encode("ascii"), dtype=np.uint8),
                "texts": np.array(self._texts),
                "terms": self._terms,
                "row": self._row,
                "value": self._value,
                "rarity": self._rarity,
                "start": self._start,
            }
            keep(path, lambda part: np.savez(part, **arrays))
        except OSError as error:
            log.warning("counted words could not be saved in %s (%s)", path.parent, error)

    def _count(self, texts: Sequence[str]) -> None:
        self._texts, count = len(texts), max(1, len(texts))
        # In one go, as they are millions: each text's words, and an end behind them.
        whole = f" {_END} ".join([*(text.lower().replace(_END, " ") for text in texts), ""])
        words = whole.encode("ascii", "replace").translate(_LETTERS_ONLY).decode("ascii").split()
        self._number = {word: number for number, word in enumerate(dict.fromkeys(words))}
        numbers = np.fromiter(map(self._number.__getitem__, words), dtype=np.int64, count=len(words))
        ends = numbers == self._number.get(_END, -1)
        ids, rows = numbers[~ends], (np.cumsum(ends) - ends)[~ends]
        joined = np.flatnonzero(rows[:-1] == rows[1:])
        terms = np.concatenate([ids, self._pairs(ids[joined], ids[joined + 1])])
        # Each (term, text) once, ordered by term, then text, with how often the term stands there.
        places = terms * count + np.concatenate([rows, rows[joined]])
        places.sort()
        begins = _beginnings(places)
        times = np.diff(np.append(begins, len(places)))
        terms, rows = np.divmod(places[begins], count)
        begins = _beginnings(terms)
        seen = np.diff(np.append(begins, len(terms)))
        # A term that stands in one text only brings no two together.
        shared = np.repeat(seen > 1, seen)
        self._terms, self._row, times, seen = (
            terms[begins][seen > 1],
            rows[shared].astype(np.int32),
            times[shared],
            seen[seen > 1],
        )
        self._rarity = (np.log((1 + count) / (1 + seen)) + 1).astype(np.float32)
        values = np.repeat(self._rarity, seen) * (1 + np.log(times))
        lengths = np.sqrt(np.bincount(self._row, values**2, minlength=count))
        self._value = (values / np.maximum(lengths, 1e-9)[self._row]).astype(np.float32)
        self._start = np.concatenate([[0], np.cumsum(seen)])

    def cosines(self, text: str) -> NDArray[np.float32]:
        """Shape (texts,), from 0 (no word in common) to 1."""
        found = np.zeros(self._texts, dtype=np.float32)
        columns, times = np.unique(self._columns(text), return_counts=True)
        weights = self._rarity[columns] * (1 + np.log(times))
        length = max(float(np.linalg.norm(weights)), 1e-9)
        for column, weight in zip(columns, weights, strict=True):
            span = slice(self._start[column], self._start[column + 1])
            found[self._row[span]] += float(weight) / length * self._value[span]
        return found

    def _columns(self, text: str) -> NDArray[np.int64]:
        """The columns of the text's words and pairs that any of the texts has."""
        ids = np.array([self._number.get(word, -1) for word in _words(text)], dtype=np.int64)
        known = (ids[:-1] >= 0) & (ids[1:] >= 0)
        terms = np.concatenate([ids[ids >= 0], self._pairs(ids[:-1][known], ids[1:][known])])
        places = np.searchsorted(self._terms, terms)
        inside = places < len(self._terms)
        places, terms = places[inside], terms[inside]
        return places[self._terms[places] == terms]

    def _pairs(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of pairs of words, beyond those of single words."""
        return (first + 1) * len(self._number) + second


def _beginnings(ordered: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where each number stands first."""
    return np.flatnonzero(np.diff(ordered, prepend=-1))


def _words(text: str) -> list[str]:
    return re.findall(_WORD, text.lower())
