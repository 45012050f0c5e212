"""The larger encoder as all who read with it share it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tutor.engines.large_encoder import WIDTH, LargeEncoder
from tutor.engines.models import fastest_dtype
from tutor.engines.mpnet import Mpnet
from tutor.engines.weights import ensure_large_encoder
from tutor.errors import EngineError
from tutor.settings import Settings


@pytest.fixture(scope="module")
def encoder() -> LargeEncoder:
    folder = ensure_large_encoder(Settings.from_environ({}).cache)
    return LargeEncoder(lambda: folder)


def test_who_reads_along_changes_nothing(encoder: LargeEncoder) -> None:
    """Protects two learners: beside longer texts, in other passes, a text has the vector that it has alone, at its own place."""
    near = 1e-5 if fastest_dtype() == torch.float32 else 1e-2  # bf16 rounds sums of other lengths otherwise
    texts = ["prune half of it " * n for n in (60, 1, 20)] + ["Why?"] * 60
    together = encoder.embed(texts)
    assert together.shape == (len(texts), 2 * WIDTH)
    for text, vector in zip(texts[:4], together, strict=False):
        np.testing.assert_allclose(encoder.embed([text])[0], vector, atol=near)


def test_a_message_is_seen_halfway_and_in_the_end(encoder: LargeEncoder) -> None:
    """Protects what tutor/requests/manner.npz was fitted to: both views in their order, and lots in theirs."""
    lots = encoder.read([["run it"], [], ["why?", "run it"]], Mpnet.vectors)
    assert [len(lot) for lot in lots] == [1, 0, 2]
    halfway, last = encoder.embed(["run it"])[0].reshape(2, WIDTH)
    assert float(halfway @ last) < 0.9 < float(last @ lots[0][0]) and float(last @ lots[2][1]) > 0.99
    assert float(np.linalg.norm(halfway)) == pytest.approx(1.0, abs=1e-3)


def test_what_cannot_be_loaded_is_told_each_time(tmp_path: Path) -> None:
    """Protects whoever asks second: the next step, and no other error."""
    encoder = LargeEncoder(lambda: tmp_path)
    for _ in range(2):
        with pytest.raises(EngineError, match="start again"):
            encoder.embed(["anything"])


def test_a_file_that_may_not_be_read_is_told_too() -> None:
    """Protects a turn, which survives the tutor's own errors only."""

    def locked() -> Path:
        raise PermissionError("model.safetensors")

    with pytest.raises(EngineError, match="can be read"):
        LargeEncoder(locked).load()
