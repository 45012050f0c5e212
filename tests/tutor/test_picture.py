"""Whether somebody wants a picture from daily life, told by the fitted model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.search import Search
from tutor.picture import BUCKETS, DIMENSION, load_picture, wants_picture


@pytest.mark.parametrize(
    "question",
    [
        "My uncle loves card games, has no clue about AI, and asks what few-shot prompting is. How do I put it simply?",
        "could you tell it like a bedtime story for my niece (8): what is a reasoning model?",
        "what are open weights? explain it for my dad, he thinks a model is someone on a catwalk",
    ],
)
def test_a_listener_without_background_wants_a_picture(real_search: Search, question: str) -> None:
    """Protects: wordings that no pattern of words knows."""
    assert wants_picture(question, real_search.mentions, real_search.embedder)


@pytest.mark.parametrize(
    "question", ["What is LoRA?", "How much memory does QLoRA save?", "Is pruning faster than quantization?"]
)
def test_an_ordinary_question_wants_none(real_search: Search, question: str) -> None:
    """Protects: who asks for a fact gets the fact."""
    assert not wants_picture(question, real_search.mentions, real_search.embedder)


@pytest.mark.parametrize(("meaning", "words"), [(DIMENSION, 3), (3, BUCKETS)])
def test_a_file_of_another_size_is_named(tmp_path: Path, meaning: int, words: int) -> None:
    """Protects: a model of another version is told with the command that mends it."""
    path = tmp_path / "picture.npz"
    np.savez(path, meaning=np.zeros(meaning), weights=np.zeros(words), bias=0.0)
    with pytest.raises(ValueError, match="make calibrate"):
        load_picture(path)
