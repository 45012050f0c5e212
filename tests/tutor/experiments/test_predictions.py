"""Predict, observe, explain: the question before a run, the replies to it, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress, Table
from tutor.chat import Tutor
from tutor.events import Answered, Checked, Delta, DemoFinished, Event, Exchange
from tutor.experiments.predictions import JUST_RUN, UNCLEAR, resolve, settled, unsaid
from tutor.requests.replies import Reply

GAP = "cats-vs-dogs#cats-are-small-dogs"
SUMMARY = "The fake ran for a while. Perplexity goes from 31.0 to 40.8 with 4 bits: worse."


def outcome(metrics: Mapping[str, float]) -> str:
    return "Perplexity rises" if metrics["ratio"] > 1 else "Nothing changes"


def run(lab: Lab, params: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    yield Progress(0.5, "working")
    yield DemoResult(SUMMARY, Table(("Bits",), ((str(params["bits"]),),)), {"ratio": 1.3})


DEMO = Demo(
    "fake",
    "A fake",
    ("cats-vs-dogs",),
    (Param("bits", 4, "bits", 2, 8, spoken=(r"(\d+) bits?",)),),
    run,
    words=r"fake",
    prediction=Prediction(
        "What happens to perplexity?",
        ("Perplexity rises", "Nothing changes", "It falls by 5 %"),
        outcome,
        {"Nothing changes": GAP},
    ),
)
REQUEST = "show me the fake with 3 bits"


@pytest.fixture(autouse=True)
def demos(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake is the only experiment."""
    monkeypatch.setattr("tutor.chat.DEMOS", (DEMO,))
    monkeypatch.setattr("tutor.chat.find_demo", lambda name: DEMO)


def turn(tutor: Tutor, question: str, *history: Exchange) -> Answered:
    """How a turn of the page ends, its text being all that was written."""
    events: list[Event] = list(tutor.turn(question, history, predict=True))
    last = events[-1]
    assert isinstance(last, Answered)
    assert last.text == "".join(event.text for event in events if isinstance(event, Delta))
    return last


def asked(tutor: Tutor) -> Exchange:
    """The request, and the question that comes instead of the run."""
    return Exchange(REQUEST, turn(tutor, REQUEST).text)


def test_the_page_asks_before_it_runs(tutor: Tutor) -> None:
    """Nothing runs yet, no note gives the result away, and the choices are handed to the page."""
    last = turn(tutor, REQUEST)
    assert last.prediction is DEMO.prediction and last.finished is None and last.sources == ()
    assert last.concept == "cats-vs-dogs" and last.understood.intent == "demo"


def test_without_the_page_it_runs_at_once(tutor: Tutor) -> None:
    """The command line's contract: a request is a run."""
    last = [event for event in tutor.turn(REQUEST) if isinstance(event, Answered)][-1]
    assert last.finished is not None and last.text == SUMMARY and last.sentences == ()


def test_a_wrong_prediction_hears_the_note_behind_it(tutor: Tutor) -> None:
    """Prediction and result stand together, then the note on the mistake, cited and first among the sources."""
    last = turn(tutor, "Nothing changes", asked(tutor))
    assert last.finished is not None and last.finished.call.params == {"bits": 3}
    assert last.text.startswith("You expected “Nothing changes”; measured: “Perplexity rises” [R1].")
    assert "Cats belong to another family than dogs [1]." in last.text and last.text.endswith(SUMMARY)
    assert last.sources[0].hit.passage.id == GAP and last.sources[0].cited
    assert last.sources[-1].n == "R1" and last.sources[-1].cited
    assert [sentence.sources for sentence in last.sentences] == [("R1",), (1,), (1,)]


def test_a_right_prediction_is_confirmed_by_the_numbers(tutor: Tutor) -> None:
    """One sentence of the result confirms it, and is not said twice."""
    last = turn(tutor, "perplexity rises.", asked(tutor))
    assert last.text.startswith("You expected “Perplexity rises”; measured: just that [R1].")
    assert last.text.count("goes from 31.0 to 40.8") == 1 and "Cats" not in last.text


def test_a_wrong_prediction_without_a_note_is_told(tutor: Tutor) -> None:
    """Where the author names no note, the two still stand together."""
    last = turn(tutor, "It falls by 5 %", asked(tutor))
    assert "measured: “Perplexity rises” [R1]" in last.text and last.text.endswith(SUMMARY)


