"""Parameters from a learner's words, and words put right."""

from __future__ import annotations

import pytest

from demos import DEMOS, find_demo
from tutor.spoken import bare_value, mended, spoken_values, tells_a_value, without_values

QUANTIZE, PRUNE, TOKENS = find_demo("quantize"), find_demo("prune"), find_demo("tokens")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("quantze it", "quantize it"),
        ("shuffel them", "shuffle them"),
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
    assert spoken_values(mended(text, DEMOS), TOKENS)["text"] == "quantze shuffel"


def test_numbers_come_in_digits_words_and_percent() -> None:
    """Three, 3 and 30 % of a share are what the settings take."""
    assert QUANTIZE.settings(spoken_values("three bits", QUANTIZE))["bits"] == 3
    assert PRUNE.settings(spoken_values("thirty percent", PRUNE))["sparsity"] == pytest.approx(0.3)
    compared = PRUNE.settings(spoken_values("fifty, seventy and 90 percent", PRUNE))["compare"]
    assert compared == "0.5,0.7,0.9"


def test_a_bare_number_is_the_first_setting_and_two_numbers_are_none() -> None:
    """ "and 8?" means bits after rounding; 8 % does not."""
    assert QUANTIZE.settings(bare_value("and 8?", QUANTIZE))["bits"] == 8
    assert PRUNE.settings(bare_value("try 80", PRUNE))["sparsity"] == pytest.approx(0.8)
    assert bare_value("8 or 4?", QUANTIZE) == bare_value("8%", QUANTIZE) == bare_value("eight", QUANTIZE) == {}


def test_words_that_set_a_value_are_told_from_the_rest() -> None:
    """What is left after the values may name another experiment."""
    assert without_values("pruning of the attention layers", QUANTIZE).split() == ["pruning", "of", "the", "layers"]
    assert tells_a_value("now 2 bits", QUANTIZE) and tells_a_value("90%", PRUNE) and not tells_a_value("now 2", PRUNE)
