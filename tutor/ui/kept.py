"""Files that the page keeps and serves: figures, and the raw numbers of runs. A message links to its run, and is found again so."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import quote, unquote

from tutor.events import DemoFinished
from tutor.experiments import runs
from tutor.experiments.runs import Run

# Only what the page writes itself: a learner's "<" reaches the conversation escaped.
_LINK = re.compile(r'<a href="gradio_api/file=(?P<path>[^"]+\.json)"')


def figures(cache: Path) -> Path:
    """Where figures are kept."""
    return cache / "figures"


def run_files(cache: Path) -> Path:
    """Where runs are kept."""
    return cache / "runs"


def served(cache: Path) -> list[str]:
    """The folders whose files a browser may fetch."""
    return [str(figures(cache)), str(run_files(cache))]


def address(path: Path) -> str:
    """Where the browser finds a kept file."""
    return f"gradio_api/file={quote(str(path))}"


def save_figure(cache: Path, finished: DemoFinished) -> Path | None:
    """Keep the figure under the hash of its content, if there is one."""
    figure = finished.result.figure
    if figure is None:
        return None
    figures(cache).mkdir(parents=True, exist_ok=True)
    path = figures(cache) / f"{finished.call.name}-{hashlib.sha256(figure).hexdigest()[:10]}.png"
    path.write_bytes(figure)
    return path


def save_run(cache: Path, run: Run) -> Path:
    """Keep the run's raw numbers."""
    return runs.save(run, run_files(cache))


def find_run(cache: Path, text: str) -> Run | None:
    """The run that a message links to. Of the link only the file's name counts: nothing outside the cache is ever read."""
    found = _LINK.search(text)
    return runs.load(run_files(cache), Path(unquote(found["path"])).name) if found else None
