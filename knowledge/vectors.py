"""Vectors of texts that were embedded before, here or by whoever shipped them, so that editing one concept file embeds only what changed."""

from __future__ import annotations

import hashlib
import logging
import time
import tokenize
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from knowledge.kept import keep
from knowledge.shipped import read_shipped

log = logging.getLogger(__name__)

_UNREADABLE = (zipfile.BadZipFile, tokenize.TokenError)  # numpy parses a file's header as Python
_HASH = hashlib.sha256().digest_size
_BLOCK = 2_000  # texts after which is told how far it is,
_SAVED = 15.0  # and seconds after which what was embedded is saved, so that an interrupted start goes on from there

Progress = Callable[[int, int], None]
"""Told how many of how many texts are embedded."""


def log_progress(done: int, texts: int) -> None:
    """What the log says."""
    if texts > 200:
        log.info("embedded %d of %d texts (once)", done, texts)


class VectorStore:
    """A file of (text hash, vector) pairs for one embedding model, mapped into memory, as to copy a quarter of a gigabyte takes most of a second; a damaged file is ignored and replaced."""

    def __init__(self, folder: Path, embedder: Embedder, progress: Progress = log_progress) -> None:
        """`progress` is called before the first new text and after each block of them."""
        self._path = folder / f"vectors-{hashlib.sha256(embedder.key.encode()).hexdigest()[:10]}.npy"
        self._embedder, self._progress = embedder, progress
        self._row: dict[bytes, int] = {}
        self._vectors: NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)
        try:
            table = np.load(self._path, mmap_mode="c")  # what torch takes for writable; nothing writes there
            hashes, vectors = table["hash"].tobytes(), np.asarray(table["vector"])
            keys = [hashes[i : i + _HASH] for i in range(0, len(hashes), _HASH)]
            whole = len(set(keys)) == len(vectors) and table["hash"].shape == (len(keys), _HASH)
            if whole and np.allclose(np.einsum("ij,ij->i", vectors, vectors), 1.0, atol=2e-3):
                self._add(keys, vectors)
        except FileNotFoundError:
            pass
        except (OSError, EOFError, ValueError, LookupError, ArithmeticError, *_UNREADABLE) as error:
            log.warning("%s is damaged (%s); embedding again", self._path, error)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (texts, dimension), from the store where it has them; what was new is saved."""
        vectors, rows = self.table(texts)
        return vectors[rows]

    def table(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The same without a copy: vectors (rows, dimension), of other texts too, and each text's row."""
        if not texts:
            return self._embedder.embed([]), np.zeros(0, dtype=np.int64)
        hashes = [hashlib.sha256(text.encode()).digest() for text in texts]
        new = {key: text for key, text in zip(hashes, texts, strict=True) if key not in self._row}
        if new and (shipped := read_shipped(self._embedder.key, new)):
            self._add(list(shipped), np.stack(list(shipped.values())))
            new = {key: text for key, text in new.items() if key not in shipped}
            self._save()
        if new:
            self._progress(0, len(new))
        saved = time.monotonic()
        for start in range(0, len(new), _BLOCK):
            block = list(new)[start : start + _BLOCK]
            self._add(block, self._embedder.embed([new[key] for key in block]))
            if start + _BLOCK >= len(new) or time.monotonic() - saved > _SAVED:
                self._save()
                saved = time.monotonic()
            self._progress(start + len(block), len(new))
        return self._vectors, np.array([self._row[key] for key in hashes], dtype=np.int64)

    def _add(self, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """One array, as tens of thousands of rows of their own take ten times as long to stack."""
        self._row.update(zip(hashes, range(len(self._vectors), len(self._vectors) + len(hashes)), strict=True))
        self._vectors = np.concatenate([self._vectors, vectors]) if len(self._vectors) else vectors

    def _save(self) -> None:
        try:
            pair = [("hash", np.uint8, (_HASH,)), ("vector", np.float32, self._vectors.shape[1:])]
            table = np.empty(len(self._row), dtype=pair)
            table["hash"] = np.frombuffer(b"".join(self._row), dtype=np.uint8).reshape(-1, _HASH)
            table["vector"] = self._vectors
            keep(self._path, lambda part: np.save(part, table))
            self._path.with_suffix(".npz").unlink(missing_ok=True)  # an earlier version's
        except OSError as error:
            log.warning("vectors could not be saved in %s (%s)", self._path.parent, error)
