"""The words of an utterance and their neighbours as numbers: what a sentence embedding of its meaning leaves out."""

from __future__ import annotations

import re
import zlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BUCKETS = (
    8192  # words and pairs share them by hash; a bucket that two share costs little, a vocabulary would have to be kept
)


def buckets_of(text: str) -> NDArray[np.int64]:
    """The buckets of the words and of each two neighbours, each once, in order; every digit counts as the same."""
    words = ["<", *re.findall(r"\w+|[^\w\s]", re.sub(r"\d", "0", text.lower())), ">"]
    features = {*words[1:-1], *(f"{one} {other}" for one, other in pairwise(words))}
    return np.array(sorted({zlib.crc32(feature.encode()) % BUCKETS for feature in features}))
