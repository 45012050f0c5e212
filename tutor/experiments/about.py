"""Is a question that follows an experiment about that run, about two runs, or about the subject?

Words tell where a run's number or label is quoted (tutor/experiments/recall.py). "Why only 21 steps both ways?" and "why does nobody store the queries?" share them, but they are
put differently: a linear model on what the larger encoder makes of the question tells them apart, fitted by tutor/evaluation/fit_about.py on tutor/experiments/about.tsv.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from tutor.engines.large_encoder import WIDTH

FITTED = Path(__file__).parent / "about.npz"
Subject: TypeAlias = Literal["notes", "run", "both"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)
"""What a question may be about, in the order of the fitted rows."""
_SURE = 0.6  # the probability of run and both together from which it is about what was measured


@dataclass(frozen=True)
class About:
    """`weights` (SUBJECTS, 2 · WIDTH) and `bias` (SUBJECTS,) on the embedder's vectors."""

    embedder: Embedder
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def read(self, question: str) -> Subject:
        """Raises as the embedder does."""
        logits = self.weights @ self.embedder.embed([question])[0] + self.bias
        likely = np.exp(logits - logits.max())
        _, run, both = likely / likely.sum()
        return "notes" if run + both < _SURE else "both" if both > run else "run"


ReadsSubject: TypeAlias = Callable[[str], Subject]


def by_words_alone(question: str) -> Subject:
    """The reader that leaves it to words."""
    return "notes"


def load_about(embedder: Embedder, path: Path = FITTED) -> About:
    """The fitted model; raises ValueError if it does not fit SUBJECTS."""
    with np.load(path) as fitted:
        weights, bias = fitted["weights"].astype(np.float32), fitted["bias"].astype(np.float32)
    if weights.shape != (len(SUBJECTS), 2 * WIDTH) or bias.shape != (len(SUBJECTS),):
        raise ValueError(
            f"{path} must weigh {2 * WIDTH} numbers for {SUBJECTS}, got {weights.shape}; run `make calibrate`"
        )
    return About(embedder, weights, bias)
