"""Do the notes cover a question at all? A logistic model over a dozen distances, calibrated on labelled questions.

A question is covered when it lies near the questions that passages answer, farther from those that they do not answer
(knowledge/elsewhere.txt: other trades' meanings of our words, neighbouring topics), and when few of its words are strangers.
Weights and threshold are in coverage.json, fitted by `make calibrate`.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.words import content_words

FITTED = Path(__file__).parent / "coverage.json"
ELSEWHERE = Path(__file__).parent / "elsewhere.txt"

FEATURES = (
    "nearest question",
    "five nearest questions",
    "nearest elsewhere",
    "three nearest elsewhere",
    "nearest elsewhere, tuned",
    "three nearest elsewhere, tuned",
    "names a side",
    "share of strange words",
    "strange words",
)
# Words of any subject: neither strange nor telling.
_ANY_SUBJECT = frozenset(
    content_words(
        "what how much many get make best good need use used like want know find buy one two time day year people thing work go take give come see"
    )
)


@dataclass(frozen=True)
class Coverage:
    """Fitted weights of FEATURES and the bias; `confidence` above 0 means covered."""

    weights: tuple[float, ...]
    bias: float

    def confidence(self, features: NDArray[np.float32]) -> float:
        """The logit for features of shape (len(FEATURES),)."""
        return float(np.dot(self.weights, features) + self.bias)


def load_coverage(path: Path = FITTED) -> Coverage:
    """The fitted model; raises ValueError if the file does not fit FEATURES."""
    fitted = json.loads(path.read_text())
    if list(fitted["weights"]) != list(FEATURES):
        raise ValueError(f"{path} must weigh {FEATURES}, got {list(fitted['weights'])}; run `make calibrate`")
    return Coverage(tuple(fitted["weights"].values()), float(fitted["bias"]))


def coverage_features(
    query: str,
    near: NDArray[np.float32],
    elsewhere: NDArray[np.float32],
    elsewhere_tuned: NDArray[np.float32],
    names_a_side: bool,
    vocabulary: Collection[str],
) -> NDArray[np.float32]:
    """FEATURES of a query.

    The arrays are its cosines, in any order, with passages' questions (tuned vectors) and with elsewhere questions.
    """
    words = [word for word in dict.fromkeys(content_words(query)) if word not in _ANY_SUBJECT]
    strange = sum(word not in vocabulary for word in words)
    values = [
        *(_best(near, 1), _best(near, 5)),
        *(_best(elsewhere, 1), _best(elsewhere, 3), _best(elsewhere_tuned, 1), _best(elsewhere_tuned, 3)),
        *(float(names_a_side), strange / max(1, len(words)), min(strange, 3)),
    ]
    return np.array(values, dtype=np.float32)


def elsewhere_questions() -> list[str]:
    """Questions that the notes do not answer; lines that begin with # are headings."""
    lines = ELSEWHERE.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _best(similarities: NDArray[np.float32], count: int) -> float:
    """Mean of the largest few."""
    return float(np.sort(similarities)[-count:].mean()) if len(similarities) else 0.0
