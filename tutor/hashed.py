"""Weights of a linear model over hashed words, as `make calibrate` leaves them in a file (Weinberger et al. 2009, arXiv:0902.2206)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def load_hashed(path: Path, buckets: int) -> tuple[NDArray[np.float32], float]:
    """Weights (buckets,) and bias; raises ValueError if the file holds another number."""
    with np.load(path) as fitted:
        weights, bias = fitted["weights"].astype(np.float32), float(fitted["bias"])
    if weights.shape != (buckets,):
        raise ValueError(f"{path} must hold {buckets} weights, got {weights.shape}; run `make calibrate`")
    return weights, bias
