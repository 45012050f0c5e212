"""The larger encoder (mpnet.py) with the change that it was trained for, one for all who read with it; texts of a class in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tutor.compute import Together, in_passing
from tutor.engines.mpnet import Mpnet
from tutor.errors import EngineError
from tutor.once import Once

if TYPE_CHECKING:
    from torch import Tensor

CHANGE = Path(__file__).parents[1] / "distill" / "encoding"
"""An adapter as peft writes it, with what `Mpnet` reads behind it."""
WEIGHTS = CHANGE / "adapter_model.safetensors"
"""The adapter alone, which is all that `embed` sees of the change."""
WIDTH = 768  # of its vectors
RETRAIN = "make encoder-classifier"
_AT_ONCE = 2_000  # tokens of a class's texts in one pass, with the padding, so that nobody else waits long

Pass: TypeAlias = "Callable[[Mpnet, Sequence[Sequence[int]]], Tensor]"
"""What the encoder makes of texts' tokens: a row for each."""


class LargeEncoder:
    """Loaded when it is first asked, or by `load`; what once failed to load is not tried again. Thread-safe."""

    key = "all-mpnet-base-v2, halfway and last"

    def __init__(self, folder: Callable[[], Path], change: Path = CHANGE) -> None:
        """`folder` finds the encoder as published, once it is needed."""
        self._folder, self.change = folder, change
        self._model = Once(lambda: in_passing(self._open))
        self._views: Together[Sequence[str], list[NDArray[np.float32]]] = Together(
            lambda lots: self.read(lots, Mpnet.views)
        )

    def load(self) -> None:
        """Load it, if it is not yet, while others are answered. Raises EngineError if there is no usable encoder, WeightsError if the change does not fit it."""
        self._model.get()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Two unit vectors of each text side by side, (texts, 2 · WIDTH): halfway through the layers, where how something is put still stands beside what it is about, and behind all. Raises as `load` does."""
        self.load()
        if not texts:
            return np.zeros((0, 2 * WIDTH), dtype=np.float32)
        return np.stack(self._views.ask(texts))

    def read(self, lots: Sequence[Sequence[str]], through: Pass) -> list[list[NDArray[np.float32]]]:
        """Each text's row, lot by lot; for the tensor thread. Raises as `load` does."""
        import torch

        model = self._model.get()
        texts = [model.tokens(text) for lot in lots for text in lot]
        # Those of like length together, as each is as long as the longest.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)] * len(texts)
        while order:
            most = 1
            while most < len(order) and (most + 1) * len(texts[order[most]]) <= _AT_ONCE:
                most += 1
            some, order = order[:most], order[most:]
            with torch.inference_mode():
                for i, row in zip(some, through(model, [texts[i] for i in some]).numpy(), strict=True):
                    rows[i] = row
        ends = np.cumsum([len(lot) for lot in lots]).tolist()
        return [rows[end - len(lot) : end] for end, lot in zip(ends, lots, strict=True)]

    def _open(self) -> Mpnet:
        try:
            model = Mpnet.read(self._folder(), self.change, RETRAIN)
            model.vectors([model.tokens("a first pass lays the weights out")])
        except (OSError, RuntimeError) as error:
            raise EngineError(
                f"The larger encoder cannot be loaded ({error}); see that its files can be read, and start again."
            ) from error
        return model
