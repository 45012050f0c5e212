"""A request's words put right before it is read: slips, lists, thousands."""

from __future__ import annotations

import pytest

from demos import DEMOS, find_demo
from tutor.requests.spoken import mended, spoken_values


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("quantze it", "quantize it"),
        ("shuffel them", "shuffle them"),
        ("30 stpes with rnak 2", "30 steps with rank 2"),
        ("a high tempature", "a high temperature"),
        ("prunning", "pruning"),
        ("one token, two tokens, an experiment", "one token, 2 tokens, an experiment"),
        ("the quantity of later players", "the quantity of later players"),
    ],
)
def test_slips_in_the_experiments_words_are_mended_and_other_words_stay(typed: str, meant: str) -> None:
    """One slip in a short word, two in a long one; other forms and other words are left alone."""
    assert mended(typed, DEMOS) == meant


def test_a_text_to_be_read_is_not_mended() -> None:
    """Whoever wants to see the tokens of a misspelt word gets those."""
    text = 'tokenise "quantze shuffel"'
    assert spoken_values(mended(text, DEMOS), find_demo("tokens"))["text"] == "quantze shuffel"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("compare 8 4 and 3 bit", "compare 8, 4, and 3 bit"),
        ("prune 30 50 70 percent", "prune 30, 50, 70 percent"),
        ("with 1,000 tokens", "with 1000 tokens"),
        ("top-k 50 4 bits", "top-k 50, 4 bits"),
        ("0.2, 0.5 and 8,4,2 bits", "0.2, 0.5 and 8,4,2 bits"),
    ],
)
def test_lists_and_thousands(typed: str, meant: str) -> None:
    """Protects: numbers that only spaces part are a list, and a comma between thousands parts nothing."""
    assert mended(typed, DEMOS) == meant
