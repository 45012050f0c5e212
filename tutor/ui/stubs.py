"""Importing gradio without the type stubs that it writes for editors.

For each of its components gradio parses the source and compares a stub beside it, at every import (gradio.component_meta.create_or_modify_pyi): a third of the
import, and into a folder that a server may not write to. It leaves out a class whose file cannot be told, so no file is told while it is imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unwritten_stubs() -> Iterator[None]:
    """While gradio's modules are imported; for the main thread, before others start."""
    told = inspect.getfile

    def getfile(thing: Any) -> str:
        if isinstance(thing, type) and thing.__module__.partition(".")[0] == "gradio":
            raise OSError(f"no stub is wanted for {thing.__qualname__}")
        return told(thing)

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = told
