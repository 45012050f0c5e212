"""Does somebody want a picture from daily life? "My uncle loves card games and has no clue about AI" asks for one as surely as "eli5" does.

A logistic model over the sentence embedding and the words of a question, the names of concepts masked, fitted on what the teacher answered with a
picture (`make calibrate`). Patterns of words, which know the plain ways to put it, are asked first (tutor/wish.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from tutor.hashed import Hashed, buckets_of_hints, load_hashed
from tutor.parts import TOPIC

FITTED = Path(__file__).parent / "picture.npz"
BUCKETS = 2**14
DIMENSION = 384
_SURE = 0.7  # nats


@dataclass(frozen=True)
class Fitted:
    """Weights of the embedding (DIMENSION,), and of the words."""

    meaning: NDArray[np.float32]
    words: Hashed


def wants_picture(query: str, mentions: Mentions, embedder: Embedder) -> bool:
    """Whether a picture is at least twice as likely wanted as not."""
    masked, fitted = masked_question(query, mentions), load_picture()
    # The search asks for the query's own vector next, and two short texts take little longer than one.
    _, vector = embedder.embed([query, masked])
    return fitted.words.log_odds(hints(masked)) + float(fitted.meaning @ vector) > _SURE


@cache
def load_picture(path: Path = FITTED) -> Fitted:
    """The fitted model; raises ValueError if it has another size."""
    with np.load(path) as file:
        meaning = file["meaning"].astype(np.float32)
    if meaning.shape != (DIMENSION,):
        raise ValueError(f"{path} must hold {DIMENSION} weights of meaning, got {meaning.shape}; run `make calibrate`")
    return Fitted(meaning, Hashed(*load_hashed(path, BUCKETS)))


def masked_question(query: str, mentions: Mentions) -> str:
    """The question in lower case, with NAME for each concept's name."""
    return mentions.masked(TOPIC.sub("", query.strip()))


def hints(masked: str) -> list[int]:
    """Buckets of the words and of each two neighbours; each once."""
    return buckets_of_hints(_hints(masked), BUCKETS)


def _hints(masked: str) -> Iterator[str]:
    words = re.findall(r"[a-z']+|NAME|[?]", masked)
    yield from (f"any {word}" for word in words)
    yield from (f"two {one} {two}" for one, two in pairwise(words))
