"""All tensor work of the process runs on one thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from tests.waiting import SECONDS, until
from tutor.compute import Together, in_passing, leave_cores_to_tensors, on_tensor_thread


def test_passing_work_leaves_no_thread_behind() -> None:
    """Protects: the tensor thread stays free while a model is read, and nothing of that thread is left to compete with it."""
    worked = in_passing(threading.current_thread)
    assert worked is not on_tensor_thread(threading.current_thread) and not worked.is_alive()
    with pytest.raises(ZeroDivisionError):
        in_passing(lambda: 1 // 0)


def test_every_caller_works_on_the_same_thread() -> None:
    """Protects: learners' threads with OpenMP workers of their own, which take each other's time."""
    found: list[int] = []
    callers = [threading.Thread(target=lambda: found.append(on_tensor_thread(threading.get_ident))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 4 and len(set(found)) == 1
    assert found[0] != threading.get_ident()


def test_work_within_work_does_not_wait_for_itself() -> None:
    """Protects: a nested call, which would wait for the thread that it runs on."""
    assert on_tensor_thread(lambda: on_tensor_thread(lambda: 7)) == 7


def test_an_error_reaches_the_caller() -> None:
    """Protects: errors lost on another thread."""
    with pytest.raises(ZeroDivisionError):
        on_tensor_thread(lambda: 1 // 0)


def test_numpy_leaves_the_cores_to_tensors() -> None:
    """Protects: two learners' searches do not wait for BLAS workers that spin."""
    from threadpoolctl import threadpool_info

    leave_cores_to_tensors()
    assert all(pool["num_threads"] == 1 for pool in threadpool_info() if pool["user_api"] == "blas")


def test_what_waits_is_done_together() -> None:
    """Protects: eight learners' small questions are one pass, not eight; each gets its own answer."""
    lots: list[list[int]] = []
    busy = threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        lots.append(list(items))
        busy.wait(SECONDS)
        return [item * 10 for item in items]

    together = Together(work)
    results: dict[int, int] = {}
    learners = [threading.Thread(target=lambda i=i: results.update({i: together.ask(i)})) for i in range(8)]
    learners[0].start()
    until(lambda: lots)
    for learner in learners[1:]:
        learner.start()
    until(lambda: len(together._waiting) == 7)
    busy.set()
    for learner in learners:
        learner.join(SECONDS)
    assert results == {i: i * 10 for i in range(8)}
    assert [len(lot) for lot in lots] == [1, 7]


def test_one_bad_item_spoils_no_other() -> None:
    """Protects: a learner whose text cannot be read gets the error, alone, whoever leads the lot that the text is in."""
    lots: list[list[int]] = []
    busy = threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        lots.append(list(items))
        busy.wait(SECONDS)
        return [10 // item for item in items]

    together = Together(work)
    results: dict[int, int | str] = {}

    def ask(item: int) -> None:
        try:
            results[item] = together.ask(item)
        except ZeroDivisionError:
            results[item] = "error"

    learners = [threading.Thread(target=ask, args=(item,), daemon=True) for item in (5, 1, 0, 2)]
    for n, learner in enumerate(learners):
        learner.start()
        until(lambda n=n: lots and len(together._waiting) == n)
    busy.set()
    for learner in learners:
        learner.join(SECONDS)
    assert results == {0: "error", 1: 10, 2: 5, 5: 2}
    assert lots == [[5], [1, 0, 2], [1], [0], [2]] and together._waiting == []
