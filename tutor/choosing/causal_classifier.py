"""Which sentence of the notes answers a question, as the small language model reads it.

The lower half of the model as it was published, changed at low rank (engines/lower.py), with one output a sentence in the place of the vocabulary's. Trained on the taught
questions (`make causal-classifier`, tutor/distill/causal_classifier.py). The sentence encoder puts a question near others that mean alike, and knowledge/classifier.py knows which
words decide; this model was pretrained on two trillion tokens (Ben Allal et al. 2025, arXiv:2502.02737), so it knows that what gamers buy is a GPU, and errs on other questions than they do.
A follow-up is read behind what it goes on from, and behind what an answer has said so far it tells what comes next, or that nothing does: so it knows that "which one, and why?" still wants its why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.passages import Passage, Reference
from tutor.choosing.outputs import BESIDE, NONE, Behind, Named, behind_by, known_by, named_by
from tutor.compute import Together, in_passing
from tutor.engines.decoder import Pass
from tutor.engines.lower import ANY, WIDTH, Encode, Lower, read_lower
from tutor.errors import WeightsError
from tutor.once import Once

CHANGE = Path(__file__).parents[1] / "distill" / "classifying"
"""An adapter as peft writes it, with the output's weights beside: `norm` and `shift`, then for each sentence, and for what is none (BESIDE), a row of `head`, a `bias`, and a key."""
LAYERS = 16  # of thirty
_LONGEST, _LONGEST_SAID = 180, 120  # tokens
_AT_ONCE = 2_000  # tokens of a class's texts in one pass, so that nobody else waits long
_RETRAIN = "make causal-classifier"
_OUTPUT = {"norm": (WIDTH,), "shift": (WIDTH,), "head": (ANY, WIDTH), "bias": (ANY,), "keys": (ANY,)}


class CausalClassifier:
    """For the sentences of one body of notes. Loaded when it is first asked, or by `load`; what once failed to load is not tried again."""

    def __init__(self, folder: Callable[[], Path], passages: Sequence[Passage], change: Path = CHANGE) -> None:
        """`folder` finds the model as published, once it is needed."""
        self._folder, self._change = folder, change
        self._texts = {(p.id, i): sentence for p in passages for i, sentence in enumerate(p.sentences)}
        self._model = Once(lambda: in_passing(self._open))
        self._asked = Together(self._read)

    def load(self) -> None:
        """Load it, if it is not yet, while others are answered. Raises EngineError if there is no usable model, WeightsError if the change does not fit it."""
        self._model.get()

    def named(self, texts: Sequence[str]) -> list[Named]:
        """Of each text. Of an edited sentence, which was not trained on, there is no share. Raises as `load` does."""
        _, known = self._model.get()
        answers = -len(BESIDE)
        found = self._asked.ask([(text, ()) for text in texts])
        return [named_by(logits[:answers], float(logits[answers + NONE]), known) for logits in found]

    def behind(self, text: str, said: Sequence[Reference]) -> Behind | None:
        """What follows when these sentences answered the text; None where one of them was not trained on. Raises as `load` does."""
        _, known = self._model.get()
        if not known.keys() >= set(said):
            return None
        (logits,) = self._asked.ask([(text, tuple(self._texts[reference] for reference in said))])
        return behind_by(logits, known, said)

    def _open(self) -> tuple[Lower, dict[Reference, int]]:
        """The model, and the sentences that it knows with their outputs. Raises WeightsError if it lacks what stands beside them."""
        lower = read_lower(self._folder(), LAYERS, self._change, _OUTPUT, _RETRAIN)
        keys = lower.output["keys"].tolist()
        if keys[-len(BESIDE) :] != list(BESIDE):
            raise WeightsError(
                f"The output in {self._change} is of another version; restore it with `git checkout`, or retrain it with `{_RETRAIN}`."
            )
        return lower, known_by(keys[: -len(BESIDE)], self._texts)

    def _read(self, lots: Sequence[Sequence[tuple[str, tuple[str, ...]]]]) -> list[NDArray[np.float32]]:
        """Of each lot of texts, with what was said, all outputs: (texts, outputs)."""
        lower, _ = self._model.get()
        texts = [read_tokens(lower.encode, *text) for lot in lots for text in lot]
        slices: list[list[Sequence[int]]] = []
        left = 0
        for text in texts:
            if len(text) > left:
                slices.append([])
                left = _AT_ONCE
            slices[-1].append(text)
            left -= len(text)
        logits = np.concatenate([self._logits_of(lower, some) for some in slices])
        return np.split(logits, np.cumsum([len(lot) for lot in lots])[:-1])

    def _logits_of(self, lower: Lower, texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        import torch
        from torch.nn.functional import layer_norm, linear

        try:
            states = torch.cat(lower.decoder.run([Pass(lower.decoder.lane(len(t)), t, 0) for t in texts]))
        finally:
            lower.decoder.release()
        output = lower.output
        normed = layer_norm(states, states.shape[1:], output["norm"], output["shift"])
        logits: NDArray[np.float32] = linear(normed, output["head"], output["bias"]).cpu().numpy()
        return logits


def read_tokens(encode: Encode, text: str, said: Sequence[str] = ()) -> list[int]:
    """What is read; of what is too long the end counts, where a follow-up stands. Behind it comes what an answer has `said` so far, whose end counts too."""
    question = list(encode(f"Question: {text}\n")[-_LONGEST:])
    return question + list(encode(f"Answer: {' '.join(said)}\n")[-_LONGEST_SAID:]) if said else question
