"""Judges of a single mind, for tests of routing."""

from __future__ import annotations

from tutor.requests.manner import Judged


def wish(text: str) -> Judged:
    """Takes everything for a wish for a run."""
    return Judged({"run": 0.9, "question": 0.1}, {"stages": 0.9, "rag": 0.1})


def doubt(text: str) -> Judged:
    """Takes everything for a question."""
    return Judged({"question": 0.95, "run": 0.05}, {"stages": 0.9})
