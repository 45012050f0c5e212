"""Whether somebody wants a difference or a picture from daily life told whole, told by the fitted model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.search import Search
from tutor.choosing.unspoken import BUCKETS, DIMENSION, load_unspoken, unspoken_wish


@pytest.mark.parametrize(
    "question",
    [
        "My uncle loves card games, has no clue about AI, and asks what few-shot prompting is. How do I put it simply?",
        "could you tell it like a bedtime story for my niece (8): what is a reasoning model?",
        "what are open weights? explain it for my dad, he thinks a model is someone on a catwalk",
        "hey, my tailor is curious how speculative decoding works, he only knows needles and cloth",
    ],
)
def test_a_listener_without_background_wants_a_picture(real_search: Search, question: str) -> None:
    """Protects: wordings that no pattern of words knows."""
    assert unspoken_wish(question, real_search.mentions, real_search.embedder) == "analogy"


@pytest.mark.parametrize(
    "question",
    [
        "Two vendors pitched us this week, one sells RAG and the other fine-tuning. Before I sign I want to see where they part ways.",
        "My boss takes parameters and hyperparameters for one and the same thing. How do I set her straight?",
    ],
)
def test_a_story_may_want_the_difference(real_search: Search, question: str) -> None:
    """Protects: the difference is told whole to whoever wants it, however it is put."""
    assert unspoken_wish(question, real_search.mentions, real_search.embedder) == "contrast"


@pytest.mark.parametrize(
    "question",
    [
        "What is LoRA?",
        "How much memory does QLoRA save?",
        "Is pruning faster than quantization?",
        "My boss wants to know which is cheaper, LoRA or QLoRA.",
    ],
)
def test_an_ordinary_question_wants_neither(real_search: Search, question: str) -> None:
    """Protects: who asks for a fact gets the fact."""
    assert unspoken_wish(question, real_search.mentions, real_search.embedder) is None


@pytest.mark.parametrize(("meaning", "words"), [(DIMENSION, 3), (3, BUCKETS)])
def test_a_file_of_another_size_is_named(tmp_path: Path, meaning: int, words: int) -> None:
    """Protects: a model of another version is told with the command that mends it."""
    path = tmp_path / "unspoken.npz"
    np.savez(path, meaning=np.zeros((3, meaning)), words=np.zeros((3, words)), bias=np.zeros(3))
    with pytest.raises(ValueError, match="make calibrate"):
        load_unspoken(path)
