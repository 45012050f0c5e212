"""A linear map after the sentence embedding, fitted so that questions with the same answer come to lie together.

all-MiniLM-L6-v2 was trained on general text; on a few hundred passages about one subject everything is near everything. One matrix
of (384, 384), fitted contrastively on the concept files' own questions (`make projection`), pulls apart what a learner must not
get mixed up. It ships with the code as half-precision numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PROJECTION = Path(__file__).parent / "projection.npy"


def load_projection(path: Path = PROJECTION, dimension: int = 384) -> NDArray[np.float32]:
    """The matrix (dimension, dimension); the identity where no file is. Raises ValueError for another shape."""
    if not path.is_file():
        return np.eye(dimension, dtype=np.float32)
    matrix = np.load(path).astype(np.float32)
    if matrix.shape != (dimension, dimension):
        raise ValueError(f"{path} must hold a matrix of {(dimension, dimension)}, got {matrix.shape}")
    return matrix


def project(vectors: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors (n, dimension), mapped and brought back to unit length."""
    mapped = vectors @ matrix
    return np.asarray(mapped / np.maximum(np.linalg.norm(mapped, axis=1, keepdims=True), 1e-9), dtype=np.float32)
