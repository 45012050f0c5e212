"""Yes or No? A second reader: the small language model as it was published, given a note's sentence and then a question or statement about it.

Its middle layers carry a low-rank change and one output stands in the place of the vocabulary's; the layers above are left out (engines/lower.py). Trained on the same pairs as the encoder of tutor/verdict/reader.py, and on follow-ups behind what they go on from, nearly five times as large and pretrained on two trillion tokens (Ben Allal et al.
2025, arXiv:2502.02737), it errs on other questions (`make causal-reader`, tutor/distill/causal_reader.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tutor.compute import Together, in_passing, on_tensor_thread
from tutor.engines.decoder import Pass, Stretch
from tutor.engines.lower import WIDTH, Encode, Lower, read_lower
from tutor.once import Once

CHANGE = Path(__file__).parents[1] / "distill" / "reading"
"""An adapter as peft writes it, with the output's weights, `head` and `bias`, beside."""
LAYERS = 22  # of thirty
_LONGEST_SENTENCE, _LONGEST_QUESTION = 240, 180  # tokens


class CausalReader:
    """Weights are only read, so all learners share it. Loaded when it is first asked, or by `load`; what once failed to load is not tried again."""

    def __init__(self, folder: Callable[[], Path], change: Path = CHANGE) -> None:
        """`folder` finds the model as published, once it is needed."""
        self._folder, self._change = folder, change
        self._model = Once(lambda: in_passing(self._open))
        self._asked = Together(self._read)

    def load(self) -> None:
        """Load it, if it is not yet, while others are answered. Raises EngineError if there is no usable model, WeightsError if the change does not fit it."""
        self._model.get()

    def log_odds(self, question: str, sentence: str) -> float:
        """Of Yes against No, in nats. Raises as `load` does."""
        self.load()
        return self._asked.ask((question, sentence))

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The same for each pair of question or statement and sentence, in one go; what several share is read once."""
        self.load()
        return on_tensor_thread(lambda: self._read(pairs))

    def _open(self) -> Lower:
        return read_lower(self._folder(), LAYERS, self._change, {"head": (WIDTH,), "bias": (1,)}, "make causal-reader")

    def _read(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        lower = self._model.get()
        decoder, encode = lower.decoder, lower.encode
        asked = Counter(sentence for _, sentence in pairs)
        read = {sentence: sentence_tokens(encode, sentence) for sentence in asked}
        kept: dict[str, Stretch] = {}
        if shared := [sentence for sentence, times in asked.items() if times > 1]:
            lanes = [decoder.lane(len(read[sentence])) for sentence in shared]
            decoder.run([Pass(lane, read[sentence], 0, keep=0) for lane, sentence in zip(lanes, shared, strict=True)])
            kept = {s: lane.stretch(0, len(read[s])) for lane, s in zip(lanes, shared, strict=True)}
        passes = []
        for question, sentence in pairs:
            tokens, known = question_tokens(encode, question), len(read[sentence])
            lane = decoder.lane(known + len(tokens))
            if sentence in kept:
                lane.append(kept[sentence])
                passes.append(Pass(lane, tokens, known))
            else:
                passes.append(Pass(lane, [*read[sentence], *tokens], 0))
        states = decoder.run(passes)
        decoder.release()
        return [float(rows[-1] @ lower.output["head"] + lower.output["bias"]) for rows in states]


def sentence_tokens(encode: Encode, sentence: str) -> list[int]:
    """What is read first, so that several questions can be asked of it."""
    return list(encode(f"{sentence}\n")[:_LONGEST_SENTENCE])


def question_tokens(encode: Encode, question: str) -> list[int]:
    """What follows the sentence; behind its last token stands Yes or No."""
    return [*encode(f"Question: {question}")[:_LONGEST_QUESTION], *encode("\nAnswer (Yes or No):")]
