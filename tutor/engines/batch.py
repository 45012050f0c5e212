"""Passes of several learners run as one: whoever comes first leads, and takes along all who wait.

There is no thread of its own and no queue to fall behind: a learner who stops asks for no further pass, and that is all. Long prompts
are read in pieces, so that the others' next token waits for one piece at most. A class stays together because the leader gives those
who were in the last step a moment to come back with their next tokens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tutor.compute import on_tensor_thread
from tutor.engines.decoder import Decoder, Lane, Pass

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

ROWS = 192  # tokens a step; more only where a text of more is scored, which comes of one step
_SHORT = 16  # up to which a pass is somebody's next words, not a prompt
_GATHER = 0.5  # of the time that the last step took: how long a leader waits for those who were in it


@dataclass(eq=False)
class _Request:
    whole: Pass
    patient: bool
    read: Callable[[torch.Tensor], Any]
    returns: bool = False
    at: int = 0
    result: Any = None
    error: BaseException | None = None
    over: bool = False

    @property
    def left(self) -> int:
        return len(self.whole.tokens) - self.at

    @property
    def long(self) -> bool:
        return self.left > _SHORT


class Batch:
    """One decoder for many learners' threads."""

    def __init__(self, decoder: Decoder, together: bool = True) -> None:
        self._decoder, self._together = decoder, together
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)  # the leader waits for company
        self._stepped = threading.Condition(self._lock)  # the others wait for the leader
        self._led = False
        self._waiting: list[_Request] = []
        self._last = 0
        self._expected: set[int] = set()  # the lanes of the last step that come back
        self._patience = 0.0  # until when they are waited for

    @property
    def company(self) -> int:
        """How many passes ran together in the last step, at least one."""
        return max(1, self._last)

    def run(self, passes: Sequence[Pass], patient: bool = False) -> list[torch.Tensor]:
        """The logits of each pass, as `Decoder.run` gives them. Patient passes run only while no others wait.

        Raises ValueError for a pass of no tokens, and what the decoder raises, as `ask` does.
        """
        return self._wait([_Request(one, patient, lambda logits: logits) for one in passes])

    def ask(self, one: Pass, read: Callable[[torch.Tensor], T]) -> T:
        """What `read` makes of one pass's logits, on the tensor thread; the lane's next pass follows soon, or `leave`."""
        result: T = self._wait([_Request(one, False, read, returns=True)])[0]
        return result

    def leave(self, lane: Lane) -> None:
        """Nobody need wait for this lane any longer."""
        with self._lock:
            self._expected.discard(id(lane))
            self._arrived.notify()
            self._rest()

    def _wait(self, requests: Sequence[_Request]) -> list[Any]:
        for request in requests:
            if not request.left:
                raise ValueError(f"a pass needs at least one token, got {request.whole.tokens!r}")
        with self._lock:
            self._waiting += requests
            self._arrived.notify()
        try:
            while True:
                with self._lock:
                    self._stepped.wait_for(lambda: not self._led or all(request.over for request in requests))
                    if all(request.over for request in requests):
                        break
                    self._led = True
                self._step()
        except BaseException:
            with self._lock:
                self._waiting = [request for request in self._waiting if request not in requests]
            raise
        for request in requests:
            if request.error is not None:
                raise request.error
        return [request.result for request in requests]

    def _step(self) -> None:
        """Run one pass of the decoder over what waits: short ones whole, long ones' next pieces, up to about ROWS tokens."""
        taken: list[tuple[_Request, int]] = []
        error: BaseException | None = None
        began = time.monotonic()
        try:
            taken = self._take()
            began = time.monotonic()
            try:
                on_tensor_thread(lambda: self._compute(taken))
            except BaseException as raised:  # noqa: BLE001 - handed to those who asked, the leader among them
                error = raised
        finally:
            over = [request for request, _ in taken if error or not request.left]
            self._finish(over, error, time.monotonic() - began)

    def _take(self) -> list[tuple[_Request, int]]:
        with self._lock:
            if self._together and self._expected:
                self._arrived.wait_for(self._complete, max(0.0, self._patience - time.monotonic()))
            eager = [request for request in self._waiting if not request.patient] or self._waiting[:1]
            if not self._together:
                eager = eager[:1]
            taken: list[tuple[_Request, int]] = []
            room = ROWS
            for request in sorted(eager, key=lambda request: request.long):
                n = _share(request, room, first=not any(other.long for other, _ in taken))
                if n:
                    taken.append((request, n))
                    room -= n
            if not taken:
                raise RuntimeError(f"no pass can be run of {len(self._waiting)} that wait")
            self._last = len(taken)
            return taken

    def _complete(self) -> bool:
        return self._expected <= {id(request.whole.lane) for request in self._waiting}

    def _compute(self, taken: Sequence[tuple[_Request, int]]) -> None:
        results = self._decoder.run([_piece(request, n) for request, n in taken])
        for (request, n), logits in zip(taken, results, strict=True):
            request.at += n
            if not request.left:
                request.result = request.read(logits)

    def _finish(self, over: Sequence[_Request], error: BaseException | None, took: float) -> None:
        with self._lock:
            self._waiting = [request for request in self._waiting if request not in over]
            for request in over:
                request.error, request.over = error, True
            self._expected = {id(request.whole.lane) for request in over if request.returns and error is None}
            self._patience = time.monotonic() + _GATHER * took
            self._led = False
            self._rest()
            self._stepped.notify_all()

    def _rest(self) -> None:
        """Under the lock: where no next step is in sight, the decoder keeps no memory for it."""
        if not (self._led or self._waiting or self._expected):
            self._decoder.release()


def _share(request: _Request, room: int, first: bool) -> int:
    """How many of a request's tokens the next step takes; `first` among the long ones."""
    if request.left <= room:
        return request.left
    # What is kept comes of one step, so it is not cut.
    loose = request.left - request.whole.keep
    if first and request.long and loose < _SHORT:
        return request.left  # whole, at any length: it could wait for ever for a step with that much room
    n = min(loose, room)
    return n if n >= _SHORT else 0


def _piece(request: _Request, n: int) -> Pass:
    whole = request.whole
    last = request.at + n == len(whole.tokens)
    return Pass(
        whole.lane, whole.tokens[request.at : request.at + n], whole.position + request.at, whole.keep if last else 0
    )
