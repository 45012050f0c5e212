"""Sentence by sentence: text first, then what it rests on."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from knowledge.search import Search
from tests.conftest import ScriptedEngine, WritingEngine, hits_of
from tutor.answers import stream_answer
from tutor.engines.base import Engine
from tutor.events import Checked, Delta
from tutor.prompts import NO_ANSWER


def answer(engine: Engine, search: Search, query: str = "What are cats?", free: bool = False) -> list[Delta | Checked]:
    """All events of an answer on all notes."""
    return list(stream_answer(engine, free, query, hits_of(*search.knowledge.passages), search))


def texts(events: list[Delta | Checked]) -> str:
    """What the learner has read."""
    return "".join(event.text for event in events if isinstance(event, Delta))


def test_a_chosen_answer_is_the_notes_words(search: Search) -> None:
    """Each sentence that is shown stands in the note that it cites."""
    events = answer(ScriptedEngine(), search)
    checked = [event for event in events if isinstance(event, Checked)]
    assert checked and texts(events) == " ".join(sentence.text for sentence in checked)
    for sentence in checked:
        (n,) = sentence.sources
        plain = sentence.text.replace(f" [{n}]", "")
        assert plain in search.knowledge.passages[n - 1].sentences and sentence.support == "supported"


def test_each_delta_is_followed_by_its_check(search: Search) -> None:
    """A page that draws text and marks needs them in step."""
    for engine in (
        ScriptedEngine(),
        WritingEngine(["Cats purr softly on warm cushions. ", "Cats sleep 16 hours a day."]),
    ):
        events = answer(engine, search)
        assert [type(event) for event in events] == [Delta, Checked] * (len(events) // 2) and events
        assert all(d.text.strip() == c.text for d, c in pairwise(events) if isinstance(d, Delta))


def test_a_settled_question_begins_with_yes_or_no(search: Search) -> None:
    """The opening is shown, without a citation."""
    for query, opening in (("Are dogs loud?", "Yes."), ("Are cats small dogs?", "No.")):
        events = answer(ScriptedEngine(), search, query)
        assert texts(events).startswith(opening + " ")
        assert isinstance(events[1], Checked) and events[1].sources == ()


def test_free_writing_is_checked(search: Search) -> None:
    """A model that invents a number is quoted the note instead, sentence by sentence, in any pieces."""
    text = "Cats purr softly on warm cushions. Zebras migrate through Kenya yearly. Cats sleep 18 hours a day."
    for pieces in (re.findall(r"\s*\S+", text), [text]):
        events = answer(WritingEngine(pieces), search)
        assert texts(events) == "Cats purr softly on warm cushions [1]. Cats sleep 16 hours a day [1]."
        assert [event.support for event in events if isinstance(event, Checked)] == ["supported", "quoted"]


def test_pieces_may_end_in_a_blank(search: Search) -> None:
    """How a stream is cut changes nothing: an endpoint may send the blank after a word, or letters."""
    text = "Cats purr softly on warm cushions. Cats sleep 16 hours a day."
    for pieces in (list(text), re.findall(r"\S+\s*", text)):
        assert texts(answer(WritingEngine(pieces), search)) == texts(answer(WritingEngine([text]), search))


def test_a_free_model_writes_though_it_could_choose(search: Search) -> None:
    """`free` decides, not what the engine could do besides."""
    engine = ScriptedEngine(pieces=["Tea is steeped from dried leaves."])
    assert texts(answer(engine, search, free=True)) == "Tea is steeped from dried leaves [5]."
    assert engine.offered == []


@pytest.mark.parametrize("pieces", [[], [""], [NO_ANSWER], list(NO_ANSWER), ["🙂"], ["Half a sentence of zebras"]])
def test_no_answer_is_no_event(search: Search, pieces: list[str]) -> None:
    """A refusal or nothing usable yields nothing, so that the turn can say it honestly."""
    assert answer(WritingEngine(pieces), search) == []


@pytest.mark.parametrize("free", [False, True])
def test_closing_closes_the_engine(search: Search, free: bool) -> None:
    """Stop stops the computation, not only the text."""
    engine = ScriptedEngine(pieces=["Cats purr softly on warm cushions."] + [" Cats sleep 16 hours a day."] * 50)
    stream = stream_answer(engine, free, "What are cats?", hits_of(*search.knowledge.passages), search)
    next(stream)
    assert (engine.opened, engine.closed) == (1, 0)
    stream.close()  # type: ignore[attr-defined]
    assert engine.closed == 1 and engine.written < 5


def test_the_model_sees_notes_and_question(search: Search) -> None:
    """One that chooses gets each note by itself and the question last; one that writes gets them numbered, in one text."""
    engine = ScriptedEngine()
    answer(engine, search, "What are cats?")
    answer(engine, search, "What are cats?", free=True)
    choice, writing = (prompt[-1] for prompt in engine.prompts)
    assert choice.role == writing.role == "user"
    assert choice.text.endswith("What are cats?") and writing.text.endswith("What are cats?")
    for n, passage in enumerate(search.knowledge.passages, 1):
        assert choice.notes[n - 1] == f"- {passage.text}\n"
        assert f"[{n}] {passage.text}" in writing.text
    assert not writing.notes and len(choice.notes) == len(search.knowledge.passages)
