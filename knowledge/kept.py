"""Files that a start keeps for the next one: written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def keep(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make the file elsewhere in the folder, then put it in the place of what was there. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / path.name
        write(part)
        os.replace(part, path)
