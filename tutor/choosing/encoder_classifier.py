"""Which sentence of the notes answers a question, as a sentence encoder reads it: a second opinion beside tutor/choosing/causal_classifier.py.

all-mpnet-base-v2 (engines/mpnet.py), which was published to tell which texts mean alike, changed at low rank, with one output a sentence that began as the sentence's own vector. Trained on what
people typed who had not read the notes (`make encoder-classifier`, tutor/distill/encoder_classifier.py). It reads in both directions where the language model reads in one, and errs on other questions than that does:
the mean of their log shares, a product of experts (Hinton 2002, https://doi.org/10.1162/089976602760128018), names the right sentence more often than either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.passages import Passage, Reference
from tutor.choosing.causal_classifier import CausalClassifier
from tutor.choosing.outputs import Behind, Named, known_by, named_by, named_by_both
from tutor.compute import Together, in_passing
from tutor.engines.mpnet import Mpnet
from tutor.errors import WeightsError
from tutor.once import Once

if TYPE_CHECKING:
    from torch import Tensor

CHANGE = Path(__file__).parents[1] / "distill" / "encoding"
"""An adapter as peft writes it, and in a file of its own, as hosts take none of more than 10 MB without large-file storage, the outputs: for each sentence, and behind them for none, a row of `head`, a `bias`, and a key."""
OUTPUT = "output.safetensors"
SCALE = 20.0  # of cosines, as the encoder was published
_AT_ONCE = 2_000  # tokens of a class's texts in one pass, with the padding, so that nobody else waits long
_RETRAIN = "make encoder-classifier"


@dataclass(frozen=True)
class _Open:
    encoder: Mpnet
    head: Tensor
    bias: Tensor
    known: Mapping[Reference, int]


class EncoderClassifier:
    """For the sentences of one body of notes. Loaded when it is first asked, or by `load`; what once failed to load is not tried again."""

    def __init__(self, folder: Callable[[], Path], passages: Sequence[Passage], change: Path = CHANGE) -> None:
        """`folder` finds the encoder as published, once it is needed."""
        self._folder, self._change = folder, change
        self._texts = {(p.id, i): sentence for p in passages for i, sentence in enumerate(p.sentences)}
        self._model = Once(lambda: in_passing(self._open))
        self._asked = Together(self._read)

    def load(self) -> None:
        """Load it, if it is not yet, while others are answered. Raises EngineError if there is no usable encoder, WeightsError if the change does not fit it."""
        self._model.get()

    def named(self, texts: Sequence[str]) -> list[Named]:
        """Of each text. Of an edited sentence, which was not trained on, there is no share. Raises as `load` does."""
        known = self._model.get().known
        return [named_by(logits[:-1], float(logits[-1]), known) for logits in self._asked.ask(texts)]

    def _open(self) -> _Open:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        encoder = Mpnet.read(self._folder(), self._change, _RETRAIN)
        try:
            found = load_file(self._change / OUTPUT)
            head, bias, keys = found["head"].float(), found["bias"].float(), found["keys"].tolist()
            if head.shape != (len(keys) + 1, encoder.words.shape[1]) or bias.shape != head.shape[:1]:
                raise ValueError(f"outputs of shape {tuple(head.shape)} for {len(keys)} sentences")
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise WeightsError(
                f"The output in {self._change} is missing or damaged ({error}); restore it with `git checkout`, or retrain it with `{_RETRAIN}`."
            ) from error
        encoder.vectors([encoder.tokens("a first pass lays the weights out")])
        return _Open(encoder, head, bias, known_by(keys, self._texts))

    def _read(self, lots: Sequence[Sequence[str]]) -> list[list[NDArray[np.float32]]]:
        """Of each lot of texts all outputs."""
        import torch
        from torch.nn.functional import linear

        model = self._model.get()
        texts = [model.encoder.tokens(text) for lot in lots for text in lot]
        # Those of like length together, as each is as long as the longest.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        logits: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)] * len(texts)
        while order:
            most = 1
            while most < len(order) and (most + 1) * len(texts[order[most]]) <= _AT_ONCE:
                most += 1
            some, order = order[:most], order[most:]
            with torch.inference_mode():
                vectors = model.encoder.vectors([texts[i] for i in some])
                for i, row in zip(some, linear(SCALE * vectors, model.head, model.bias).numpy(), strict=True):
                    logits[i] = row
        ends = np.cumsum([len(lot) for lot in lots]).tolist()
        return [logits[end - len(lot) : end] for end, lot in zip(ends, lots, strict=True)]


class BothClassifiers:
    """What the language model and the encoder find likely together. Behind what is said the language model reads alone: the encoder has not learned it."""

    def __init__(self, causal: CausalClassifier, encoder: EncoderClassifier) -> None:
        self._causal, self._encoder = causal, encoder

    def load(self) -> None:
        """Load what is not yet, while others are answered. Raises as theirs do."""
        self._causal.load()
        self._encoder.load()

    def named(self, texts: Sequence[str]) -> list[Named]:
        """Of each text, of the sentences that both know. Raises as `load` does."""
        return [*map(named_by_both, self._causal.named(texts), self._encoder.named(texts))]

    def behind(self, text: str, said: Sequence[Reference]) -> Behind | None:
        """What follows when these sentences answered the text; None where one of them was not trained on. Raises as `load` does."""
        return self._causal.behind(text, said)
