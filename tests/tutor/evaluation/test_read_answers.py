"""Figures of answers as readers judged them."""

from __future__ import annotations

import json
from pathlib import Path

from tutor.evaluation.read_answers import figures


def _label(name: str, answer: str, right: bool, false: bool = False) -> str:
    return json.dumps({"id": name, "answer": answer, "right": right, "false": false, "needless": False, "why": ""})


def test_only_answers_that_stand_as_they_were_read_count(tmp_path: Path) -> None:
    """Protects the report card: a judgement of an answer that the tutor no longer gives says nothing of today's."""
    one = [_label("a", "Yes.", True), _label("b", "No.", False, True), _label("c", "old", True)]
    two = [_label("a", "Yes.", True), _label("b", "No.", True)]
    (tmp_path / "labels-1.jsonl").write_text("\n".join(one) + "\n")
    (tmp_path / "labels-2.jsonl").write_text("\n".join(two) + "\n")
    found = figures({"a": "Yes.", "b": "No.", "c": "new"}, tmp_path)
    assert found["read_answers"] == 2 and found["read_right"] == 0.75 and found["read_false"] == 0.25
    assert found["read_right_by_both"] == 0.5 and found["read_alike"] == 0.5


def test_nothing_read_gives_no_figures(tmp_path: Path) -> None:
    """Protects: after a change of everything the card shows no figure rather than an old one."""
    assert figures({"a": "Yes."}, tmp_path) == {}
