"""The embedded model before it is loaded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.tutor.engines.conftest import asked
from tutor.engines.base import Branch
from tutor.engines.choosing import DECIDED, foregone
from tutor.engines.lazy import LazyEngine
from tutor.engines.local import LocalEngine
from tutor.engines.weights import ensure_tutor_model
from tutor.errors import EngineError
from tutor.settings import Settings

SURE = (Branch("Pruning removes weights [1].", 0, DECIDED + 1), Branch("Pruning saves memory [1].", 1))
OPEN = (Branch("It is simple [2].", 2, 1.0), Branch("It is old [2].", 3), Branch("", 4))


def grammar(chosen: tuple[Branch, ...]) -> tuple[Branch, ...]:
    """A sure sentence, then an open choice, then the end."""
    return (SURE, OPEN, ())[len(chosen)]


@pytest.fixture
def lazy() -> LazyEngine:
    """The embedded model's folder, with nothing loaded."""
    return LazyEngine(ensure_tutor_model(Settings.from_environ({}).cache), "tiny")


@pytest.fixture
def loads(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that were loaded; each is the tiny one."""
    names: list[str] = []

    def load(_: object, name: str, **__: Any) -> LocalEngine:
        names.append(name)
        return engine

    monkeypatch.setattr(LocalEngine, "load", load)
    return names


def test_what_is_decided_needs_no_model(lazy: LazyEngine, engine: LocalEngine, loads: list[str]) -> None:
    """Protects: a learner's first sentence does not wait for the model, and what follows is what the model would say alone."""
    answer = lazy.choose(asked("Why?"), grammar)
    assert next(answer) == SURE[0] and lazy.count("two words") == engine.count("two words") and not loads
    rest = [branch.text for branch in answer]
    assert loads == ["tiny"] and [SURE[0].text, *rest] == [b.text for b in engine.choose(asked("Why?"), grammar)]


def test_several_who_need_it_load_it_once(lazy: LazyEngine, engine: LocalEngine, loads: list[str]) -> None:
    """Protects: memory and time when a class arrives at a start."""
    with ThreadPoolExecutor(4) as learners:
        loaded = list(learners.map(lambda _: lazy.load(), range(4)))
    assert loaded == [engine] * 4 and loads == ["tiny"]


def test_a_model_that_cannot_be_loaded_is_told_each_time(lazy: LazyEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole answer may be decided; who needs the model is told why it is not there, and it is tried once."""
    tried: list[object] = []

    def load(*_: object, **__: object) -> LocalEngine:
        tried.append(_)
        raise EngineError("The model cannot be loaded.")

    monkeypatch.setattr(LocalEngine, "load", load)
    end = (Branch("", 4, 2 * DECIDED), Branch("More [1].", 5))
    chosen = list(lazy.choose(asked("Why?"), lambda taken: (SURE, end)[len(taken)]))
    assert [branch.key for branch in chosen] == [0, 4] and not tried
    assert list(lazy.choose(asked("Why?"), lambda taken: ())) == [] and not tried
    for _ in range(2):
        with pytest.raises(EngineError, match="cannot be loaded"):
            list(lazy.choose(asked("Why?"), lambda taken: OPEN))
    assert len(tried) == 1


def test_only_a_clear_lead_is_foregone() -> None:
    """Protects: an empty grammar, and a lead that likelihoods could make good."""
    assert (
        foregone(()) is None and foregone(OPEN) is None and foregone(SURE) is SURE[0] and foregone(SURE[1:]) is SURE[1]
    )
