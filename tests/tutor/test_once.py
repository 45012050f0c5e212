"""What is heavy is opened once, by whoever needs it first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tutor.errors import EngineError
from tutor.once import Once


def test_all_get_the_same_and_it_is_opened_once() -> None:
    """Protects: eight learners at a start do not load eight models."""
    opened: list[object] = []

    def opens() -> object:
        opened.append(object())
        return opened[-1]

    once = Once(opens)
    assert once.opened is None and not opened
    with ThreadPoolExecutor(8) as learners:
        found = list(learners.map(lambda _: once.get(), range(8)))
    assert len(opened) == 1 and all(each is opened[0] for each in found) and once.opened is opened[0]


def test_what_failed_is_not_tried_again() -> None:
    """Protects: a damaged file costs one attempt, and each learner hears what to do."""
    tried: list[int] = []

    def opens() -> object:
        tried.append(1)
        raise EngineError("restore the file")

    once = Once(opens)
    for _ in range(2):
        with pytest.raises(EngineError, match="restore the file"):
            once.get()
    assert len(tried) == 1 and once.opened is None
