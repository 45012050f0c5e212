"""Waiting for other threads without waiting for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 10.0


def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds; a test whose threads never get there fails instead of hanging."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the other threads never got there"
        time.sleep(0.001)
