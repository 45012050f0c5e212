"""Runs as sources: what is kept of them, and what is read back."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from demos.base import DemoResult, Table
from tutor.experiments.runs import Run, load, make_run, mark_of, run_note, save

RESULT = DemoResult(
    "Perplexity goes from 31.0 to 40.8: worse.", Table(("Measure", "Value"), (("Size (MB)", "116.4"),)), {"kl": 0.25}
)


@pytest.fixture
def run() -> Run:
    """A run with an awkward question."""
    return make_run("fake", "A fake", {"bits": 4, "layers": "all"}, 0, "Tiny", RESULT, "Why's <b> it\n`rm`?")


def test_a_run_is_read_back_as_it_was(run: Run, tmp_path: Path) -> None:
    """The file holds the whole run, and the same run is the same file."""
    path = save(run, tmp_path)
    assert load(tmp_path, path.name) == run and save(run, tmp_path) == path
    values = json.loads(path.read_text(encoding="utf-8"))
    wanted = {"name", "params", "seed", "versions", "metrics", "table", "summary", "question", "command"}
    assert wanted <= set(values) and {"torch", "transformers", "model"} <= set(values["versions"])


def test_a_changed_file_is_not_believed(run: Run, tmp_path: Path) -> None:
    """Content and name must agree, so that a number cannot be slipped into a conversation."""
    path = save(run, tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("40.8", "10.8"), encoding="utf-8")
    assert load(tmp_path, path.name) is None


@pytest.mark.parametrize(
    "name", ["../secret.json", "/etc/passwd", "", "fake.json", "fake-0123456789abcdef.json", "\x00"]
)
def test_nothing_else_is_read(tmp_path: Path, name: str) -> None:
    """Only names of kept runs are looked up, and only in the folder."""
    folder = tmp_path / "runs"
    folder.mkdir()
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    assert load(folder, name) is None


def test_a_link_out_of_the_folder_is_not_followed(run: Run, tmp_path: Path) -> None:
    """A symbolic link with a run's name leads nowhere."""
    outside = save(run, tmp_path / "outside")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / outside.name).symlink_to(outside)
    assert load(tmp_path / "runs", outside.name) is None


def test_the_command_survives_a_shell(run: Run) -> None:
    """Whatever the learner's question holds, it stays one argument."""
    words = shlex.split(run.command)
    assert words[:5] == ["python", "-m", "tutor", "demo", "fake"] and "--bits=4" in words
    assert f"--question={run.question}" in words


def test_a_run_is_cited_by_its_label(run: Run) -> None:
    """Notes are cited by number, runs by label."""
    note = run_note(run, 2, "cats-vs-dogs", ())
    assert mark_of(5, note) == "R2" and note.passage.sentences == (RESULT.summary,)