def test_a_run_that_waits_is_offered_below_what_was_asked_meanwhile(tutor: Tutor) -> None:
    """Protects: who asks something else first sees that nothing has run yet, and can still run it with one click."""
    first = asked(tutor)
    meanwhile = turn(tutor, "What are cats?", first)
    assert meanwhile.followups[0] == JUST_RUN
    clicked = turn(tutor, JUST_RUN, first, Exchange("What are cats?", meanwhile.text))
    assert clicked.finished is not None
    ran = Exchange(JUST_RUN, clicked.text, clicked.finished.note.run)
    assert JUST_RUN not in turn(tutor, "What are cats?", first, ran).followups
    assert JUST_RUN not in turn(tutor, "What are cats?").followups


@pytest.mark.parametrize("wish", ["just run it", "no questions", "don't ask me", "skip the guess"])
def test_a_request_can_skip_it_at_once(tutor: Tutor, wish: str) -> None:
    """Protects: who wants no question before the run gets none."""
    last = turn(tutor, f"{REQUEST}, {wish}")
    assert last.finished is not None and last.finished.call.params == {"bits": 3} and last.prediction is None


@pytest.mark.parametrize("skip", [JUST_RUN, "just run it.", "skip", "I don't know"])
def test_it_can_be_skipped(tutor: Tutor, skip: str) -> None:
    """One click or word runs it without a verdict."""
    last = turn(tutor, skip, asked(tutor))
    assert last.finished is not None and last.text == SUMMARY


def test_anything_else_is_a_new_question(tutor: Tutor) -> None:
    """The question before a run does not hold the learner up."""
    assert turn(tutor, "What are cats?", asked(tutor)).understood.intent == "ask"


def test_it_is_asked_once_a_conversation(tutor: Tutor) -> None:
    """After a run "now with 2 bits" runs at once; a choice with a number in it is not taken for a setting."""
    before = asked(tutor)
    first = turn(tutor, "It falls by 5 %", before)
    assert first.finished is not None
    ran = Exchange("It falls by 5 %", first.text, first.finished.note.run)
    second = turn(tutor, "now with 2 bits", before, ran)
    assert second.finished is not None and second.finished.call.params == {"bits": 2}
    assert second.finished.note.label == "R2"
    assert turn(tutor, "again", before, ran).finished.call.params == {"bits": 3}  # type: ignore[union-attr]


def test_a_question_before_the_choice_is_about_what_will_run(tutor: Tutor) -> None:
    """The request's own words ("whole rows of weights") may name another set; the experiment's set is meant."""
    before = replace(asked(tutor), user=f"{REQUEST}, as nobody would do it to a parrot")
    answered = turn(tutor, "what is it?", before)
    assert "dogs" in answered.understood.query.lower() and "parrot" not in answered.understood.query


def test_a_stopped_run_is_asked_for_anew(tutor: Tutor) -> None:
    """Without a result the experiment is still new."""
    before = asked(tutor)
    assert turn(tutor, REQUEST, before, Exchange("Nothing changes", "")).prediction is not None


def test_an_answered_prediction_is_one_turn(tutor: Tutor) -> None:
    """For routing and follow-ups the request stands for the choice."""
    before = asked(tutor)
    turns = settled((before, Exchange("Nothing changes", "done"), Exchange("why?", "…")), (DEMO,))
    assert [exchange.user for exchange in turns] == [REQUEST, "why?"] and turns[0].tutor == "done"
    assert resolve((before,), "skip", (DEMO,)) is not None and resolve(turns, "skip", (DEMO,)) is None


