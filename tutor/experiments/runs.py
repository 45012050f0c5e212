"""A run as a source: what an experiment measured, with all that repeats it, kept in a file that is named by its own hash.

Runs are numbered by conversation, [R1], [R2], … A later answer may cite one like a note, so a run can be read as a `Hit`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

from demos.base import DemoResult, Table, Value
from knowledge.passages import Passage, Reference
from knowledge.search import Hit

Mark: TypeAlias = int | str
"""What stands between the brackets of a citation: a note's number, or a run's label."""

_FILE = re.compile(r"[a-z0-9_]+-(?P<digest>[0-9a-f]{16})\.json")
_LAST_PLACE = 4
_LARGEST = 1_000_000  # bytes; a run is a few thousand


@dataclass(frozen=True)
class Run:
    """One finished experiment. `question` is the learner's own, where it was asked of the changed model."""

    name: str
    title: str
    params: Mapping[str, Value]
    seed: int
    versions: Mapping[str, str]
    metrics: Mapping[str, float | int]
    table: Table
    summary: str
    question: str = ""

    @property
    def command(self) -> str:
        """The command line that repeats the run."""
        words = ["python", "-m", "tutor", "demo", self.name]
        words += [f"--{name}={value}" for name, value in self.params.items()]
        words += [f"--seed={self.seed}", *([f"--question={self.question}"] if self.question else []), "--json"]
        return shlex.join(words)

    @property
    def settings(self) -> str:
        """The parameters and the seed as the learner reads them."""
        return f"{listed(self.params)}, seed {self.seed}" if listed(self.params) else f"seed {self.seed}"

    @property
    def wording(self) -> str:
        """Everything that the run says in words and figures; a number quoted from it must stand here."""
        cells = " ".join(cell for row in (self.table.columns, *self.table.rows) for cell in row)
        figures = " ".join(f"{name} {value:g}" for name, value in self.metrics.items())
        return f"{self.title} {self.settings} {self.summary} {cells} {figures}"


@dataclass(frozen=True)
class RunNote(Hit):
    """A run as a note of an answer. `leads` are the sentences that a question about it is first answered with, and `reason` is the one of the notes that then says why, if that is asked."""

    run: Run
    label: str
    leads: tuple[str, ...] = ()
    reason: Reference | None = None

    @property
    def place(self) -> int:
        """Where it counts in the ranking of notes: beside the first, or after those that were found."""
        return 1 if self.leads else _LAST_PLACE


def make_run(
    name: str, title: str, params: Mapping[str, Value], seed: int, model: str, result: DemoResult, question: str
) -> Run:
    """What was just measured, with the versions of what measured it."""
    versions = {package: _version(package) for package in ("torch", "transformers")} | {"model": model}
    return Run(name, title, dict(params), seed, versions, dict(result.metrics), result.table, result.summary, question)


def listed(params: Mapping[str, Value]) -> str:
    """Parameters as the learner reads them; those left empty are not worth a word."""
    return ", ".join(f"{name} {value}" for name, value in params.items() if value != "")


def run_note(
    run: Run, n: int, concept: str, about: tuple[str, ...], leads: tuple[str, ...] = (), reason: Reference | None = None
) -> RunNote:
    """The n-th run of a conversation as a note; `about` are the sides that it says something of. Leads that the summary does not hold, rows of the table, follow it."""
    text = " ".join([run.summary, *(lead for lead in leads if lead not in run.summary)])
    passage = Passage(f"{run.name}#R{n}", concept, run.title, "numbers", about, text, (), ())
    return RunNote(passage, 1.0, 1.0, run, f"R{n}", leads, reason)


def mark_of(n: int, hit: Hit) -> Mark:
    """How the n-th note is cited."""
    return hit.label if isinstance(hit, RunNote) else n


def save(run: Run, folder: Path) -> Path:
    """Write the run under the hash of its content; the same run is the same file."""
    content = json.dumps(asdict(run) | {"command": run.command}, ensure_ascii=False, indent=1).encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run.name}-{_digest(content)}.json"
    path.write_bytes(content)
    return path


def load(folder: Path, file_name: str) -> Run | None:
    """The run in that file of the folder; None unless the name is a run's and the content has the hash that it names."""
    named = _FILE.fullmatch(file_name)
    if named is None:
        return None
    path = folder / file_name
    try:
        if path.is_symlink() or path.stat().st_size > _LARGEST:
            return None
        content = path.read_bytes()
        return _read(json.loads(content)) if _digest(content) == named["digest"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(values: dict[str, Any]) -> Run:
    table = values["table"]
    rows = tuple(tuple(row) for row in table["rows"])
    fields = {name: value for name, value in values.items() if name not in ("table", "command")}
    return Run(**fields, table=Table(tuple(table["columns"]), rows))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
