"""Yes or No by the words that question and sentence share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tutor.agreement import BUCKETS, hints, load_agreement


@pytest.mark.parametrize(
    ("question", "sentence", "yes"),
    [
        (
            "the number of layers is a hyperparameter, yes?",
            "The number of layers is a hyperparameter: people choose it.",
            True,
        ),
        ("Does quantization remove weights?", "Quantization does not remove weights.", False),
        ("doesn't pruning round the weights?", "Pruning does not round the weights.", False),
    ],
)
def test_what_a_sentence_repeats_is_so_and_what_it_denies_is_not(question: str, sentence: str, yes: bool) -> None:
    """Protects: the plainest questions, which a small reader gets wrong."""
    assert (load_agreement().log_odds(question, sentence) > 0) is yes


def test_hints_are_places_in_the_table() -> None:
    """Protects: a question without words, which nothing is known of."""
    assert all(0 <= bucket < BUCKETS for bucket, _ in hints("Is MQA smaller than GQA?", "MQA keeps one head."))
    assert np.isfinite(load_agreement().log_odds("?", "It is."))


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """Protects: weights of something else are not used in silence, and the error says what to run."""
    np.savez(tmp_path / "agreement.npz", weights=np.zeros(3), bias=0.0)
    with pytest.raises(ValueError, match="make calibrate"):
        load_agreement(tmp_path / "agreement.npz")
