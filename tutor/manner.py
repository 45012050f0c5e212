"""A question, a wish for a run or a quiz, small talk, an order to the tutor: told apart by meaning, beside the patterns of words.

A linear softmax over the sentence embedding, fitted by `make calibrate` on tutor/utterances.tsv and on what is certainly a question:
those that the passages, the teacher and knowledge/elsewhere.txt hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from tutor.intent import Manners

FITTED = Path(__file__).parent / "manner.npz"
_UTTERANCES = Path(__file__).parent / "utterances.tsv"

MANNERS: tuple[Manners, ...] = (
    "question",
    "run",
    "hello",
    "thanks",
    "bye",
    "who",
    "help",
    "quiz",
    "injection",
    "empty",
)
"""What may be meant, in the order of the fitted rows."""
SURE = 0.8  # probability from which it is believed: a question taken for a chat is worse than a chat searched for


@dataclass(frozen=True)
class Manner:
    """`weights` (manners, dimension) and `bias` (manners,) over the embedder's vectors."""

    embedder: Embedder
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def judge(self, text: str) -> Manners | None:
        """What an utterance is, if that is sure."""
        logits = self.weights @ self.embedder.embed([text])[0] + self.bias
        likely = np.exp(logits - logits.max())
        likely /= likely.sum()
        best = int(likely.argmax())
        return MANNERS[best] if likely[best] >= SURE else None


def load_manner(embedder: Embedder, path: Path = FITTED) -> Manner:
    """The fitted model; raises ValueError if it does not fit MANNERS."""
    with np.load(path) as fitted:
        weights, bias = fitted["weights"].astype(np.float32), fitted["bias"].astype(np.float32)
    if weights.ndim != 2 or len(weights) != len(MANNERS) or bias.shape != (len(MANNERS),):
        raise ValueError(f"{path} must have a row for each of {MANNERS}, got {weights.shape}; run `make calibrate`")
    return Manner(embedder, weights, bias)


def utterances() -> list[tuple[str, str]]:
    """(manner, text) of every labelled utterance."""
    lines = _UTTERANCES.read_text(encoding="utf-8").splitlines()
    return [(kind, text) for kind, _, text in (line.partition("\t") for line in lines if line[:1] != "#")]
