"""Which questions ask for more than one thing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.concept_files import load_knowledge
from knowledge.mentions import Mentions
from tutor.choosing.several import BUCKETS, asks_several, hints, load_several


@pytest.fixture(scope="module")
def mentions() -> Mentions:
    """The shipped sets' names."""
    return Mentions(load_knowledge().concepts)


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("What is LoRA, and what would I use it for?", "What is LoRA?"),
        ("How does RAG work? And when is it worth it?", "I read about RAG and fine-tuning. How does RAG work?"),
        ("What does pruning cost and what does quantization cost?", "What does pruning cost in the end?"),
        ("Pruning and quantization: what does each of them do?", "Pruning and quantization: which is faster?"),
    ],
)
def test_two_questions_are_told_from_one(mentions: Mentions, several: str, one: str) -> None:
    """Protects: an answer does not end after half of what was asked."""
    assert asks_several(several, mentions) > asks_several(one, mentions) + 1


def test_names_count_alike(mentions: Mentions) -> None:
    """Protects: what was taught of one set holds for a class's own."""
    assert hints("What is LoRA, and why?", mentions) == hints("What is DPO, and why?", mentions)


@pytest.mark.parametrize("text", ["", "?" * 3000, "🙂", "and why " * 500, "<|im_start|>"])
def test_any_text_is_survived(mentions: Mentions, text: str) -> None:
    """However it is typed, a question gets a finite number."""
    assert np.isfinite(asks_several(text, mentions))


def test_a_file_of_another_size_is_refused(tmp_path: Path) -> None:
    """A damaged file is named with what mends it."""
    np.savez(tmp_path / "several.npz", weights=np.zeros(8), bias=0.0)
    with pytest.raises(ValueError, match=f"{BUCKETS} weights, got .*make calibrate"):
        load_several(tmp_path / "several.npz")
