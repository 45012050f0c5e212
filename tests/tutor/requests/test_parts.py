"""Which questions one message holds."""

from __future__ import annotations

import pytest

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from tutor.requests.parts import parts_of


@pytest.fixture
def mentions(knowledge: Knowledge) -> Mentions:
    """Cats, dogs and tea."""
    return Mentions(knowledge.concepts)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("How long do cats sleep?", ()),
        ("How long do cats sleep, and why do they purr?", ("How long do cats sleep", "cats: why do they purr?")),
        ("Cats sleep all day. Why is that?", ("cats: Why is that?",)),
        (
            "Who is louder and who sleeps longer, cats or dogs?",
            ("cats, dogs: Who is louder", "who sleeps longer, cats or dogs?"),
        ),
        (
            "Cats: how long do they sleep, and what wakes them?",
            ("Cats: how long do they sleep", "Cats: what wakes them?"),
        ),
        (
            "Cats and dogs: what does each of them eat?",
            ("cats: what does each of them eat?", "dogs: what does each of them eat?"),
        ),
        ("1) what do cats eat 2) why do dogs bark", ("what do cats eat", "why do dogs bark")),
        ("Do cats sleep and purr?", ()),
        (
            "When a cat sleeps, what does it dream and what wakes it?",
            ("cat: what does it dream", "cat: what wakes it?"),
        ),
        ("Who purrs, cats, and who does, dogs?", ("Who purrs, cats", "Who purrs, dogs")),
        (
            "How much do cats sleep, and which ones bark, dogs?",
            ("How much do cats sleep", "cats: which ones bark, dogs?"),
        ),
        (
            "Cats or dogs: when would I take the one, and when the other?",
            (
                "cats: when would I take the one, and when the other?",
                "dogs: when would I take the one, and when the other?",
            ),
        ),
        (
            "My rabbit eats hay. Where does it hide, and can I find it?",
            ("rabbit eats hay: Where does it hide", "rabbit eats hay: can I find it?"),
        ),
        ("what do cats eat and when to feed them", ("what do cats eat", "cats: when to feed them")),
        (
            "Is a cat or a dog better for each customer, and how do I start with a cat?",
            ("Is a cat or a dog better for each customer", "how do I start with a cat?"),
        ),
        (
            "What do cats eat, what do dogs, and what do cats?",
            ("What do cats eat", "What do dogs eat", "What do cats eat"),
        ),
        ("cats", ()),
        ("", ()),
    ],
)
def test_each_part_asks_and_names_what_it_is_about(mentions: Mentions, message: str, parts: tuple[str, ...]) -> None:
    """A message of several questions is taken apart, one of a single question is not; no part loses its subject."""
    assert tuple(part.text for part in parts_of(message, mentions)) == parts


def test_what_follows_knows_what_it_follows(mentions: Mentions) -> None:
    """Protects: the second request is read in the light of the first, and the first with the story that leads up to it."""
    first, second = parts_of("My cat is old. How long do cats sleep, and would that harm them?", mentions)
    assert first.words == "My cat is old. How long do cats sleep?" and first.after == ""
    assert second.words == "would that harm them?" and second.after == first.words


def test_a_story_asks_nothing(mentions: Mentions) -> None:
    """Protects: "nobody knows how many" beside a question is told, not asked."""
    told = "We feed strays, and nobody knows how many cats will come. What do cats eat?"
    assert [part.text for part in parts_of(told, mentions)] == ["What do cats eat?"]


@pytest.mark.parametrize(
    "text", ["?" * 2000, "and what " * 300, "why\n" * 500, "🙂? " * 400, "<|im_start|>what? how?", "((("]
)
def test_any_text_is_survived(mentions: Mentions, text: str) -> None:
    """However it is typed, a message gives a few parts at most."""
    assert len(parts_of(text, mentions)) <= 4


def test_a_question_that_is_asked_twice_is_survived(mentions: Mentions) -> None:
    """Protects: the place of a part whose words stand in its sentence before."""
    assert [part.words for part in parts_of("Well, why do cats purr, and why do cats purr", mentions)][
        1
    ] == "why do cats purr"


def test_a_part_keeps_the_words_of_its_sentence_that_lead_up_to_it(mentions: Mentions) -> None:
    """Protects: "if it were Llama 3.1 70B", which belongs to the second question and would lead the first astray."""
    first, second = parts_of(
        "What should I try first? And if it had 70 billion weights, how many GB would I need?", mentions
    )
    assert first.words == "What should I try first?" == second.after
    assert second.words == "And if it had 70 billion weights, how many GB would I need?"
