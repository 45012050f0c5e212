"""Copies of the embedded model for experiments, so that none touches the model that answers.

They are copies of the model as published, without the tutor's adapter: the published weights lie on a 4-bit grid, and rounding the
adapted ones would snap them back and undo part of the adapter, which would flatter 4 bits.
"""

from __future__ import annotations

import copy
import threading
from pathlib import Path

from demos.base import Specimen
from tutor.engines.weights import ensure_tutor_model

MODEL = "SmolLM2-135M-Instruct"  # whose copies are handed out


class Specimens:
    """Hands out private copies of one model, which is loaded at the first request. Whoever holds the `bench` experiments."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._source: Specimen | None = None
        self._lock = threading.Lock()
        self.bench = threading.Semaphore()

    def copy(self) -> Specimen:
        """A model of its own in memory, and the (read-only) tokenizer."""
        with self._lock:
            if self._source is None:
                from tutor.engines.models import load_model

                self._source = Specimen(*load_model(ensure_tutor_model(self._cache, adapter=None)))
        return Specimen(copy.deepcopy(self._source.model), self._source.tokenizer)
