"""One thread for the tensor work behind all answers; `Together` does there as one what several learners ask for at the same moment.

OpenMP gives each thread that ever ran a parallel loop, be it a copy, workers of its own. While all threads so known outnumber the cores, GNU's libgomp
(libgomp/env.c: gomp_throttled_spin_count_var) puts workers to sleep after each loop instead of letting them spin for a while, and a decoder's pass, which has
hundreds of loops, takes half as long again. So one thread does it all: loading, copying, passes.

Experiments are the exception. One runs at a time, and loads, copies and computes in the thread that asked for it (tutor/experiments/specimens.py, demos/), so that
answers need not wait for it; until that thread ends, they are slower.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Generic, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
_NAME = "tensors"


def on_tensor_thread(work: Callable[[], T]) -> T:
    """Run the work on the tensor thread, one after another with everyone else's, and return or raise what it does."""
    return work() if _here() else _thread().submit(work).result()


def begin_on_tensor_thread(work: Callable[[], T]) -> Future[T]:
    """Run the work there once the thread is free, while the caller goes on with what needs no tensors."""
    return _thread().submit(work)


def in_passing(work: Callable[[], T]) -> T:
    """Run the work in a thread of its own and wait; whatever workers it gets end with it, so that later passes do not compete with them."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised for whoever waits
            done.set_exception(error)

    # A daemon, so that a process that was told to end does not wait for weights to be loaded.
    alone = threading.Thread(target=run, name="passing", daemon=True)
    alone.start()
    alone.join()
    return done.result()


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
    told: Future[B] = field(default_factory=Future)


class Together(Generic[A, B]):
    """Small work that a class's threads ask for at the same moment, done as one: whose turn it is takes along all who wait by then."""

    def __init__(self, work: Callable[[Sequence[A]], Sequence[B]]) -> None:
        """`work` gives one result for each item; it runs on the tensor thread."""
        self._work = work
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._waiting: list[_Asked[A, B]] = []

    def ask(self, item: A) -> B:
        """The result for one item; raises what the work raises for this item by itself."""
        if _here():
            return self._work([item])[0]
        asked: _Asked[A, B] = _Asked(item)
        with self._lock:
            self._waiting.append(asked)
        with self._turn:
            if not asked.told.done():
                on_tensor_thread(self._run)
        return asked.told.result()

    def _run(self) -> None:
        """Tell everyone who waits a result or an error."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        if len(taken) > 1 and self._told_as_one(taken):
            return
        for asked in taken:
            try:
                (result,) = self._work([asked.item])
            except BaseException as error:  # noqa: BLE001 - for whoever asked, not for whoever leads
                asked.told.set_exception(error)
            else:
                asked.told.set_result(result)

    def _told_as_one(self, taken: Sequence[_Asked[A, B]]) -> bool:
        """False if the work fails: which item is to blame shows when each runs by itself."""
        try:
            pairs = list(zip(taken, self._work([asked.item for asked in taken]), strict=True))
        except BaseException:  # noqa: BLE001 - comes again with the item that is to blame
            return False
        for asked, result in pairs:
            asked.told.set_result(result)
        return True
