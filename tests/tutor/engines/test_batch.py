"""Learners' passes run together, each gets its own, and nobody waits for another's whole answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
import torch

from tests.waiting import SECONDS, until
from tutor.engines.batch import ROWS, Batch
from tutor.engines.decoder import Decoder, Lane, Pass


class Recorder:
    """A decoder whose logits are the pass's last token; `gate` holds it back until a test lets it run."""

    apart = True

    def __init__(self) -> None:
        self.steps: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False
        self.released = 0

    def lane(self, capacity: int) -> Lane:
        raise NotImplementedError

    def run(self, passes: Sequence[Pass]) -> list[torch.Tensor]:
        self.gate.wait(5)
        if self.broken:
            raise MemoryError("no room")
        self.steps.append([len(one.tokens) for one in passes])
        return [torch.full((one.keep, 1), float(one.tokens[-1])) for one in passes]

    def release(self) -> None:
        self.released += 1


def a_pass(*tokens: int, keep: int = 1) -> Pass:
    return Pass(cast(Any, None), tokens, 0, keep)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def batch(recorder: Recorder) -> Batch:
    return Batch(cast(Decoder, recorder))


def at_once(batch: Batch, recorder: Recorder, passes: Sequence[Pass]) -> list[list[float]]:
    """Run each pass from a thread of its own, all of them waiting behind one that is being computed."""
    results: list[list[float]] = [[] for _ in passes]

    def ask(i: int) -> None:
        results[i] = batch.run([passes[i]])[0].flatten().tolist()

    recorder.gate.clear()
    first = threading.Thread(target=lambda: batch.run([a_pass(0)]))
    first.start()
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(passes))]
    for thread in threads:
        thread.start()
    until(lambda: len(batch._waiting) == len(passes) + 1)
    recorder.gate.set()
    for thread in (first, *threads):
        thread.join(5)
    return results


