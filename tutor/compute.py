"""One thread for all tensor work of the process.

OpenMP gives each thread that runs a parallel loop workers of its own, which spin for a while after it. On two cores the workers of
eight learners' threads would take each other's time; one thread has one set of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")
_NAME = "tensors"


def on_tensor_thread(work: Callable[[], T]) -> T:
    """Run the work on the tensor thread, one after another with everyone else's, and return or raise what it does."""
    if threading.current_thread().name.startswith(_NAME):
        return work()
    return _thread().submit(work).result()


def leave_cores_to_tensors() -> None:
    """Let numpy's BLAS use one thread: its workers would spin after each small product, on the cores that the next pass needs."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=_NAME)
