"""All tensor work of the process runs on one thread."""

from __future__ import annotations

import threading

import pytest

from tutor.compute import leave_cores_to_tensors, on_tensor_thread


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
