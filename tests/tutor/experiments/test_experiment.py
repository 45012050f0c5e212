from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from threading import Semaphore
from typing import Any

import pytest

from demos.base import Demo, DemoResult, Lab, Progress, Table
from knowledge.search import Search
from tutor.events import DemoCall, Understood
from tutor.experiments import experiment
from tutor.experiments.experiment import Request, run_experiment
from tutor.memory import give_back


class _Copy:
    """Stands for the model that an experiment works on."""


@pytest.mark.parametrize("stopped", [False, True])
def test_what_an_experiment_held_is_given_back(search: Search, monkeypatch: pytest.MonkeyPatch, stopped: bool) -> None:
    """Protects memory: glibc keeps what a thread freed, gigabytes after a few experiments; when it is told to give back, run to its end or stopped, no copy lives any more, and the next may begin."""
    copies, alive = list[weakref.ref[_Copy]](), list[bool]()
    bench = Semaphore()

    def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
        copy = _Copy()
        copies.append(weakref.ref(copy))
        yield Progress(0.5, "half")
        yield DemoResult("Done.", Table(("a",), (("b",),)), {"n": 1})

    def seen() -> None:
        alive.append(copies[0]() is not None)
        assert not bench.acquire(blocking=False)

    monkeypatch.setattr(experiment, "give_back", seen)
    demo = Demo("held", "Hold a copy", (), (), run)
    request = Request(Understood("demo", "go"), demo, DemoCall("held", {}), 0.0)
    events = run_experiment(request, lambda: pytest.fail("asks for no model"), bench, (demo,), search)
    if stopped:
        next(events), next(events), next(events)
        events.close()  # type: ignore[attr-defined]
    else:
        list(events)
    assert alive == [False] and bench.acquire(blocking=False)


def test_giving_back_is_harmless_where_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C library without malloc_trim, as on a Mac, keeps its memory and nothing breaks."""
    give_back()
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    give_back()
