"""A wish that no pattern of words tells: "Set my boss right, he takes A and B for one thing" wants the difference, "my uncle knows nothing but cards" a picture.

A softmax model over the sentence embedding and the words of a question, the names of concepts masked, fitted on messages that want a difference, a picture or
something narrower, written for it, and on what the teacher answered otherwise (`make calibrate`). Patterns of words, which know the plain ways to put it, are
asked first (tutor/choosing/wish.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from tutor.hashed import buckets_of_hints
from tutor.requests.parts import without_topic

Wish: TypeAlias = Literal["analogy", "contrast", "misconception"]
"""The kind of note that is told whole, or of which several are told."""

WISHES: tuple[Wish, ...] = ("analogy", "contrast")
FITTED = Path(__file__).parent / "unspoken.npz"
BUCKETS = 2**14
DIMENSION = 384
SURE = 0.7
"""Nats by which a wish is likelier than all else together: about twice as likely."""
SURER = 2.0
"""The same, against what plain words wish: seven times as likely."""


@dataclass(frozen=True)
class Fitted:
    """Weights of the embedding (3, DIMENSION) and of the words (3, BUCKETS), and biases (3,): of each wish, and of none."""

    meaning: NDArray[np.float32]
    words: NDArray[np.float32]
    bias: NDArray[np.float32]

    def log_odds(self, vector: NDArray[np.float32], buckets: list[int]) -> NDArray[np.float64]:
        """Of each wish against all else, in nats."""
        scores = (self.meaning @ vector + self.words[:, buckets].sum(1) + self.bias).astype(np.float64)
        return np.array([score - np.logaddexp.reduce(np.delete(scores, i)) for i, score in enumerate(scores[:-1])])


def unspoken_wish(query: str, mentions: Mentions, embedder: Embedder, sure: float = SURE) -> Wish | None:
    """What is wanted, if the question as a whole leaves little doubt: so many nats."""
    masked = masked_question(query, mentions)
    # The search asks for the query's own vector next, and two short texts take little longer than one.
    _, vector = embedder.embed([query, masked])
    log_odds = load_unspoken().log_odds(vector, hints(query, masked, mentions))
    best = int(log_odds.argmax())
    return WISHES[best] if log_odds[best] > sure else None


@cache
def load_unspoken(path: Path = FITTED) -> Fitted:
    """The fitted model; raises ValueError if it has another size."""
    with np.load(path) as file:
        meaning, words, bias = (file[name].astype(np.float32) for name in ("meaning", "words", "bias"))
    kinds = len(WISHES) + 1
    if (meaning.shape, words.shape, bias.shape) != ((kinds, DIMENSION), (kinds, BUCKETS), (kinds,)):
        raise ValueError(
            f"{path} must weigh {DIMENSION} numbers and {BUCKETS} words for {kinds} kinds, got {meaning.shape} and {words.shape}; run `make calibrate`"
        )
    return Fitted(meaning, words, bias)


def masked_question(query: str, mentions: Mentions) -> str:
    """The question in lower case, with NAME for each concept's name."""
    return mentions.masked(without_topic(query))


def hints(query: str, masked: str, mentions: Mentions) -> list[int]:
    """Buckets of the words, of each two neighbours, and of how many sides are named; each once."""
    return buckets_of_hints(_hints(masked, len(mentions.sides(query))), BUCKETS)


def _hints(masked: str, sides: int) -> Iterator[str]:
    words = re.findall(r"[a-z']+|NAME|[?]", masked)
    yield f"sides {min(3, sides)}"
    yield from (f"any {word}" for word in words)
    yield from (f"two {one} {two}" for one, two in pairwise(words))
