"""Which questions want a Yes or No."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tutor.closed import BUCKETS, hints, load_closed
from tutor.polarity import is_yes_no


@pytest.mark.parametrize(
    "query",
    [
        "at 8 bit do i need the second?",
        "my colleague insists that LoRA changes every weight - is she right?",
        "we halved the bits, did any weight get lost?",
        "A pruned network always runs faster.",
        "Nobody rounds weights any more, now that memory is cheap.",
    ],
)
def test_forms_that_no_rule_knows(query: str) -> None:
    """Protects: Yes or No also where the question does not begin with its verb."""
    assert is_yes_no(query)


@pytest.mark.parametrize(
    "query",
    [
        "how come LoRA is so small?",
        "Which one is faster, is it pruning?",
        "lora memory",
        "Put LoRA and QLoRA side by side.",
        "I don't get mixture of experts.",
        "Name a few models that truly are open source.",
        "My laptop has 8 GB and no GPU, where do I begin with LoRA",
    ],
)
def test_questions_that_want_words(query: str) -> None:
    """Protects: no Yes or No before an answer that nobody asked so."""
    assert not is_yes_no(query)


def test_hints_are_few_and_stable() -> None:
    """Protects: the fitted weights mean the same in every process, and a subject in front of a rewritten follow-up counts nothing."""
    assert hints("Pruning: is it fast?", True) == hints("is it fast?", True) != hints("is it fast?", False)
    assert all(0 <= bucket < BUCKETS for bucket in hints("", False))


def test_another_size_is_refused(tmp_path: Path) -> None:
    """Protects: weights of another hashing are not used in silence."""
    np.savez(tmp_path / "closed.npz", weights=np.zeros(8), bias=0.0)
    with pytest.raises(ValueError, match="make calibrate"):
        load_closed(tmp_path / "closed.npz")
