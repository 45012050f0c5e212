"""Does a question want a Yes or No? A logistic model over its first and last words, beside the rules of tutor/polarity.py.

Rules know "is it …?" and "…, right?"; the model, fitted on the teacher's questions (`make calibrate`), knows "at 8 bit do i need the second?" too. Words are
hashed into a fixed number of weights (Weinberger et al. 2009, arXiv:0902.2206), so no vocabulary has to be kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tutor.hashed import load_hashed

FITTED = Path(__file__).parent / "closed.npz"
BUCKETS = 2**14
# "Pruning: does it …", a rewritten follow-up; "True or false: …" is none.
TOPIC = re.compile(
    r"^(?!true or false\b|(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have) )[\w ,/-]{2,60}: ",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Closed:
    """`weights` (BUCKETS,) and the bias, for `hints` of a question."""

    weights: NDArray[np.float32]
    bias: float

    def judge(self, query: str, by_rule: bool) -> bool:
        """Whether Yes or No would answer it; `by_rule` is what the rules say."""
        return float(self.weights[hints(query, by_rule)].sum()) + self.bias > 0


def load_closed(path: Path = FITTED) -> Closed:
    """The fitted model; raises ValueError if it has another size."""
    return Closed(*load_hashed(path, BUCKETS))


def hints(query: str, by_rule: bool) -> list[int]:
    """Buckets of the first and last words, of those that begin a clause, and of all words; each once."""
    words = re.findall(r"[a-z']+|[?.,!:;]", TOPIC.sub("", query.strip()).lower())
    found = [f"rule {by_rule}", *(f"any {word}" for word in words)]
    found += [f"start {i} {word}" for i, word in enumerate(words[:4])]
    found += [f"end {i} {word}" for i, word in enumerate(words[:-5:-1])]
    found += [f"start {' '.join(words[:n])}" for n in (2, 3)] + [f"end {' '.join(words[-n:])}" for n in (2, 3)]
    for i, word in enumerate(words[:-1]):
        if word in "?.,!:;":
            found += [f"clause {words[i + 1]}", f"clause {' '.join(words[i + 1 : i + 3])}"]
    return sorted({crc32(hint.encode()) % BUCKETS for hint in found})
