"""Which sentence of the notes answers a question, or whether none does, by the question's words alone: a linear classifier with a narrow middle.

As fastText has it (Joulin et al. 2016, arXiv:1607.01759): words, pairs of words and pieces of words are hashed (Weinberger et al. 2009, arXiv:0902.2206), each bucket has a
vector, and their weighted sum is compared with one vector a sentence. Trained on the taught questions, on the notes' sentences themselves and on what the notes do not answer (`make classifier`). Embeddings put a question near those that mean
alike; this learns which of its words decide, and pieces of words forgive slips.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from knowledge.passages import Passage, Reference
from tutor.errors import WeightsError

FITTED = Path(__file__).parent / "classifier.npz"
BUCKETS = 1 << 17
WIDTH = 64

_PIECE = 4  # letters of a piece of a word
_CERTAIN = 25.0  # log-odds beyond which nothing more is told
_KEPT = 64  # questions whose probabilities are kept, as a turn asks for them several times


def grams(text: str) -> set[str]:
    """Its words, its pairs of neighbouring words, and the pieces of its words."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    pairs = {f"{first} {second}" for first, second in pairwise(words)}
    ended = [f"<{word}>" for word in words]
    pieces = {f"#{word[i : i + _PIECE]}" for word in ended for i in range(max(1, len(word) - _PIECE + 1))}
    return {*words, *pairs, *pieces}


def buckets_of(text: str) -> list[int]:
    """The bucket of each of its grams, each once."""
    return sorted({crc32(gram.encode()) % BUCKETS for gram in grams(text)})


def key_of(sentence: str) -> int:
    """By which a sentence is known again, so that an edited one is not taken for what was trained on."""
    return crc32(sentence.encode())


@dataclass(frozen=True)
class SentenceClassifier:
    """`weight` (buckets,) says how telling a bucket is, `inner` (buckets, width) and `outer` (sentences + 1, width) are the two tables.

    The larger one is rounded to 8 bits with a `scale` (buckets,) a row: hosts take no file of more than 10 MiB without large-file storage.
    `keys` (sentences,) are the sentences' of the notes that it was trained on; the last row of `outer` and of `bias` (sentences + 1,) is for none of them.
    """

    weight: NDArray[np.float32]
    scale: NDArray[np.float32]
    inner: NDArray[np.int8]
    outer: NDArray[np.float32]
    bias: NDArray[np.float32]
    keys: NDArray[np.int64]

    def log_probabilities(self, text: str) -> NDArray[np.float32]:
        """In nats, of each sentence and of none of them: shape (sentences + 1,)."""
        buckets = buckets_of(text)
        weight = self.weight[buckets]
        middle = (weight * self.scale[buckets]) @ self.inner[buckets] / max(1e-3, float(np.linalg.norm(weight)))
        logits = self.outer @ middle + self.bias
        return np.asarray(logits - _log_sum(logits), dtype=np.float32)


def _log_sum(values: NDArray[np.floating]) -> float:
    """Logarithm of the sum of what these, of shape (n,), are logarithms of."""
    highest = values.max()
    return float(highest + np.log(np.exp(values - highest).sum()))


def rounded(inner: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """A scale for each row, and the row in these steps."""
    scale = np.maximum(np.abs(inner).max(1), 1e-6).astype(np.float32) / 127
    return scale, np.round(inner / scale[:, None]).astype(np.int8)


@cache
def load_classifier() -> SentenceClassifier:
    """What ships, read once."""
    return read_classifier(FITTED)


def read_classifier(path: Path) -> SentenceClassifier:
    """Raises WeightsError, with what to do, if the file is missing, damaged or of another shape."""
    try:
        return _read(path)
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise WeightsError(f"{path} cannot be used: {error}; restore it from git, or run `make classifier`.") from error


def _read(path: Path) -> SentenceClassifier:
    with np.load(path) as fitted:
        found = SentenceClassifier(
            fitted["weight"].astype(np.float32),
            fitted["scale"].astype(np.float32),
            fitted["inner"],
            fitted["outer"].astype(np.float32),
            fitted["bias"].astype(np.float32),
            fitted["keys"],
        )
    sentences = len(found.keys)
    shapes = {
        "weight": (BUCKETS,),
        "scale": (BUCKETS,),
        "inner": (BUCKETS, WIDTH),
        "outer": (sentences + 1, WIDTH),
        "bias": (sentences + 1,),
    }
    for name, shape in shapes.items():
        if getattr(found, name).shape != shape:
            raise ValueError(f"{name} must be of shape {shape}, got {getattr(found, name).shape}")
    return found


class AnswerWords:
    """What the classifier makes of a question, for the sentences of one body of notes. Immutable but for what it keeps."""

    def __init__(self, passages: Sequence[Passage], classifier: SentenceClassifier) -> None:
        self._told = lru_cache(_KEPT)(classifier.log_probabilities)
        place = {int(key): i for i, key in enumerate(classifier.keys)}
        keys = (((p.id, i), key_of(sentence)) for p in passages for i, sentence in enumerate(p.sentences))
        known = {reference: place[key] for reference, key in keys if key in place}
        self.references: Sequence[Reference] = tuple(known)
        self._places = np.array(list(known.values()), dtype=np.int64)

    def shares(self, text: str) -> NDArray[np.float32]:
        """Of all that might be answered, how much each of `references` is; a sentence that stands twice has its share twice."""
        told = self._told(text)
        return np.exp(told[self._places] - _log_sum(told[:-1]))

    def strangeness(self, text: str) -> float:
        """Log-odds that none of what was learned answers it, at most _CERTAIN either way."""
        told = self._told(text)
        return float(np.clip(told[-1] - _log_sum(told[:-1]), -_CERTAIN, _CERTAIN))
