"""Keys and values of texts already read, to be read no second time, by whichever learner."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from tutor.engines.decoder import Stretch, cut

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Read:
    """What reading a text left: keys and values, and the logits (vocabulary,) after its last token where they are known."""

    stretch: Stretch
    logits: torch.Tensor | None = None

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.stretch)


class Store:
    """Least recently used texts, at most `limit_mb` of keys and values. What it holds is never written to."""

    def __init__(self, limit_mb: int) -> None:
        self._limit = limit_mb * 1_000_000
        self._bytes = 0
        self._entries: OrderedDict[Hashable, Read] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Read | None:
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, key: Hashable, read: Read) -> bool:
        """Keep it; older ones leave when the limit is passed. False if it is larger than the limit."""
        with self._lock:
            if key in self._entries:
                return True
            if read.nbytes > self._limit:
                return False
            self._entries[key] = read
            self._bytes += read.nbytes
            while self._bytes > self._limit:
                _, left = self._entries.popitem(last=False)
                self._bytes -= left.nbytes
            return True

    @property
    def megabytes(self) -> float:
        return self._bytes / 1e6

    @property
    def is_nearly_full(self) -> bool:
        return self._bytes > 0.9 * self._limit


class PrefixStore(Store):
    """Texts by their tokens; a new text finds the longest beginning that it shares with one of them."""

    def longest(self, tokens: Sequence[int]) -> tuple[int, Read | None]:
        """How many tokens need not be read, and what reading them left.

        The logits come along only for a whole stored text; inside one they were not kept, so its last token is left to run.
        """
        with self._lock:
            best: tuple[int, ...] = ()
            length = 0
            for known in self._entries:
                assert isinstance(known, tuple)
                common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(known, tokens, strict=False)))
                if common > length:
                    best, length = known, common
            if not length:
                return 0, None
            self._entries.move_to_end(best)
            found = self._entries[best]
        if length == len(best):
            return length, found
        if length == len(tokens):
            length -= 1
        return (length, Read(cut(found.stretch, length))) if length else (0, None)
