"""What README prints works as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_a_teachers_own_notes_answer(tmp_path: Path) -> None:
    """The example for TUTOR_KNOWLEDGE: the file loads, and the question is answered from it."""
    (block,) = (
        b for b in re.findall(r"```\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL) if "my-notes" in b
    )
    block = block.replace("~/my-notes", str(tmp_path / "my-notes")).replace(".venv/bin/python", sys.executable)
    run = subprocess.run(["bash", "-ec", block], cwd=README.parent, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert "One epoch shows the model every training example once" in run.stdout and "epoch-vs-step#" in run.stdout
    assert "left out" not in run.stderr
