"""What an embedder remembers: the same vectors for less work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import RememberingEmbedder


class Counting:
    """Embeds a text as its length, and notes what it was asked."""

    key = "counting"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        return np.array([[len(text)] for text in texts], dtype=np.float32).reshape(len(texts), 1)


def test_a_text_is_embedded_once() -> None:
    """Order and repetitions of the request are kept; only new texts reach the model."""
    counting = Counting()
    embedder = RememberingEmbedder(counting)
    embedder.embed(["a", "bb"])
    assert embedder.embed(["bb", "ccc", "a", "ccc"]).flatten().tolist() == [2, 3, 1, 3]
    assert counting.asked == [["a", "bb"], ["ccc"]] and embedder.key == "counting"


def test_the_oldest_are_forgotten() -> None:
    """Memory is bounded, and what is used stays."""
    counting = Counting()
    embedder = RememberingEmbedder(counting, most=2)
    embedder.remember(["a", "bb"], np.array([[1], [2]], dtype=np.float32))
    embedder.embed(["a"])
    embedder.embed(["ccc"])
    embedder.embed(["a"])
    embedder.embed(["bb"])
    assert counting.asked == [["ccc"], ["bb"]]


def test_nothing_gives_no_rows() -> None:
    """An empty request keeps the embedder's shape."""
    assert RememberingEmbedder(Counting()).embed([]).shape == (0, 1)
