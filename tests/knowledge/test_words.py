"""Words as lexical search sees them."""

from __future__ import annotations

from knowledge.words import content_words


def test_stop_words_leave_and_endings_go() -> None:
    """Inflected forms of one word meet, function words vanish, order stays."""
    assert content_words("What is the pruning of Weights?") == content_words("pruned weight") == ["prun", "weight"]


def test_hyphens_split_and_versions_stay() -> None:
    """`few-shot` is found under its parts, and 3.1 is not cut."""
    assert content_words("few-shot Llama 3.1") == ["few", "shot", "llama", "3.1"]


def test_any_text_is_survived() -> None:
    """Text without a word gives no words."""
    assert content_words("🙂 \x00 ¿? 汉字") == []
