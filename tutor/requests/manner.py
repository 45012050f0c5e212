"""A question, a wish for a run or a quiz, small talk, an order to the tutor: told apart by meaning, beside the patterns of words.

Linear softmaxes over the words and what the larger encoder makes of them, halfway and in the end (engines/large_encoder.py), fitted by `make calibrate` on tutor/requests/utterances.tsv,
on the labelled set's tuning part and on what is certainly a question: those that the passages, the teacher and knowledge/elsewhere.txt hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from tutor.engines.large_encoder import WIDTH
from tutor.requests.wording import BUCKETS, buckets_of

FITTED = Path(__file__).parent / "manner.npz"
_UTTERANCES = Path(__file__).parent / "utterances.tsv"

Manners: TypeAlias = Literal[
    "question",
    "run",
    "hello",
    "thanks",
    "bye",
    "who",
    "help",
    "form",
    "lost",
    "complaint",
    "quiz",
    "injection",
    "empty",
]
MANNERS: tuple[Manners, ...] = get_args(Manners)
"""What may be meant, in the order of the fitted rows."""

# Probabilities from which a judgement counts, chosen by cross-validation on the tuning part.
_WISHED = 0.65
_ASKED = 0.9
_ASIDE = 0.6  # neither a question nor a run; a question taken for a chat is worse than a chat searched for
_MEANT = 0.5


@dataclass(frozen=True)
class Judged:
    """How an utterance is meant: a probability for each manner, and for each experiment if it is a wish for a run."""

    manners: Mapping[Manners, float] = field(default_factory=dict)
    experiments: Mapping[str, float] = field(default_factory=dict)

    @property
    def wished(self) -> bool:
        """Whether a run is wished for, whatever the words."""
        return self.manners.get("run", 0.0) >= _WISHED

    @property
    def asked(self) -> bool:
        """Whether it is a question, although it may be worded like a wish for a run."""
        return self.manners.get("question", 0.0) >= _ASKED

    @property
    def aside(self) -> Manners | None:
        """What else it is, if it is neither a question nor a wish for a run."""
        others = {manner: p for manner, p in self.manners.items() if manner not in ("question", "run")}
        return max(others.items(), key=itemgetter(1))[0] if sum(others.values()) >= _ASIDE else None

    @property
    def experiment(self) -> str | None:
        """The experiment that a wish for a run is about, if that is sure; whether there is such a wish, `wished` tells."""
        best, likely = max(self.experiments.items(), key=itemgetter(1), default=("", 0.0))
        return best if likely >= _MEANT else None


JudgesManner: TypeAlias = Callable[[str], Judged]


def unjudged(text: str) -> Judged:
    """The judge that leaves everything to the patterns of words."""
    return Judged()


@dataclass(frozen=True)
class Softmax:
    """`weights` (labels, dimension + BUCKETS) and `bias` (labels,) over an utterance's `features`."""

    labels: Sequence[str]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def judge(self, vector: NDArray[np.float32], buckets: NDArray[np.int64]) -> dict[str, float]:
        """A probability for each label."""
        words = self.weights[:, len(vector) + buckets].sum(1) * word_weight(len(buckets))
        logits = self.weights[:, : len(vector)] @ vector + words + self.bias
        likely = np.exp(logits - logits.max())
        return dict(zip(self.labels, (likely / likely.sum()).tolist(), strict=True))


@dataclass(frozen=True)
class Manner:
    """The fitted model with the embedder that it was fitted on."""

    embedder: Embedder
    manners: Softmax
    experiments: Softmax

    def judge(self, text: str) -> Judged:
        """Raises as the embedder does."""
        vector, buckets = self.embedder.embed([text])[0], buckets_of(text)
        manners = self.manners.judge(vector, buckets)
        return Judged({manner: manners[manner] for manner in MANNERS}, self.experiments.judge(vector, buckets))


def word_weight(buckets: int) -> float:
    """What each of an utterance's words counts, so that all together weigh as much as one view of it."""
    return float(1 / np.sqrt(max(1, buckets)))


def load_manner(embedder: Embedder, path: Path = FITTED) -> Manner:
    """The fitted model; raises ValueError if it does not fit MANNERS."""
    with np.load(path) as fitted:
        arrays = {name: fitted[name] for name in fitted.files}
    if list(arrays.get("manners", ())) != list(MANNERS):
        raise ValueError(f"{path} must have a row for each of {MANNERS}; run `make calibrate`")
    return Manner(embedder, *(_softmax(arrays, name, path) for name in ("manners", "experiments")))


def _softmax(arrays: Mapping[str, NDArray[np.generic]], name: str, path: Path) -> Softmax:
    labels, width = [str(label) for label in arrays[name]], 2 * WIDTH + BUCKETS
    weights = arrays[f"{name}_weights"].astype(np.float32)
    bias = arrays[f"{name}_bias"].astype(np.float32)
    if weights.shape != (len(labels), width) or bias.shape != (len(labels),):
        raise ValueError(f"{path} must have a row for each of {labels}, got {weights.shape}; run `make calibrate`")
    return Softmax(labels, weights, bias)


def utterances() -> list[tuple[str, str, str]]:
    """(manner, experiment or empty, text) of every labelled utterance; only a run names an experiment."""
    rows = (line.partition("\t") for line in _UTTERANCES.read_text(encoding="utf-8").splitlines() if line[:1] != "#")
    return [(*_kind(kind), text) for kind, _, text in rows]


def _kind(kind: str) -> tuple[str, str]:
    manner, _, experiment = kind.partition(":")
    return manner, experiment
