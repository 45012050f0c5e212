"""Numbers in words are read as digits, and other words are left alone."""

from __future__ import annotations

import pytest

from tutor.requests.numerals import in_digits


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("rank thirty-two", "rank 32"),
        ("sixty four pairs", "64 pairs"),
        ("over a hundred steps", "over 100 steps"),
        ("two hundred and fifty tokens", "250 tokens"),
        ("a dozen experts, two of them active", "12 experts, 2 of them active"),
        ("eight, four and two bits", "8, 4 and 2 bits"),
        ("Ninety-five percent", "95 percent"),
        ("again with temperature zero", "again with temperature 0"),
        ("set top-p to zero", "set top-p to 0"),
        ("temperature two point five", "temperature 2.5"),
        ("a top p of point five and a min p of point one five", "a top p of 0.5 and a min p of 0.15"),
        ("set top-p to point five one more time", "set top-p to 0.5 one more time"),
        ("top-p of zero point eight five", "top-p of 0.85"),
        ("teach it hundred steps", "teach it 100 steps"),
        ("fifteen hundred tokens, 3 hundred steps", "1500 tokens, 300 steps"),
        ("top-p at zero point nine", "top-p at 0.9"),
        ("a temperature of two and a half", "a temperature of 2.5"),
        ("a hundred n twenty-eight", "128"),
        ("two dozen users, 2^8 tokens, 0.2k updates, 10**2 steps", "24 users, 256 tokens, 200 updates, 100 steps"),
        ("one in five rows, three out of ten weights", "20% rows, 30% weights"),
        ("min-p a twentieth", "min-p 5%"),
        ("right in 9/10, 3.2e2 tokens, 2² notes, sparsity ,85", "right in 90%, 320 tokens, 4 notes, sparsity 0.85"),
        ("half a hundred pairs, A Quarter Thousand tokens, 1e6", "50 pairs, 250 tokens, 1000000"),
        ("every bit width from five down to 2", "5, 4, 3, 2 bits"),
        ("fıve bits, ſix shots, FİVE steps", "5 bits, 6 shots, 5 steps"),  # letters that a pattern takes for i and s
        ("thırty-fıve percent, two thırds of it", "35 percent, 67% of it"),
    ],
)
def test_numbers_in_words_become_digits(words: str, digits: str) -> None:
    """Protects: settings above ten, which no experiment spells out."""
    assert in_digits(words) == digits


@pytest.mark.parametrize(
    "text",
    [
        "which one of them",
        "2 out of 4, 2 in 1, one in 8 experts",
        "8x7B and top-k",
        "24/7, 2/4, 10/12/2024",
        "someone often listens",
        "a hundredth",
        "none",
        "",
        "zero-shot, zero examples",
        "one point of view",
        "a few hundred steps",
        "at this point one of them",
        "a few  hundred steps, every hundred tokens, many hundred updates",
        "I want to point out one thing",
    ],
)
def test_words_that_only_look_like_numbers_stay(text: str) -> None:
    """ "one" is more often a pronoun, and a number within a word is none."""
    assert in_digits(text) == text


def test_shares_become_percentages() -> None:
    """A fraction sets a share; an ordinal before a thing does not."""
    assert in_digits("a quarter and four fifths of the weights") == "25% and 80% of the weights"
    assert in_digits("half versus three quarters") == "50% versus 75%"
    assert (
        in_digits("the third stage, a fifth example, half as large")
        == "the third stage, a fifth example, half as large"
    )
