"""gradio is imported whole, and faster."""

from __future__ import annotations

import subprocess
import sys

COUNTING = """
import ast, inspect
parsed, parse, told = [], ast.parse, inspect.getfile
ast.parse = lambda *a, **k: (parsed.append(1), parse(*a, **k))[1]
from tutor.ui.stubs import unwritten_stubs
with unwritten_stubs():
    import gradio
assert inspect.getfile is told and inspect.getfile(gradio.Chatbot).endswith(".py")
assert gradio.Chatbot().like and gradio.Textbox().submit
print(len(parsed))
"""


def test_no_stub_is_written() -> None:
    """Protects: a start whose import of gradio takes half as long again, parsing its sources, or that lacks a component or its events."""
    done = subprocess.run([sys.executable, "-c", COUNTING], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20  # of more than eighty
