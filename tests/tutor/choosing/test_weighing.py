"""The fitted weights of what is known of a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutor.choosing.weighing import FIRST, Weighing, load_weighing


def test_the_shipped_weights_fit_the_hints() -> None:
    """Protects: a hint added without fitting anew is noticed at the start, and what a teacher said counts for a sentence, also for one that nothing else learned: there each of these is the vote (tutor/choosing/taught.py)."""
    weighing = load_weighing()
    assert len(weighing.first) == len(FIRST)
    assert sum(weighing.first[FIRST.index(name)] for name in ("vote", "learned", "read")) > 0


def test_other_hints_are_refused(tmp_path: Path) -> None:
    """Protects: weights of other hints are not used in silence, and the error says what to run."""
    (tmp_path / "choice.json").write_text('{"first": {"near": 1}}')
    with pytest.raises(ValueError, match="choosing --anew"):
        load_weighing(tmp_path / "choice.json")


def test_fitting_anew_starts_from_the_old_weights(tmp_path: Path) -> None:
    """Protects: fitting anew after a hint was added, or a whole part: what the file lacks weighs 0."""
    (tmp_path / "choice.json").write_text('{"first": {"tuned": 2.0}, "opening": {"yes": 0.5}}')
    weighing = load_weighing(tmp_path / "choice.json", strict=False)
    assert [name for name, weight in zip(FIRST, weighing.first, strict=True) if weight] == ["tuned"]
    assert weighing.yes == 0.5 and not any((*weighing.later, *weighing.end, *weighing.opening))


def test_a_total_needs_a_weight_for_each_hint() -> None:
    """Protects: no hint is dropped by zip."""
    assert Weighing.total((2.0, 3.0), (1.0, -1.0)) == -1.0
    with pytest.raises(ValueError):
        Weighing.total((2.0,), (1.0, 1.0))
