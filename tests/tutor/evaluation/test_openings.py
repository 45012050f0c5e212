from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tutor.evaluation.openings import load_openings, measure
from tutor.events import Answered, Timings, Understood


def test_only_turns_that_still_begin_so_count() -> None:
    """Protects the figure: a word that is no longer said, or has turned, is neither right nor wrong."""
    turns = load_openings()[:3]
    texts = iter(
        [f"{turns[0].opening}. A note.", "A note.", "Yes. A note." if turns[2].opening == "No" else "No. A note."]
    )

    def turn(*_: Any, **__: Any) -> list[Answered]:
        return [Answered(next(texts), Understood("ask", "?"), (), (), (), Timings(0, 0, 0, 0))]

    found = measure(cast(Any, SimpleNamespace(turn=turn)), turns)
    assert found == {turns[0].judged: 1}


def test_a_judgement_that_is_none_is_named(tmp_path: Path) -> None:
    """A slip of whoever adds a row must not vanish in a count."""
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"question": "?", "history": [], "opening": "Yes", "judged": "rihgt"}), encoding="utf-8")
    with pytest.raises(ValueError, match="rihgt"):
        load_openings(path)
