"""How long a start takes: to the page, to the first answers, until all is loaded."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tutor.errors import TutorError
from tutor.read_ahead import ANSWERING, READY

_ROOT = Path(__file__).parents[2]


def start_seconds() -> tuple[float, float, float]:
    """From the command to the page over HTTP, to the first questions answered, and until all is loaded, the cache being warm."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=_ROOT,
        env={**os.environ, "GRADIO_SERVER_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    try:
        page = _answers_after(f"http://127.0.0.1:{port}/", began)
        answering = 0.0
        for line in server.stderr:
            if ANSWERING in line:
                answering = time.perf_counter() - began
            if READY in line:
                return page, answering, time.perf_counter() - began
        raise TutorError("The page ended before it was ready; run `make run` to see why.")
    finally:
        server.terminate()
        server.wait(10)


def _answers_after(url: str, began: float) -> float:
    """Seconds from `began` until the address answers; raises TutorError after two minutes."""
    while time.perf_counter() - began < 120:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return time.perf_counter() - began
        except OSError:
            time.sleep(0.05)
    raise TutorError("The page did not come up within two minutes; run `make run` to see why.")
