"""Which sentence of the notes answers a question, as a sentence encoder reads it: a second opinion beside tutor/choosing/causal_classifier.py.

all-mpnet-base-v2 (engines/mpnet.py), which was published to tell which texts mean alike, changed at low rank, with one output a sentence that began as the sentence's own vector. Trained on what
people typed who had not read the notes (`make encoder-classifier`, tutor/distill/encoder_classifier.py). It reads in both directions where the language model reads in one, and errs on other questions than that does:
the mean of their log shares, a product of experts (Hinton 2002, https://doi.org/10.1162/089976602760128018), names the right sentence more often than either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.passages import Passage, Reference
from tutor.choosing.causal_classifier import CausalClassifier
from tutor.choosing.outputs import Behind, Named, known_by, named_by, named_by_both
from tutor.compute import Together, in_passing
from tutor.engines.large_encoder import RETRAIN, WIDTH, LargeEncoder
from tutor.engines.mpnet import Mpnet
from tutor.errors import WeightsError
from tutor.once import Once

if TYPE_CHECKING:
    from torch import Tensor

OUTPUT = "output.safetensors"
"""Beside the encoder's change, in a file of its own, as hosts take none of more than 10 MB without large-file storage: for each sentence, and behind them for none, a row of `head`, a `bias`, and a key."""
SCALE = 20.0  # of cosines, as the encoder was published


@dataclass(frozen=True)
class _Outputs:
    head: Tensor
    bias: Tensor
    known: Mapping[Reference, int]

    def logits(self, encoder: Mpnet, texts: Sequence[Sequence[int]]) -> Tensor:
        """Of texts' tokens, (texts, sentences + 1)."""
        from torch.nn.functional import linear

        return linear(SCALE * encoder.vectors(texts), self.head, self.bias)


class EncoderClassifier:
    """For the sentences of one body of notes. Loaded when it is first asked, or by `load`; what once failed to load is not tried again."""

    def __init__(self, encoder: LargeEncoder, passages: Sequence[Passage]) -> None:
        self._encoder = encoder
        self._texts = {(p.id, i): sentence for p in passages for i, sentence in enumerate(p.sentences)}
        self._outputs = Once(lambda: in_passing(self._open))
        self._asked = Together(self._read)

    def load(self) -> None:
        """Load it, if it is not yet, while others are answered. Raises EngineError if there is no usable encoder, WeightsError if the change does not fit it."""
        self._encoder.load()
        self._outputs.get()

    def named(self, texts: Sequence[str]) -> list[Named]:
        """Of each text. Of an edited sentence, which was not trained on, there is no share. Raises as `load` does."""
        self.load()
        known = self._outputs.get().known
        return [named_by(logits[:-1], float(logits[-1]), known) for logits in self._asked.ask(texts)]

    def _open(self) -> _Outputs:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            found = load_file(self._encoder.change / OUTPUT)
            head, bias, keys = found["head"].float(), found["bias"].float(), found["keys"].tolist()
            if head.shape != (len(keys) + 1, WIDTH) or bias.shape != head.shape[:1]:
                raise ValueError(f"outputs of shape {tuple(head.shape)} for {len(keys)} sentences")
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise WeightsError(
                f"The output in {self._encoder.change} is missing or damaged ({error}); restore it with `git checkout`, or retrain it with `{RETRAIN}`."
            ) from error
        return _Outputs(head, bias, known_by(keys, self._texts))

    def _read(self, lots: Sequence[Sequence[str]]) -> list[list[NDArray[np.float32]]]:
        """Of each lot of texts all outputs."""
        return self._encoder.read(lots, self._outputs.get().logits)


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
