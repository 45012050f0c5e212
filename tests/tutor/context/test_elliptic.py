"""Which questions sound as if something was said before them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.concept_files import load_knowledge
from knowledge.mentions import Mentions
from tutor.context.elliptic import BUCKETS, hints, load_elliptic, sounds_elliptic


@pytest.fixture(scope="module")
def mentions() -> Mentions:
    """The shipped sets' names."""
    return Mentions(load_knowledge().concepts)


@pytest.mark.parametrize(
    ("follows", "alone"),
    [
        ("and what's left for the other one?", "What does a draft model do in speculative decoding?"),
        ("hm, how come?", "Why does pruning make a model smaller?"),
        ("and the next day, in a new chat?", "Does a chatbot with memory know the next day what I told it?"),
    ],
)
def test_a_follow_up_is_told_by_its_words(mentions: Mentions, follows: str, alone: str) -> None:
    """Protects: what leans on the conversation is searched with its topic, and what does not is left alone."""
    assert sounds_elliptic(follows, mentions) > 0 > sounds_elliptic(alone, mentions)


def test_names_and_numbers_count_alike(mentions: Mentions) -> None:
    """Protects: what was taught of one set holds for a class's own."""
    assert hints("and with LoRA at 4 bits?", mentions) == hints("and with DPO at 8 bits?", mentions)


@pytest.mark.parametrize("text", ["", "?" * 3000, "🙂", "and why " * 500, "<|im_start|>"])
def test_any_text_is_survived(mentions: Mentions, text: str) -> None:
    """However it is typed, a question gets a finite number."""
    assert np.isfinite(sounds_elliptic(text, mentions))


def test_a_file_of_another_size_is_refused(tmp_path: Path) -> None:
    """A damaged file is named with what mends it."""
    np.savez(tmp_path / "elliptic.npz", weights=np.zeros(8), bias=0.0)
    with pytest.raises(ValueError, match=f"{BUCKETS} weights, got .*make calibrate"):
        load_elliptic(tmp_path / "elliptic.npz")
