"""What is loaded and read while nobody asks."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from knowledge.passages import Knowledge
from tests.conftest import FakeEmbedder
from tutor.chat import Tutor
from tutor.engines.local import LocalEngine
from tutor.errors import WeightsError
from tutor.read_ahead import read_ahead


def damaged() -> None:
    raise WeightsError("restore it")


def fine() -> None: ...


@pytest.mark.parametrize(("taught", "causal", "notes"), [(fine, damaged, True), (damaged, fine, False)])
def test_what_cannot_be_loaded_is_told_and_leaves_the_rest(
    knowledge: Knowledge,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    taught: Callable[[], None],
    causal: Callable[[], None],
    notes: bool,
) -> None:
    """Protects: with a damaged reader notes are still read ahead, so that other answers are as fast as ever; without what every answer needs nothing more is loaded."""
    read: list[Any] = []
    monkeypatch.setattr(LocalEngine, "warm", lambda self, messages: read.append(messages) or True)
    tutor = SimpleNamespace(
        knowledge=knowledge,
        search=SimpleNamespace(
            search=lambda text: None, dialogue=FakeEmbedder(), spelling=SimpleNamespace(mended=lambda text: text)
        ),
        taught=SimpleNamespace(load=taught),
        readers=SimpleNamespace(encoder=SimpleNamespace(load=fine), causal=SimpleNamespace(load=causal)),
        engine=LocalEngine.__new__(LocalEngine),
        free=False,
    )
    read_ahead(cast(Tutor, tutor)).join(10)
    assert len(read) == (len(knowledge.passages) if notes else 0)
    assert "restore it" in caplog.text