def test_who_is_not_understood_is_told(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: a guess is not silently dropped, and nobody is told that they expected what they did not."""
    monkeypatch.setattr("tutor.chat.read_words", lambda *_: Reply("choice"))
    last = turn(tutor, "it'll be different", asked(tutor))
    assert last.finished is not None and last.text.startswith("I was not sure") and "You expected" not in last.text


def test_a_guess_in_other_words_runs_it(tutor: Tutor) -> None:
    """Protects: who does not press a button; where it is not sure what was guessed, it runs without a verdict."""
    before = (asked(tutor),)
    guessed = resolve(before, "it'll babble", (DEMO,), lambda *_: Reply("choice", 0))
    unsure = resolve(before, "it'll be different", (DEMO,), lambda *_: Reply("choice"))
    assert guessed is not None and guessed.choice == "Perplexity rises" and guessed.request == REQUEST
    assert unsure is not None and unsure.choice == UNCLEAR


@pytest.mark.parametrize(
    ("late", "choice"),
    [
        ("just run it", ""),
        ("That was my guess for the experiment. Would you run it now, please?", ""),
        ("please run the fake", ""),
        ("Please run it: nothing changes.", "Nothing changes"),
        ("Nothing changes", "Nothing changes"),
    ],
)
def test_it_can_still_run_after_another_question(tutor: Tutor, late: str, choice: str) -> None:
    """Protects: a guess that was not understood, or a question in between, does not lose the experiment; the question stays in the history behind it."""
    before, between = asked(tutor), Exchange("What are cats?", "Cats purr [1].")
    found = resolve((before, between), late, (DEMO,))
    assert found is not None and found.choice == choice and found.before == ()
    turns = settled((before, between, Exchange(late, "done")), (DEMO,))
    assert [exchange.user for exchange in turns] == ["What are cats?", REQUEST]
    assert turn(tutor, late, before, between).finished is not None


@pytest.mark.parametrize("text", ["what about 2 bits instead", "what does it run on?", "and dogs?", "It purrs"])
def test_what_does_not_run_it_later(tutor: Tutor, text: str) -> None:
    """Protects: only an order to run it, or a choice, is taken for one when the talk has moved on."""
    assert resolve((asked(tutor), Exchange("What are cats?", "Cats purr [1].")), text, (DEMO,)) is None


@pytest.mark.parametrize(
    ("text", "choice", "bits"),
    [
        ("b. but with 2 bits, not 3", "Nothing changes", 2),
        ("Nothing changes. Do it with 2 bits please", "Nothing changes", 2),
        ("just run it with 2 bits", "", 2),
        ("It falls by 5 %", "It falls by 5 %", 3),
        ("run it", "", 3),
    ],
)
def test_a_setting_beside_the_guess_is_taken(tutor: Tutor, text: str, choice: str, bits: int) -> None:
    """Protects: "a small part, I guess. But do temperature 3" runs with what was asked for; a choice's own numbers set nothing."""
    found = resolve((asked(tutor),), text, (DEMO,))
    assert found is not None and found.choice == choice
    ran = turn(tutor, text, asked(tutor))
    assert ran.finished is not None and ran.finished.call.params["bits"] == bits


def test_a_setting_out_of_range_beside_the_guess_is_told(tutor: Tutor) -> None:
    """What cannot be set is said, and nothing else runs."""
    said = turn(tutor, "b, with 9 bits", asked(tutor))
    assert said.finished is None and "from 2 to 8" in said.text


def test_a_report_keeps_its_paragraphs() -> None:
    """Protects: what the page folds away is what the report's author put below."""
    checked = [Checked("It fell [R1].", ("R1",), "supported", 1.0)]
    assert unsaid("It rose. It fell.\n\nIt slept.", checked) == "It rose.\n\nIt slept."
    assert unsaid("It fell.\n\nIt slept.", checked) == "It slept."


@pytest.mark.parametrize(
    "text", ["", "🙂", "perplexity", "I don't know what KL is", "<b>", "\x00", "a" * 5000, "What are cats?"]
)
def test_what_is_no_reply(text: str) -> None:
    """Only a choice, its letter or a wish to skip is a reply."""
    assert DEMO.prediction is not None
    before = Exchange(REQUEST, f"**What do you expect?** {DEMO.prediction.question} {DEMO.title}")
    assert resolve((before,), text, (DEMO,)) is None


def test_the_run_is_what_was_measured(tutor: Tutor) -> None:
    """The run holds the request's own settings and the learner's earlier question."""
    events = list(tutor.turn(REQUEST, (Exchange("What are cats?", "Cats purr [1]."),)))
    finished = next(event for event in events if isinstance(event, DemoFinished))
    assert finished.note.run.params == {"bits": 3} and finished.note.run.question == "What are cats?"
