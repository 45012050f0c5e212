"""Yes or No? A second reader: the small language model as it was published, given a note's sentence and then a question or statement about it.

Its middle layers carry a low-rank change (Hu et al. 2021, arXiv:2106.09685) and one output stands in the place of the vocabulary's; the layers above are
left out. Trained on the same pairs as the encoder of tutor/reader.py, and on follow-ups behind what they go on from, nearly five times as large and pretrained on two trillion tokens (Ben Allal et al.
2025, arXiv:2502.02737), it errs on other questions (`make causal-reader`, tutor/distill/causal_reader.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.compute import Together, in_passing, on_tensor_thread
from tutor.engines.adapter import merge_adapter
from tutor.engines.decoder import Decoder, Pass, Stretch
from tutor.engines.llama import LlamaDecoder
from tutor.engines.models import load_model
from tutor.errors import WeightsError
from tutor.once import Once

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHANGE = Path(__file__).parent / "distill" / "reading"
"""An adapter as peft writes it, with the output's weights, `head` and `bias`, beside."""
LAYERS = 22  # of thirty
_LONGEST_SENTENCE, _LONGEST_QUESTION = 240, 180  # tokens


@dataclass(frozen=True)
class _Loaded:
    """A decoder whose one logit is Yes against No, and the bias to add."""

    decoder: Decoder
    bias: float
    tokenizer: PreTrainedTokenizerBase


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

    def _open(self) -> _Loaded:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        from torch.nn import Linear, Parameter

        loaded, tokenizer = load_model(self._folder())
        model: Any = loaded
        model.model.layers = model.model.layers[:LAYERS]
        merge_adapter(model, self._change, "make causal-reader")
        width = model.config.hidden_size
        try:
            output = load_file(self._change / "adapter_model.safetensors")
            head, bias = output["head"].reshape(1, width), float(output["bias"])
        except (OSError, SafetensorError, KeyError, RuntimeError) as error:
            raise WeightsError(
                f"The output in {self._change} is missing or damaged ({error}); restore it with `git checkout`, or retrain it with `make causal-reader`."
            ) from error
        model.lm_head = Linear(width, 1, bias=False)
        model.lm_head.weight = Parameter(head.to(model.device, model.dtype), requires_grad=False)
        return _Loaded(LlamaDecoder(model), bias, tokenizer)

    def _read(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        loaded = self._model.get()
        decoder, tokenizer = loaded.decoder, loaded.tokenizer
        asked = Counter(sentence for _, sentence in pairs)
        read = {sentence: sentence_tokens(tokenizer, sentence) for sentence in asked}
        kept: dict[str, Stretch] = {}
        if shared := [sentence for sentence, times in asked.items() if times > 1]:
            lanes = [decoder.lane(len(read[sentence])) for sentence in shared]
            decoder.run([Pass(lane, read[sentence], 0, keep=0) for lane, sentence in zip(lanes, shared, strict=True)])
            kept = {s: lane.stretch(0, len(read[s])) for lane, s in zip(lanes, shared, strict=True)}
        passes = []
        for question, sentence in pairs:
            tokens, known = question_tokens(tokenizer, question), len(read[sentence])
            lane = decoder.lane(known + len(tokens))
            if sentence in kept:
                lane.append(kept[sentence])
                passes.append(Pass(lane, tokens, known))
            else:
                passes.append(Pass(lane, [*read[sentence], *tokens], 0))
        logits = decoder.run(passes)
        decoder.release()
        return [float(row[-1, 0]) + loaded.bias for row in logits]


def sentence_tokens(tokenizer: PreTrainedTokenizerBase, sentence: str) -> list[int]:
    """What is read first, so that several questions can be asked of it."""
    return list(tokenizer(f"{sentence}\n")["input_ids"][:_LONGEST_SENTENCE])


def question_tokens(tokenizer: PreTrainedTokenizerBase, question: str) -> list[int]:
    """What follows the sentence; behind its last token stands Yes or No."""
    asked: list[int] = tokenizer(f"Question: {question}")["input_ids"][:_LONGEST_QUESTION]
    return [*asked, *tokenizer("\nAnswer (Yes or No):")["input_ids"]]
