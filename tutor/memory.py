"""What was freed goes back to the operating system.

glibc keeps what a thread frees for that thread's next allocations, in an arena of its own for up to eight threads a core, and gives memory back only from an arena's end, where something small
most often still lies. An experiment frees hundreds of megabytes, and the page runs the next one in another thread, so that each arena came to hold as much.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Return all freed pages of all arenas (malloc_trim(3), https://man7.org/linux/man-pages/man3/malloc_trim.3.html); nothing happens where the C library has no such function."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
