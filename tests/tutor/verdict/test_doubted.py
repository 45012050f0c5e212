from __future__ import annotations

import pytest

from tutor.verdict.doubted import asks_more, doubted


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ('where does your "yes" come from? the sentence you gave says nothing about 50%', False),
        ("hm you say no but then you say it helps directly. which one is it", False),
        ("why no?", False),
        ("was that a yes?", False),
        ('"no" is a bit strong isnt it? you just said bad people can download them', False),
        ("You say yes, it is better, but then you write it is weak. Which one should I take now?", True),
        ("Hm, no? What was wrong about my prime minister example then?", True),
    ],
)
def test_a_doubt_of_the_tutors_own_word(said: str, more: bool) -> None:
    """Protects: whoever doubts a Yes hears that it may be wrong, and what else they ask is answered."""
    assert doubted(said, "Yes. A note [1].") == "Yes" and asks_more(said) is more
    assert doubted(said, "A note [1].") == ""


@pytest.mark.parametrize(
    "said",
    [
        "so basically: rag for prices, prompt for style, no fine tuning at all. right?",
        "yes i know you said that. i want to see it",
        "no, my steps are not fixed. the model chooses",
        "yes or no: does it need more memory?",
        "why no one uses it then?",
        "you said it needs 6 GB. is that with any length?",
    ],
)
def test_what_only_has_a_yes_or_no_in_it(said: str) -> None:
    """A question of its own is answered as such."""
    assert doubted(said, "No. A note [1].") == ""
