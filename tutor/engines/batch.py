"""Passes of several learners run as one: whoever comes first leads, and takes along all who wait.

There is no thread of its own and no queue to fall behind: a learner who stops asks for no further pass, and that is all. Long prompts
are read in pieces, so that the others' next token waits for one piece at most.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tutor.compute import on_tensor_thread
from tutor.engines.decoder import Decoder, Pass

if TYPE_CHECKING:
    import torch

ROWS = 192  # tokens a step
_SHORT = 16  # up to which a pass is somebody's next words, not a prompt
_GATHER_S = 0.02  # how long a leader waits for those who were in the last step


@dataclass
class _Request:
    whole: Pass
    patient: bool
    at: int = 0
    logits: torch.Tensor | None = None
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def left(self) -> int:
        return len(self.whole.tokens) - self.at


class Batch:
    """One decoder for many learners' threads."""

    def __init__(self, decoder: Decoder, together: bool = True) -> None:
        self._decoder, self._together = decoder, together
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_Request] = []
        self._arrived = threading.Condition(self._lock)
        self._last = 0

    @property
    def company(self) -> int:
        """How many passes ran together in the last step, at least one."""
        return max(1, self._last)

    def run(self, passes: Sequence[Pass], patient: bool = False) -> list[torch.Tensor]:
        """The logits of each pass, as `Decoder.run` gives them. Patient passes run only while no others wait."""
        requests = [_Request(one, patient) for one in passes]
        with self._lock:
            self._waiting += requests
            self._arrived.notify_all()
        while not all(request.done.is_set() for request in requests):
            with self._turn:
                if all(request.done.is_set() for request in requests):
                    break
                self._step()
        for request in requests:
            if request.error is not None:
                raise request.error
        return [request.logits for request in requests if request.logits is not None]

    def _step(self) -> None:
        """Run one pass of the decoder over what waits: short ones whole, one long one's next piece, up to ROWS tokens."""
        taken = self._take()
        steps = [_piece(request, n) for request, n in taken]
        try:
            results = on_tensor_thread(lambda: self._decoder.run(steps))
        except BaseException as error:  # noqa: BLE001 - handed to those who asked, the leader among them
            self._finish([request for request, _ in taken], error)
            return
        over = []
        for (request, n), logits in zip(taken, results, strict=True):
            request.at += n
            if not request.left:
                request.logits = logits
                over.append(request)
        self._finish(over, None)

    def _take(self) -> list[tuple[_Request, int]]:
        with self._lock:
            if self._together and len(self._waiting) < self._last:
                self._arrived.wait_for(lambda: len(self._waiting) >= self._last, _GATHER_S)
            eager = [request for request in self._waiting if not request.patient] or self._waiting[:1]
            if not self._together:
                eager = eager[:1]
            taken: list[tuple[_Request, int]] = []
            room = ROWS
            for request in sorted(eager, key=lambda request: request.left > _SHORT):
                n = min(request.left, room)
                # What is kept comes of one step, so it is not cut.
                if n and (n == request.left or (n >= _SHORT and request.left - n >= request.whole.keep)):
                    taken.append((request, n))
                    room -= n
            self._last = len(taken)
            return taken

    def _finish(self, requests: Sequence[_Request], error: BaseException | None) -> None:
        with self._lock:
            for request in requests:
                self._waiting.remove(request)
                request.error = error
                request.done.set()


def _piece(request: _Request, n: int) -> Pass:
    whole = request.whole
    last = request.at + n == len(whole.tokens)
    return Pass(
        whole.lane, whole.tokens[request.at : request.at + n], whole.position + request.at, whole.keep if last else 0
    )
