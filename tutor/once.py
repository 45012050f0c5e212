"""Something heavy that is opened by whoever needs it first, and then is there for all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tutor.errors import TutorError

T = TypeVar("T")


class Once(Generic[T]):
    """Thread-safe. What failed to open is not tried again: each who needs it is told why at once."""

    def __init__(self, opens: Callable[[], T]) -> None:
        self._opens, self._lock = opens, threading.Lock()
        self._failed: TutorError | None = None
        self.opened: T | None = None
        """None until it is open."""

    def get(self) -> T:
        """Open it, if it is not yet. Raises the TutorError that opening raises or once raised."""
        with self._lock:
            if self._failed is not None:
                raise self._failed.with_traceback(None)  # which would grow with each who is told
            if self.opened is None:
                try:
                    self.opened = self._opens()
                except TutorError as error:
                    self._failed = error
                    raise
            return self.opened
