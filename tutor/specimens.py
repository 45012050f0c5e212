"""Copies of the embedded model for experiments, so that none touches the model that answers."""

from __future__ import annotations

import copy
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from demos.base import Specimen
from tutor.engines.weights import ensure_tutor_model

if TYPE_CHECKING:
    from tutor.engines.local import LocalEngine


class Specimens:
    """Hands out private copies: of the answering model where that is the embedded one, else of a copy loaded once."""

    def __init__(self, cache: Path, answering: LocalEngine | None) -> None:
        self._cache, self._source = cache, answering
        self._lock = threading.Lock()

    def copy(self) -> Specimen:
        """A model of its own in memory, and the (read-only) tokenizer."""
        with self._lock:
            if self._source is None:
                from tutor.engines.local import LocalEngine

                self._source = LocalEngine.load(ensure_tutor_model(self._cache), "SmolLM2-135M-Instruct")
        return Specimen(copy.deepcopy(self._source.model), self._source.tokenizer)
