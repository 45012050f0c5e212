"""One thread for all tensor work of the process.

OpenMP gives each thread that ever ran a parallel loop, be it a copy, workers of its own. While all threads so known outnumber the cores, GNU's libgomp
(libgomp/env.c: gomp_throttled_spin_count_var) puts workers to sleep after each loop instead of letting them spin for a while, and a decoder's pass, which has
hundreds of loops, takes half as long again. So one thread does it all: loading, copying, passes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
_NAME = "tensors"


def on_tensor_thread(work: Callable[[], T]) -> T:
    """Run the work on the tensor thread, one after another with everyone else's, and return or raise what it does."""
    return work() if _here() else _thread().submit(work).result()


def _here() -> bool:
    return threading.current_thread().name.startswith(_NAME)


def leave_cores_to_tensors() -> None:
    """Let numpy's BLAS use one thread: its workers would spin after each small product, on the cores that the next pass needs."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=_NAME)


@dataclass
class _Asked(Generic[A, B]):
    item: A
    results: tuple[B, ...] = ()  # one, once it is there


class Together(Generic[A, B]):
    """Small work that a class's threads ask for at the same moment, done as one: whose turn it is takes along all who wait by then."""

    def __init__(self, work: Callable[[Sequence[A]], Sequence[B]]) -> None:
        """`work` gives one result for each item; it runs on the tensor thread."""
        self._work = work
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._waiting: list[_Asked[A, B]] = []

    def ask(self, item: A) -> B:
        """The result for one item; raises what the work raises."""
        if _here():
            return self._work([item])[0]
        asked: _Asked[A, B] = _Asked(item)
        with self._lock:
            self._waiting.append(asked)
        with self._turn:
            if not asked.results:
                on_tensor_thread(lambda: self._run(asked))
        return asked.results[0]

    def _run(self, leader: _Asked[A, B]) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, []
        try:
            for asked, result in zip(taken, self._work([asked.item for asked in taken]), strict=True):
                asked.results = (result,)
        finally:
            # Where the work failed, the others try on their own.
            with self._lock:
                self._waiting += [asked for asked in taken if not asked.results and asked is not leader]
