from __future__ import annotations

import re

import pytest

from demos import find_demo
from demos.levels import Levels, first_of_several, read_levels, several
from demos.prune import SPARSITY
from demos.quantize import BITS
from tutor.errors import DemoError

BITS_BESIDE = Levels("compare", "", "", of=BITS)
SHARES_BESIDE = Levels("compare", "", "", percent=True, of=SPARSITY)


@pytest.mark.parametrize("given", ["8,4,2", "8, 4 and 2", "8 vs 4 vs 2", "8 bits, 4 bits and 2 bits", " 8 / 4 / 2 / 8"])
def test_levels_are_read_however_they_are_joined(given: str) -> None:
    """The command line and the chat reach the same setting, each level once and in the order given."""
    assert BITS_BESIDE.parse(given) == "8,4,2"
    assert read_levels("8,4,2") == (8.0, 4.0, 2.0)


def test_shares_are_spoken_as_percent_or_given_as_shares() -> None:
    """50 and 0.5 are one level; no levels are an empty text."""
    assert SHARES_BESIDE.parse("50%, 70 and 90") == SHARES_BESIDE.parse("0.5,0.7,0.9") == "0.5,0.7,0.9"
    assert SHARES_BESIDE.parse("") == "" and read_levels("") == ()


@pytest.mark.parametrize("given", ["8,9", "1", "4.5", "many", "8;import", "2,3,4,5,6"])
def test_levels_out_of_range_and_other_words_are_refused(given: str) -> None:
    """Each level must be one that the single setting would take, and at most four fit in a run."""
    with pytest.raises(DemoError, match="give"):
        BITS_BESIDE.parse(given)


@pytest.mark.parametrize(
    ("text", "first", "all_of_them"),
    [
        ("compare 8, 4 and 2 bits", "8", "8, 4 and 2"),
        ("8 bits vs 4 bits", "8", "8 bits vs 4"),
        ("eight, four or two bits", "eight", "eight, four or two"),
        ("with 3 bits in groups of 64", "3", None),
        ("a 4-bit model", "4", None),
        ("prune 50 and round to 4 bits", "4", None),
    ],
)
def test_words_hold_one_level_or_several(text: str, first: str, all_of_them: str | None) -> None:
    """The first of several levels is the main one; a lone number is no comparison."""
    found = re.search(first_of_several("bits?"), text)
    assert found is not None and found[1] == first
    compared = re.search(several("bits?"), text)
    assert (compared[1] if compared else None) == all_of_them


def test_both_shrinking_experiments_compare_levels() -> None:
    """Comparing is spoken alike of bits and of shares."""
    for name in ("quantize", "prune"):
        assert any(isinstance(param, Levels) for param in find_demo(name).params)


def test_a_comparison_measures_what_it_names() -> None:
    """Protects: "compare 8 and 2 bits" does not measure the default level as well; a level of its own is kept."""
    for name, given, own in (("quantize", "8,2", {"bits": 8}), ("prune", "0.2, 0.9", {"sparsity": 0.2})):
        assert find_demo(name).settings({"compare": given}).items() >= own.items()
    assert find_demo("quantize").settings({"bits": 4, "compare": "8,2"})["bits"] == 4
    assert find_demo("quantize").settings({})["compare"] == ""
