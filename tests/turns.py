"""A turn of the tutor, after checking what holds for each."""

from __future__ import annotations

from tutor.chat import Tutor
from tutor.events import Answered, Delta, Event, Exchange, Understood


def turn(tutor: Tutor, question: str, history: tuple[Exchange, ...] = (), run_demos: bool = False) -> list[Event]:
    """All events of a turn, after checking what holds for each turn."""
    events = list(tutor.turn(question, history, run_demos=run_demos))
    assert isinstance(events[0], Understood) and isinstance(events[-1], Answered)
    assert sum(isinstance(event, Answered) for event in events) == 1
    assert events[-1].text == "".join(event.text for event in events if isinstance(event, Delta))
    assert events[-1].text.strip()
    return events


def answered(tutor: Tutor, question: str, history: tuple[Exchange, ...] = (), run_demos: bool = False) -> Answered:
    """How a turn ends."""
    last = turn(tutor, question, history, run_demos)[-1]
    assert isinstance(last, Answered)
    return last
