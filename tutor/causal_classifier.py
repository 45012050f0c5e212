"""Which sentence of the notes answers a question, as the small language model reads it.

The lower half of the model as it was published, changed at low rank (engines/lower.py), with one output a sentence in the place of the vocabulary's. Trained on the taught
questions (`make causal-classifier`, tutor/distill/causal_classifier.py). The sentence encoder puts a question near others that mean alike, and knowledge/classifier.py knows which
words decide; this model was pretrained on two trillion tokens (Ben Allal et al. 2025, arXiv:2502.02737), so it knows that what gamers buy is a GPU, and errs on other questions than they do.
A follow-up is read behind what it goes on from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.classifier import key_of
from knowledge.passages import Passage, Reference
from tutor.compute import Together, in_passing
from tutor.engines.decoder import Pass
from tutor.engines.lower import ANY, WIDTH, Encode, Lower, read_lower
from tutor.once import Once

CHANGE = Path(__file__).parent / "distill" / "classifying"
"""An adapter as peft writes it, with the output's weights beside: `norm` and `shift`, then for each sentence and for none of them a row of `head`, a `bias`, and a key (0 for none)."""
LAYERS = 16  # of thirty
_LONGEST = 180  # tokens
_AT_ONCE = 2_000  # tokens of a class's texts in one pass, so that nobody else waits long
_OUTPUT = {"norm": (WIDTH,), "shift": (WIDTH,), "head": (ANY, WIDTH), "bias": (ANY,), "keys": (ANY,)}


class CausalClassifier:
    """For the sentences of one body of notes. Loaded when it is first asked, or by `load`; what once failed to load is not tried again."""

    def __init__(self, folder: Callable[[], Path], passages: Sequence[Passage], change: Path = CHANGE) -> None:
        """`folder` finds the model as published, once it is needed."""
        self._folder, self._change = folder, change
        self._keys = {(p.id, i): key_of(sentence) for p in passages for i, sentence in enumerate(p.sentences)}
        self._model = Once(lambda: in_passing(self._open))
        self._asked = Together(self._read)

    def load(self) -> None:
        """Load it, if it is not yet, while others are answered. Raises EngineError if there is no usable model, WeightsError if the change does not fit it."""
        self._model.get()

    def shares(self, texts: Sequence[str]) -> list[dict[Reference, float]]:
        """For each text, if it is answered at all, how much of what might answer it each sentence is that was trained on: an edited one is missing. Raises as `load` does."""
        _, references, places = self._model.get()
        return [dict(zip(references, row[places].tolist(), strict=True)) for row in self._asked.ask(texts)]

    def _open(self) -> tuple[Lower, tuple[Reference, ...], NDArray[np.int64]]:
        """The model, the sentences that it knows, and their outputs."""
        lower = read_lower(self._folder(), LAYERS, self._change, _OUTPUT, "make causal-classifier")
        place = {key: i for i, key in enumerate(lower.output["keys"].tolist()[:-1])}
        known = {reference: place[key] for reference, key in self._keys.items() if key in place}
        return lower, tuple(known), np.array(list(known.values()), dtype=np.int64)

    def _read(self, lots: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Of each lot of texts, the shares of all sentences: (texts, sentences)."""
        lower, *_ = self._model.get()
        texts = [read_tokens(lower.encode, text) for lot in lots for text in lot]
        slices: list[list[Sequence[int]]] = []
        left = 0
        for text in texts:
            if len(text) > left:
                slices.append([])
                left = _AT_ONCE
            slices[-1].append(text)
            left -= len(text)
        shares = np.concatenate([self._shares_of(lower, some) for some in slices])
        return np.split(shares, np.cumsum([len(lot) for lot in lots])[:-1])

    def _shares_of(self, lower: Lower, texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        import torch
        from torch.nn.functional import layer_norm, linear

        try:
            states = torch.cat(lower.decoder.run([Pass(lower.decoder.lane(len(t)), t, 0) for t in texts]))
        finally:
            lower.decoder.release()
        output = lower.output
        normed = layer_norm(states, states.shape[1:], output["norm"], output["shift"])
        logits = linear(normed, output["head"], output["bias"])
        shares: NDArray[np.float32] = logits[:, :-1].softmax(1).cpu().numpy()
        return shares


def read_tokens(encode: Encode, text: str) -> list[int]:
    """What is read; of what is too long the end counts, where a follow-up stands."""
    return list(encode(f"Question: {text}\n")[-_LONGEST:])
