"""The embedded model before it is loaded: what is decided without it is chosen at once, and whoever needs it first loads it.

Most first answers of a start are of that kind (tutor/engines/choosing.py), so a learner need not wait for half of what a start loads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from tutor.engines.base import Branch, Grammar, Message
from tutor.engines.choosing import foregone
from tutor.engines.local import LocalEngine


class LazyEngine:
    """Thread-safe; what fails to load raises for each learner who needs it, and is tried again for the next."""

    def __init__(self, name: str, load: Callable[[], LocalEngine]) -> None:
        self.name = name
        self._load, self._lock = load, threading.Lock()
        self._loaded: LocalEngine | None = None

    def load(self) -> LocalEngine:
        """The model, loaded now if it is not yet. Raises EngineError with a next step."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def choose(self, messages: Sequence[Message], grammar: Grammar) -> Iterator[Branch]:
        chosen: tuple[Branch, ...] = ()
        while self._loaded is None and (branch := foregone(grammar(chosen))) is not None:
            chosen += (branch,)
            yield branch
            if not branch.text:
                return
        yield from self.load().choose(messages, grammar, chosen)

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        yield from self.load().write(messages, max_new_tokens=max_new_tokens)

    def count(self, text: str) -> int:
        return self.load().count(text)
