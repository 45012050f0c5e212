"""A logistic model over hashed words (Weinberger et al. 2009, arXiv:0902.2206), and its file as `make calibrate` leaves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Hashed:
    """`weights` (buckets,) and the bias."""

    weights: NDArray[np.float32]
    bias: float

    def log_odds(self, buckets: Sequence[int]) -> float:
        """In nats, where these buckets are hit."""
        return float(self.weights[buckets].sum()) + self.bias


def buckets_of_hints(hints: Iterable[str], buckets: int) -> list[int]:
    """The bucket of each hint, each bucket once, in order."""
    return sorted({crc32(hint.encode()) % buckets for hint in hints})


def hashed_table(rows: Sequence[Sequence[int]], buckets: int) -> csr_matrix:
    """What a fit takes: shape (rows, buckets), 1 where a row hits a bucket."""
    from scipy.sparse import csr_matrix

    places = [(i, bucket) for i, row in enumerate(rows) for bucket in row]
    return csr_matrix((np.ones(len(places)), np.array(places).T), shape=(len(rows), buckets))


def load_hashed(path: Path, buckets: int) -> tuple[NDArray[np.float32], float]:
    """Weights (buckets,) and bias; raises ValueError if the file holds another number."""
    with np.load(path) as fitted:
        weights, bias = fitted["weights"].astype(np.float32), float(fitted["bias"])
    if weights.shape != (buckets,):
        raise ValueError(f"{path} must hold {buckets} weights, got {weights.shape}; run `make calibrate`")
    return weights, bias
