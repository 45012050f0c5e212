"""The rater prefers what answers, and says when its weights are damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tutor.engines.weights import ensure_embedder
from tutor.errors import WeightsError
from tutor.rater import RATER, Rater, unrated
from tutor.settings import Settings

SENTENCES = [
    "Pruning removes weights from a model.",
    "Quantization stores each weight with fewer bits.",
    "A token is a piece of text that a language model treats as one unit.",
]


@pytest.fixture(scope="module")
def base() -> Path:
    return ensure_embedder(Settings.from_environ({}).cache)


def test_the_sentence_that_answers_is_rated_highest(base: Path) -> None:
    """Protects: weights, heads and input format that belong together."""
    rater = Rater(base)
    for place, question in enumerate(("what does it mean to prune a network", "what is quantisation", "whats a token?")):
        assert int(rater.rate(question, SENTENCES).fits.argmax()) == place


def test_no_sentences_no_ratings(base: Path) -> None:
    """Protects: an empty batch, which the tokenizer refuses."""
    assert len(Rater(base).rate("what is a token?", []).fits) == len(unrated(0).fits) == 0


def test_a_damaged_head_is_named(base: Path, tmp_path: Path) -> None:
    """Protects: a clear error with a next step instead of a traceback."""
    folder = tmp_path / "rater"
    shutil.copytree(RATER, folder)
    (folder / "head.safetensors").write_bytes(b"broken")
    with pytest.raises(WeightsError, match="git checkout"):
        Rater(base, folder)
