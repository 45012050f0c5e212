"""What goes on after a start, while nobody asks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from knowledge.passages import Knowledge
from tests.conftest import FakeEmbedder
from tutor.chat import Tutor
from tutor.engines.local import LocalEngine
from tutor.errors import WeightsError
from tutor.open import read_ahead


def test_a_reader_that_cannot_be_loaded_leaves_the_rest(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: with one damaged file notes are still read ahead, so that other answers are as fast as ever."""

    def damaged() -> None:
        raise WeightsError("restore it")

    read: list[Any] = []
    monkeypatch.setattr(LocalEngine, "warm", lambda self, messages: read.append(messages) or True)
    tutor = SimpleNamespace(
        knowledge=knowledge,
        search=SimpleNamespace(
            search=lambda text: None, dialogue=FakeEmbedder(), spelling=SimpleNamespace(mended=lambda text: text)
        ),
        readers=SimpleNamespace(encoder=SimpleNamespace(load=lambda: None), causal=SimpleNamespace(load=damaged)),
        engine=LocalEngine.__new__(LocalEngine),
        free=False,
    )
    read_ahead(cast(Tutor, tutor)).join(10)
    assert len(read) == len(knowledge.passages)
