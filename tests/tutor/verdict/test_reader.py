"""Yes or No, read from question and sentence together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.embedder import SentenceEmbedder
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings
from tutor.verdict.reader import Reader


@pytest.fixture(scope="module")
def published() -> SentenceEmbedder:
    """The sentence encoder as it was published."""
    return SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))


def test_the_same_sentence_means_yes_to_one_question_and_no_to_another(published: SentenceEmbedder) -> None:
    """Protects: both texts are read, not the question alone; what the reader changes stays in the reader."""
    before = published.embed(["cats"])
    reader = Reader(published)
    sentence = "Quantization keeps every weight, but rounds it to one of the few values that the smaller number format can express."
    assert reader.log_odds("Does a quantized model still have all of its weights?", sentence) > 0
    assert reader.log_odds("Does quantization throw some of the weights away?", sentence) < 0
    assert np.array_equal(published.embed(["cats"]), before)


def test_who_reads_along_changes_nothing(published: SentenceEmbedder) -> None:
    """Protects: padding. Of texts read as one, the short ones' averages are over their own words, as if each were read alone."""
    reader = Reader(published)
    pairs = [("Is it?", "Yes."), ("Does a quantized model still have all of its weights?", "It keeps every one. " * 8)]
    together = reader.read(pairs)
    alone = [reader.log_odds(*pair) for pair in pairs]
    assert together == pytest.approx(alone, abs=1e-3) and abs(alone[0] - alone[1]) > 0.1


def test_a_foreign_file_is_refused(published: SentenceEmbedder, tmp_path: Path) -> None:
    """Protects: weights of something else are not used in silence, and the error says what to run."""
    import torch
    from safetensors.torch import save_file

    save_file({"head": torch.zeros(384)}, tmp_path / "reader.safetensors")
    with pytest.raises(ValueError, match="make reader"):
        Reader(published, tmp_path / "reader.safetensors").log_odds("Is it?", "It is.")
