"""Drafts come from the prompt, after the words that were said last."""

from __future__ import annotations

from tutor.engines.drafts import draft

PROMPT = [1, 2, 3, 4, 5, 6, 2, 3, 4, 9, 8]


def test_what_followed_last_time_is_proposed() -> None:
    """The latest place in the prompt counts, and no more than asked."""
    assert draft(PROMPT, [7, 2, 3, 4]) == [9, 8]
    assert draft(PROMPT, [7, 2, 3, 4], most=1) == [9]
    assert draft(PROMPT, [1, 2, 3]) == [4, 5, 6, 2, 3, 4, 9, 8]


def test_new_words_have_no_draft() -> None:
    """Neither a short answer nor one that the prompt does not hold, nor the prompt's own end."""
    assert draft(PROMPT, [2, 3]) == [] and draft(PROMPT, [3, 2, 1]) == [] and draft(PROMPT, [4, 9, 8]) == []
