"""What goes on after a start, while nobody asks."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from knowledge.search import Search
from tutor.choosing.shared_words import SharedWords
from tutor.distill.examples import Example
from tutor.errors import WeightsError
from tutor.open import _load_meanwhile, teach


def test_readers_load_once_their_weights_are_there() -> None:
    """Protects: a start that fetches: what is not there yet is not asked for, and so not given up."""
    loaded = threading.Event()
    fetched: Future[Any] = Future()
    _load_meanwhile(cast(Any, SimpleNamespace(load=loaded.set)), fetched)
    assert not loaded.wait(0.1)
    fetched.set_result(None)
    assert loaded.wait(10)


@pytest.mark.parametrize("error", [WeightsError("no network"), OSError("no room"), None])
def test_what_was_not_fetched_is_told_by_whoever_needs_it(
    capfd: pytest.CaptureFixture[str], error: Exception | None
) -> None:
    """Protects: one line about what is missing or damaged, and no second one or a traceback from the thread that loads."""
    loaded: list[bool] = []

    def load() -> None:
        loaded.append(True)
        raise WeightsError("restore it")

    fetched: Future[Any] = Future()
    _load_meanwhile(cast(Any, SimpleNamespace(load=load)), fetched)
    waiting = next(thread for thread in threading.enumerate() if thread.name == "load readers")
    fetched.set_exception(error) if error else fetched.set_result(None)
    waiting.join(10)
    assert not waiting.is_alive() and loaded == ([] if error else [True])
    assert capfd.readouterr().err == ""


def test_a_second_opening_counts_no_words(search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: the second or two of a start that the kept counts save."""
    examples = [Example(f"e{i}", "Do cats purr?", None, (("cats-vs-dogs#what-cats-are", 0),)) for i in range(2)]
    teach(search, examples, cache=tmp_path)
    monkeypatch.setattr(SharedWords, "_count", lambda self, texts: pytest.fail("counted again"))
    teach(search, examples, cache=tmp_path)
