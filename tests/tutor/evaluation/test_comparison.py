"""The comparison of ways to answer can be repeated."""

from __future__ import annotations

import json

from tutor.evaluation.comparison import LABELS, figures, questions


def test_the_questions_are_those_that_were_judged() -> None:
    """Protects: a repetition on other questions, whose figures would stand beside the judged ones."""
    judged = {json.loads(line)["id"] for line in LABELS.read_text(encoding="utf-8").splitlines()}
    assert {row["id"] for row in questions()} == judged and len(questions()) == 150
    assert all(found["answers"] == 150 for found in figures().values())
