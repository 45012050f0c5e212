"""Keys and values of prompts already read, reused for the longest common prefix of the next prompt."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PretrainedConfig


@dataclass
class Prefix:
    """Tokens, their keys and values, and the logits (vocabulary,) after the last one where they are known.

    `cache` holds exactly `len(tokens)` positions.
    """

    tokens: list[int]
    cache: DynamicCache
    logits: torch.Tensor | None = None


class PrefixStore:
    """Least recently used prompts, at most `limit_mb` of keys and values. A stored prefix is never written to."""

    def __init__(self, limit_mb: int) -> None:
        self._limit = limit_mb * 1_000_000
        self._bytes = 0
        self._entries: OrderedDict[tuple[int, ...], tuple[Prefix, int]] = OrderedDict()
        self._lock = threading.Lock()

    def longest(self, prompt: list[int], config: PretrainedConfig) -> Prefix:
        """A private prefix that holds the longest stored beginning of the prompt, possibly none of it."""
        with self._lock:
            best, length = None, 0
            for tokens in self._entries:
                common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(tokens, prompt, strict=False)))
                if common > length:
                    best, length = tokens, common
            if best is None:
                return Prefix([], _empty(config))
            self._entries.move_to_end(best)
            stored = self._entries[best][0]
        if length == len(prompt) < len(stored.tokens):
            length -= 1  # the logits of a position inside a stored prompt were not kept: run its token again
        logits = stored.logits if length == len(stored.tokens) else None
        return Prefix(prompt[:length], _copy(stored.cache, length, config), logits)

    def store(self, prefix: Prefix) -> None:
        """Keep a copy of the prefix; older ones leave when the limit is passed."""
        tokens = tuple(prefix.tokens)
        cache = _copy(prefix.cache, len(tokens), None)
        layers: Any = cache.layers
        size = sum(layer.keys.nbytes + layer.values.nbytes for layer in layers)
        with self._lock:
            if tokens in self._entries or size > self._limit:
                return
            self._entries[tokens] = (Prefix(list(tokens), cache, prefix.logits), size)
            self._bytes += size
            while self._bytes > self._limit:
                _, (_, freed) = self._entries.popitem(last=False)
                self._bytes -= freed


def _empty(config: PretrainedConfig | None) -> DynamicCache:
    from transformers import DynamicCache

    return DynamicCache(config=config) if config is not None else DynamicCache()


def _copy(cache: DynamicCache, length: int, config: PretrainedConfig | None) -> DynamicCache:
    """The first `length` positions of a cache, in memory of their own."""
    copy = _empty(config)
    layers: Any = cache.layers
    for i, layer in enumerate(layers):
        copy.update(layer.keys[:, :, :length].clone(), layer.values[:, :, :length].clone(), i)
    return copy
