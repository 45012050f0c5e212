"""Vectors that ship with the repository (`make vectors`, in seconds once everything is embedded): a first start embeds only what has changed since.

A Space forgets its disk, so that each of its starts is a first one, which would embed for minutes. Components are rounded to 8 bits, each vector on a
scale of its own, which moves a cosine by less than two thousandths; files stay below the 10 MB that hosts take without large-file storage.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "vectors"
_ROWS = 22_000  # a file
_HASH = 8  # bytes of a text's SHA-256, enough to tell it from a hundred thousand others


def read_shipped(key: str, wanted: Collection[bytes], folder: Path = FOLDER) -> dict[bytes, NDArray[np.float32]]:
    """Unit vectors by the SHA-256 of their texts, of those `wanted` that shipped for this embedding model; a damaged file holds none."""
    by_start = {digest[:_HASH]: digest for digest in wanted}
    found: dict[bytes, NDArray[np.float32]] = {}
    for path in _files(key, folder):
        try:
            with np.load(path) as file:
                hashes, values = file["hashes"], file["values"].astype(np.float32)
            if values.ndim != 2 or hashes.shape != (len(values), _HASH):
                raise ValueError(f"hashes of shape {hashes.shape} with vectors of shape {values.shape}")
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            log.warning("%s is damaged (%s); its texts are embedded", path, error)
            continue
        values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
        for row, vector in zip(hashes, values, strict=True):
            if (digest := by_start.get(row.tobytes())) is not None:
                found[digest] = vector
    return found


def write_shipped(key: str, texts: Sequence[str], vectors: NDArray[np.float32], folder: Path = FOLDER) -> list[Path]:
    """Write the vectors (texts, dimension) of one embedding model."""
    folder.mkdir(exist_ok=True)
    hashes = np.array([list(hashlib.sha256(text.encode()).digest()[:_HASH]) for text in texts], dtype=np.uint8)
    values = np.rint(vectors * (127 / np.abs(vectors).max(1, keepdims=True))).astype(np.int8)
    paths = []
    for start in range(0, len(texts), _ROWS):
        path = folder / f"{_name(key)}-{start // _ROWS}.npz"
        np.savez_compressed(path, hashes=hashes[start : start + _ROWS], values=values[start : start + _ROWS])
        paths.append(path)
    return paths


def _files(key: str, folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_name(key)}-*.npz"))


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:10]
