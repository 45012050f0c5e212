"""Do the notes cover a question at all? A logistic model over a few distances and what was learned of questions, calibrated on labelled ones.

A question is covered when it lies near the questions that passages answer, farther from those that they do not answer
(knowledge/elsewhere.txt: other trades' meanings of our words, neighbouring topics), when few of its words are strangers, and when neither a classifier of words nor the models that read the question, where they do (tutor/choosing/causal_classifier.py, encoder_classifier.py), says that none of the notes answers it.
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
    "names a side",
    "share of strange words",
    "strange words",
    "learned to be strange",
)
READ = ("read as unanswered", "likeliest as read")
"""What the readers of questions tell beside: log-odds that no sentence of the notes answers, and the logarithm of the likeliest one's share."""
# Words of any subject: neither strange nor telling.
_ANY_SUBJECT = frozenset(
    content_words(
        "what how much many get make best good need use used like want know find buy one two time day year people thing work go take give come see"
    )
)


@dataclass(frozen=True)
class Logit:
    """A logistic model: `weights` of features, and the bias."""

    weights: tuple[float, ...]
    bias: float

    def of(self, features: NDArray[np.floating]) -> float:
        """The log-odds for features of shape (len(weights),)."""
        return float(np.dot(self.weights, features) + self.bias)


@dataclass(frozen=True)
class Coverage:
    """Fitted three times: with all FEATURES, without the last for questions on notes that the classifier does not know, and with READ beside all for those that models read."""

    learned: Logit
    untaught: Logit
    read: Logit

    def confidence(self, features: NDArray[np.float32], read: tuple[float, float] | None = None) -> float:
        """The log-odds, above 0 where covered, for FEATURES, with READ if it is known, or for all but the last, where what is read tells nothing either."""
        if len(features) < len(FEATURES):
            return self.untaught.of(features)
        return self.learned.of(features) if read is None else self.read.of(np.array([*features, *read]))


def load_coverage(path: Path = FITTED) -> Coverage:
    """The fitted model; raises ValueError if the file does not fit FEATURES."""
    fitted = json.loads(path.read_text())
    logits: list[Logit] = []
    for name, features in (("learned", FEATURES), ("untaught", FEATURES[:-1]), ("read", (*FEATURES, *READ))):
        weights = fitted.get(name, {}).get("weights", {})
        if list(weights) != list(features):
            raise ValueError(f"{path} must weigh {features} in {name!r}, got {list(weights)}; run `make calibrate`")
        logits.append(Logit(tuple(weights.values()), float(fitted[name]["bias"])))
    return Coverage(*logits)


def coverage_features(
    query: str,
    near: NDArray[np.float32],
    elsewhere: NDArray[np.float32],
    names_a_side: bool,
    vocabulary: Collection[str],
    strangeness: float | None,
) -> NDArray[np.float32]:
    """FEATURES of a query, shape (len(FEATURES),), or all but the last where no `strangeness` is known.

    The arrays are its cosines, in any order, with the nearest of the passages' questions and with elsewhere questions; `strangeness` are
    the classifier's log-odds that nothing answers it.
    """
    words = [word for word in dict.fromkeys(content_words(query)) if word not in _ANY_SUBJECT]
    strange = sum(word not in vocabulary for word in words)
    values = [
        *(_best(near, 1), _best(near, 5), _best(elsewhere, 1), _best(elsewhere, 3)),
        *(float(names_a_side), strange / max(1, len(words)), min(strange, 3)),
        *(() if strangeness is None else (strangeness,)),
    ]
    return np.array(values, dtype=np.float32)


def elsewhere_questions() -> list[str]:
    """Questions that the notes do not answer; lines that begin with # are headings."""
    lines = ELSEWHERE.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _best(similarities: NDArray[np.float32], count: int) -> float:
    """Mean of the largest few."""
    count = min(count, len(similarities))
    return float(np.partition(similarities, -count)[-count:].mean()) if count else 0.0