def ended(work: Callable[[], object]) -> None:
    """Do the work, raise what it raises, and fail if it never ends."""
    errors: list[BaseException] = []

    def noted() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = threading.Thread(target=noted, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive(), "it never ends"
    if errors:
        raise errors[0]


def test_those_who_wait_run_in_one_step(batch: Batch, recorder: Recorder) -> None:
    """Eight learners' next tokens cost one pass, and each gets the answer to its own."""
    results = at_once(batch, recorder, [a_pass(n) for n in range(1, 9)])
    assert results == [[float(n)] for n in range(1, 9)]
    assert recorder.steps == [[1], [1] * 8]


def test_a_long_prompt_is_read_in_pieces_between_others(batch: Batch, recorder: Recorder) -> None:
    """Short passes never wait for more than one piece of somebody's prompt."""
    prompt = a_pass(*range(1, ROWS + 101))
    results = at_once(batch, recorder, [prompt, a_pass(7)])
    assert results == [[float(ROWS + 100)], [7.0]]
    assert sorted(recorder.steps[1]) == [1, ROWS - 1] and recorder.steps[2] == [101]


@pytest.mark.parametrize(("size", "keep"), [(ROWS + 50, ROWS + 50), (ROWS + 8, ROWS - 2)])
def test_a_long_text_that_is_scored_comes_whole(batch: Batch, recorder: Recorder, size: int, keep: int) -> None:
    """Protects: what is kept is not cut, however long, one such text a step, and it waits for ever neither alone nor beside others."""
    text = a_pass(*range(1, size + 1), keep=keep)
    assert at_once(batch, recorder, [text, a_pass(7), text]) == [[float(size)] * keep, [7.0], [float(size)] * keep]
    assert [sorted(step) for step in recorder.steps] == [[1], [1, size], [size]]


def test_a_pass_of_no_tokens_is_refused(batch: Batch) -> None:
    """Protects: a request that no step could take would keep a core busy for ever."""
    with pytest.raises(ValueError, match="at least one token"):
        ended(lambda: batch.run([a_pass(1), a_pass()]))
    assert batch._waiting == []


def test_a_step_that_can_take_nothing_is_an_error(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: were the rules for a step ever to shut somebody out, the learner hears of it, and nobody loops."""
    monkeypatch.setattr("tutor.engines.batch._share", lambda request, room, first: 0)
    with pytest.raises(RuntimeError, match="no pass can be run"):
        ended(lambda: batch.run([a_pass(1)]))
    assert batch._waiting == []


def test_pieces_keep_positions_and_only_the_last_has_logits(batch: Batch, recorder: Recorder) -> None:
    """A prompt in pieces is the same prompt."""
    seen: list[tuple[int, int, int]] = []
    run = recorder.run

    def noted(passes: Sequence[Pass]) -> list[torch.Tensor]:
        seen.extend((one.position, len(one.tokens), one.keep) for one in passes)
        return run(passes)

    recorder.run = noted  # type: ignore[method-assign]
    logits = batch.run([Pass(cast(Any, None), list(range(2 * ROWS + 5)), 40, keep=2)])[0]
    assert seen == [(40, ROWS, 0), (40 + ROWS, ROWS, 0), (40 + 2 * ROWS, 5, 2)]
    assert logits.shape == (2, 1)


def test_patient_passes_wait_for_everybody(batch: Batch, recorder: Recorder) -> None:
    """Reading ahead never delays a learner by more than a step that has begun."""
    recorder.gate.clear()
    threads = [
        threading.Thread(target=lambda: batch.run([a_pass(1, 1)])),
        threading.Thread(target=lambda: batch.run([a_pass(2, 2, 2)], patient=True)),
        threading.Thread(target=lambda: batch.run([a_pass(3)])),
    ]
    for n, thread in enumerate(threads):
        thread.start()
        until(lambda n=n: len(batch._waiting) == n + 1)
    recorder.gate.set()
    for thread in threads:
        thread.join(5)
    assert recorder.steps == [[2], [1], [3]]


def test_an_error_reaches_those_who_asked_and_nobody_else(batch: Batch, recorder: Recorder) -> None:
    """A failed step fails its learners; the next one finds a working batch."""
    recorder.broken = True
    with pytest.raises(MemoryError):
        batch.run([a_pass(1)])
    recorder.broken = False
    assert batch.run([a_pass(2)])[0].item() == 2.0 and batch._waiting == []


def test_several_passes_of_one_caller_come_back_in_order(batch: Batch) -> None:
    """Notes that are read together keep their order; one without logits has none."""
    rows = batch.run([a_pass(4), a_pass(5, keep=0), a_pass(6, 7)])
    assert [row.flatten().tolist() for row in rows] == [[4.0], [], [7.0]]


def test_a_class_stays_together(batch: Batch, recorder: Recorder) -> None:
    """Whoever was in the last step is waited for, so that a class does not fall apart into steps of one."""
    run = recorder.run

    def slow(passes: Sequence[Pass]) -> list[torch.Tensor]:
        time.sleep(0.2)
        return run(passes)

    recorder.run = slow  # type: ignore[method-assign]

    def learn() -> None:
        lane = cast(Lane, object())
        for n in range(4):
            assert batch.ask(Pass(lane, [n], n), lambda logits: int(logits[-1, 0])) == n
        batch.leave(lane)

    learners = [threading.Thread(target=learn) for _ in range(4)]
    for learner in learners:
        learner.start()
    for learner in learners:
        learner.join(10)
    # Whoever came first may have gone ahead once; from then on all go together until that one is done.
    assert sum(len(step) for step in recorder.steps) == 16 and len(recorder.steps) <= 6
    assert recorder.steps.count([1] * 4) >= 2


def test_nobody_waits_for_a_text_that_is_over(batch: Batch) -> None:
    """An answer that ends or is stopped delays no other."""
    lane = cast(Lane, object())
    batch.ask(Pass(lane, [1], 0), lambda logits: None)
    assert batch._expected == {id(lane)}
    batch.leave(lane)
    assert batch._expected == set()


def test_memory_goes_back_when_nobody_is_left(batch: Batch, recorder: Recorder) -> None:
    """Protects: tables of a class that went home, and of the last answer; between one text's steps they are kept."""
    one, other = cast(Lane, object()), cast(Lane, object())
    batch.ask(Pass(one, [1], 0), lambda logits: None)
    batch.ask(Pass(one, [2], 1), lambda logits: None)
    batch._expected.add(id(other))
    batch.leave(other)
    assert recorder.released == 0
    batch.leave(one)
    assert recorder.released == 1
    batch.run([a_pass(3)])
    assert recorder.released == 2
