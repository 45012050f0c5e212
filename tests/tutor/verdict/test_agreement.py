"""Yes or No by the words that question and sentence share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tutor.verdict.agreement import BUCKETS, hints, load_agreement


@pytest.mark.parametrize(
    ("question", "repeats", "denies"),
    [
        (
            "the number of layers is a hyperparameter, yes?",
            "The number of layers is a hyperparameter: people choose it.",
            "The number of layers is not a hyperparameter: training learns it.",
        ),
        (
            "Does quantization remove weights?",
            "Quantization does remove weights.",
            "Quantization does not remove weights.",
        ),
        (
            "doesn't pruning round the weights?",
            "Pruning does round the weights.",
            "Pruning does not round the weights.",
        ),
    ],
)
def test_what_repeats_the_question_says_yes_rather_than_what_denies_it(
    question: str, repeats: str, denies: str
) -> None:
    """Protects: the plainest questions, which a small reader gets wrong; how far is enough is for the weights of tutor/choosing/choice.json to say."""
    words = load_agreement()
    assert words.log_odds(question, repeats) > words.log_odds(question, denies) + 0.5


def test_hints_are_places_in_the_table() -> None:
    """Protects: a question without words, which nothing is known of."""
    assert all(0 <= bucket < BUCKETS for bucket, _ in hints("Is MQA smaller than GQA?", "MQA keeps one head."))
    assert np.isfinite(load_agreement().log_odds("?", "It is."))


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """Protects: weights of something else are not used in silence, and the error says what to run."""
    np.savez(tmp_path / "agreement.npz", weights=np.zeros(3), bias=0.0)
    with pytest.raises(ValueError, match="make calibrate"):
        load_agreement(tmp_path / "agreement.npz")
