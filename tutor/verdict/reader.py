"""Yes or No? A cross-encoder that reads a question or statement together with a note's sentence and tells whether the sentence says Yes to it.

The published sentence encoder with a low-rank change to each of its layers (Hu et al. 2021, arXiv:2106.09685) and one output, trained on the teacher's
yes/no questions with the sentences that she answered with, and on statements that the notes make, each beside one that is wrong (`make reader`,
tutor/distill/reader.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.bert import Bert, Layer
from knowledge.embedder import SentenceEmbedder
from tutor.compute import Together, on_tensor_thread

if TYPE_CHECKING:
    from torch import Tensor

FITTED = Path(__file__).parent / "reader.safetensors"
LONGEST = 128  # tokens of both texts
SCALE = 2.0  # of the low-rank change
PARTS = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


@dataclass(frozen=True)
class _Changed:
    """The encoder with its change, and the output."""

    encoder: Bert
    head: Tensor
    bias: float


class Reader:
    """Weights are only read, so all learners share it. Loaded when it is first asked, or by `load`, like the encoder that it changes."""

    def __init__(self, published: SentenceEmbedder, path: Path = FITTED) -> None:
        self._published, self._path = published, path
        self._asked = Together(self._read)

    @cached_property
    def _changed(self) -> _Changed:
        """Only touched on the tensor thread. Raises ValueError if the file does not fit the encoder."""
        from safetensors.torch import load_file

        published, change = self._published.bert, load_file(self._path)
        layers: list[Layer] = []
        try:
            for i, layer in enumerate(published.layers):
                weights = layer.weights()
                for part in PARTS:
                    down, up = change[f"{i}.{part}.down"].float(), change[f"{i}.{part}.up"].float()
                    weights[f"{part}.weight"] = weights[f"{part}.weight"] + SCALE * (up @ down)
                layers.append(Layer.of(weights))
            # The embeddings, half of the encoder, stay as they are and are shared.
            return _Changed(replace(published, layers=tuple(layers)), change["head"].float(), float(change["bias"]))
        except (KeyError, RuntimeError) as error:
            raise ValueError(
                f"{self._path} must hold a change of {self._published.key}, got {error}; run `make reader`"
            ) from error

    def load(self) -> None:
        """Ready it, if it is not yet, for the first question."""
        on_tensor_thread(lambda: self._changed)

    def log_odds(self, question: str, sentence: str) -> float:
        """Of Yes against No, in nats, where the sentence is what answers the question, or what the statement rests on."""
        return self._asked.ask((question, sentence))

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The same for each pair of question or statement and sentence, in one go."""
        return on_tensor_thread(lambda: self._read(pairs))

    def _read(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        import torch

        changed = self._changed
        with torch.inference_mode():
            states = changed.encoder.run(changed.encoder.embed(pairs, LONGEST))
            found: list[float] = (states.mean() @ changed.head + changed.bias).tolist()
            return found
