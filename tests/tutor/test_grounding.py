"""Freely written sentences: supported by a note, or replaced by its own words."""

from __future__ import annotations

import pytest

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from tests.conftest import FakeEmbedder, hits_of
from tutor.grounding import Grounding, complete_sentences


@pytest.fixture
def grounding(knowledge: Knowledge) -> Grounding:
    """Notes 1 to 6: cats, dogs, both, the misconception, tea, coffee."""
    return Grounding(hits_of(*knowledge.passages), FakeEmbedder(), Mentions(knowledge.concepts))


@pytest.mark.parametrize("mark", ["", " [1]", " [6]", " [99]"])
def test_a_notes_sentence_is_supported_by_its_note(grounding: Grounding, mark: str) -> None:
    """The citation that is shown is where the sentence stands, whatever the model claimed."""
    checked = grounding.check(f"Cats sleep 16 hours a day{mark}.")
    assert checked is not None
    assert (checked.text, checked.sources, checked.support) == ("Cats sleep 16 hours a day [1].", (1,), "supported")


@pytest.mark.parametrize(
    ("sentence", "quoted"),
    [
        ("Cats sleep 18 hours a day.", "Cats sleep 16 hours a day [1]."),
        ("Dogs sleep 16 hours a day.", None),
        ("Cats never sleep 16 hours a day.", "Cats sleep 16 hours a day [1]."),
        ("Coffee holds 40 mg of caffeine a cup.", None),
        ("No cat purrs softly on warm cushions.", None),
    ],
    ids=["number", "side", "sign", "swapped-number", "negated"],
)
def test_what_the_notes_do_not_say_is_not_shown(grounding: Grounding, sentence: str, quoted: str | None) -> None:
    """A changed number, another side or a turned meaning is replaced by a note's own sentence, or dropped."""
    checked = grounding.check(sentence)
    if checked is not None:
        assert checked.support == "quoted" and sentence[:-1] not in checked.text
    assert quoted is None or (checked is not None and checked.text == quoted)


def test_invention_far_from_the_notes_is_dropped(grounding: Grounding) -> None:
    """What lies near no note has nothing to stand in for it."""
    assert grounding.check("Zebras migrate through Kenya each summer.") is None


def test_nothing_is_shown_twice(grounding: Grounding) -> None:
    """A repeated sentence is not repeated, also not as a quotation of what was said."""
    shown = [grounding.check("Tea is steeped from dried leaves.") for _ in range(4)]
    texts = [checked.text for checked in shown if checked is not None]
    assert texts[0] == "Tea is steeped from dried leaves [5]." and len(texts) == len(set(texts))


@pytest.mark.parametrize(("written", "shown"), [("yes", "Yes."), ("No,", "No.")])
def test_yes_and_no_pass(grounding: Grounding, written: str, shown: str) -> None:
    """The opening of a yes/no answer is no claim of its own."""
    checked = grounding.check(written)
    assert checked is not None and checked.text == shown and checked.sources == ()


@pytest.mark.parametrize("sentence", ["", " ", "[1]", "🙂", "\x00", "<|im_start|>"])
def test_scraps_say_nothing_new(grounding: Grounding, sentence: str) -> None:
    """What is no sentence is dropped or replaced, never shown."""
    checked = grounding.check(sentence)
    assert checked is None or checked.support == "quoted"


def test_without_notes_nothing_is_shown() -> None:
    """No note, no support."""
    assert Grounding((), FakeEmbedder(), Mentions(())).check("Cats purr.") is None


def test_growing_text_gives_finished_sentences() -> None:
    """Only what is followed by a new sentence is finished, and citations after the stop belong before it."""
    assert complete_sentences("Cats purr. Dogs ba") == (["Cats purr."], "Dogs ba")
    assert complete_sentences("It takes 2.5 bi") == ([], "It takes 2.5 bi")
    assert complete_sentences("Cats purr. [1] Dogs") == (["Cats purr [1]."], "Dogs")
    assert complete_sentences("") == ([], "")


def test_a_citation_in_pieces_stays_with_its_sentence() -> None:
    """Tokens arrive one by one: " [", "1", "]" after a full stop still cite the sentence before."""
    finished, rest = [], ""
    for piece in ("Cats purr.", " [", "1", "]", " Dogs", " bark."):
        done, rest = complete_sentences(rest + piece)
        finished += done
    assert finished == ["Cats purr [1]."]
