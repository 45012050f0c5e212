"""Whether a question behind an experiment is about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tutor.chat import Tutor
from tutor.engines.large_encoder import WEIGHTS
from tutor.engines.wheels import sha256_of
from tutor.evaluation.fit_about import load_labelled
from tutor.experiments.about import FITTED, SUBJECTS, load_about


def test_it_was_fitted_on_the_encoder_that_ships() -> None:
    """Protects: an encoder trained anew behind which nobody ran `make calibrate`."""
    with np.load(FITTED) as fitted:
        assert str(fitted["encoder"]) == sha256_of(WEIGHTS)


def test_every_subject_has_questions_behind_every_experiment() -> None:
    """Protects: a typo in a label; an experiment with questions of one kind only, from which none can be told from another."""
    rows = load_labelled()
    assert {(row.experiment, row.subject) for row in rows} == {
        (experiment, subject) for experiment in {row.experiment for row in rows} for subject in SUBJECTS
    }


@pytest.mark.parametrize("line", ["unknown\trun\twhy?", "lora\tmaybe\twhy?", "lora\trun"])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    """The error tells the line."""
    path = tmp_path / "about.tsv"
    path.write_text(f"# comment\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r":2: expected|not enough values"):
        load_labelled(path)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    """Better no start than answers about the wrong thing."""
    np.savez(tmp_path / "about.npz", weights=np.zeros((2, 5)), bias=np.zeros(2))
    with pytest.raises(ValueError, match="make calibrate"):
        load_about(None, tmp_path / "about.npz")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("whats that last column supposed to mean", "run"),
        ("so in your test the small one even won, how come", "run"),
        ("the first time we did it, was the score higher than now?", "both"),
        ("what does the GPTQ paper say about it", "notes"),
        ("can i do the same with a 70B model on my laptop?", "notes"),
    ],
)
def test_new_questions_are_told_apart(real_tutor: Tutor, question: str, about: str) -> None:
    """Protects: a follow-up on a run hears what was measured, and another question what the notes say."""
    assert real_tutor.about is not None and real_tutor.about.read(question) == about
