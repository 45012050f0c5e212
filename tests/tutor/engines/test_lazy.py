"""The embedded model before it is loaded."""

from __future__ import annotations

import pytest

from tests.tutor.engines.conftest import asked
from tutor.engines.base import Branch
from tutor.engines.choosing import DECIDED, foregone
from tutor.engines.lazy import LazyEngine
from tutor.engines.local import LocalEngine
from tutor.errors import EngineError

SURE = (Branch("Pruning removes weights [1].", 0, DECIDED + 1), Branch("Pruning saves memory [1].", 1))
OPEN = (Branch("It is simple [2].", 2, 1.0), Branch("It is old [2].", 3), Branch("", 4))


def grammar(chosen: tuple[Branch, ...]) -> tuple[Branch, ...]:
    """A sure sentence, then an open choice, then the end."""
    return (SURE, OPEN, ())[len(chosen)]


def test_what_is_decided_needs_no_model(engine: LocalEngine) -> None:
    """Protects: a learner's first sentence does not wait for the model, and what follows is what the model would say alone."""
    loads: list[int] = []
    lazy = LazyEngine("tiny", lambda: loads.append(1) or engine)  # type: ignore[func-returns-value]
    answer = lazy.choose(asked("Why?"), grammar)
    assert next(answer) == SURE[0] and not loads
    rest = [branch.text for branch in answer]
    assert loads == [1] and [SURE[0].text, *rest] == [b.text for b in engine.choose(asked("Why?"), grammar)]
    assert lazy.count("two words") == engine.count("two words") and loads == [1]


def test_an_end_that_is_decided_ends_without_the_model() -> None:
    """A whole answer may be decided."""

    def broken() -> LocalEngine:
        raise EngineError("The model cannot be loaded.")

    lazy = LazyEngine("tiny", broken)
    end = (Branch("", 4, 2 * DECIDED), Branch("More [1].", 5))
    chosen = list(lazy.choose(asked("Why?"), lambda taken: (SURE, end)[len(taken)]))
    assert [branch.key for branch in chosen] == [0, 4]
    with pytest.raises(EngineError, match="cannot be loaded"):
        list(lazy.choose(asked("Why?"), lambda taken: OPEN))


def test_nothing_allowed_is_not_foregone() -> None:
    """Protects: an empty grammar, and a lead that likelihoods could make good."""
    assert (
        foregone(()) is None and foregone(OPEN) is None and foregone(SURE) is SURE[0] and foregone(SURE[1:]) is SURE[1]
    )
