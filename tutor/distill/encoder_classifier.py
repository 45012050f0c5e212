"""Train the reader of tutor/choosing/encoder_classifier.py (`make encoder-classifier`): which sentence answers a question, or none.

The published encoder with a low-rank change in its upper half (peft), and an output for each sentence that begins as the sentence's own vector, so that it knows from the first step what the encoder knows.
The lower half stays as it is, so its states are computed once and kept.

Once through the questions of keyed.py, each with all sentences that make a point of it, follow-ups behind what they go on from, and 4,500 that the notes do not answer. What ships was made by scripts beside the tree in two steps: 33,522 questions that need no context (47 minutes on two cores
without bf16), then 12,200 follow-ups, 3,300 messages of 84 new people and 14,000 of the first again (43 minutes). Of 1,313 first messages that neither reader learned from (tutor/evaluation/learners-d.jsonl) its likeliest sentence makes a key point for 0.739, the language model's (causal_classifier.py) for
0.714, and that of both together for 0.775; of 568 second ones behind their exchange for 0.604, 0.567 and 0.613; of the 704 of learners-a to -c for 0.783, 0.770 and 0.808. The area under the curve by which "none" tells what the notes do not answer is 0.831 and 0.806 among these first messages, as they are, and 0.848 together.

Tried and left: to read behind what is said too, as the language model does. 10,000 texts behind a sentence, and 2,500 first ones, from what ships: in the mean of both readers the next sentence was right for 0.482 of 465, 0.336 of 125 and 0.480 of 196 (the language model's 0.428, 0.344 and 0.393), and the end was told with
an area of 0.689, 0.703 and 0.697 (0.671, 0.693 and 0.675). But it came to name first sentences for 0.652 of the 1,313 only, so it would stand beside what ships as a second change; and within the choice, its weights fitted anew by folds, it was worth about a point of the later forks and nothing for Yes or No, for 190 MB and some 0.2 to 0.4 s a sentence.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.classifier import key_of
from knowledge.concept_files import load_knowledge
from tutor.choosing.encoder_classifier import OUTPUT, SCALE
from tutor.choosing.outputs import BESIDE
from tutor.distill.asked import Asked, load_keyed_typed, load_strange
from tutor.distill.causal_classifier import loss_of
from tutor.distill.lower_layers import steps_of_like_length, train_through
from tutor.engines.large_encoder import CHANGE
from tutor.engines.mpnet import pad, read_tokens, vectors_of
from tutor.engines.weights import ensure_large_encoder
from tutor.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_FROZEN = 6  # of twelve layers
_RANK, _ALPHA = 32, 64
_LINEAR = ["q", "k", "v", "o", "intermediate.dense", "output.dense"]
_RATE, _OUTPUT_RATE, _WARMUP, _DROPOUT = 8e-4, 1e-3, 50, 0.1
_LOT, _STEP = 3_000, 2_500  # texts among which those of like length are found, tokens a step
_STRANGE = 4_500
_NEVER = -1e4  # the logit of what only the language model's outputs stand for (BESIDE)


@dataclass(frozen=True)
class Lower:
    """States of texts behind the frozen layers, one text behind the other (tokens, width) in fp16, and where each begins, and the last ends."""

    states: Tensor
    starts: Sequence[int]

    def of(self, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Padded, (texts, tokens, width), and which tokens are real."""
        import torch

        texts = [self.states[self.starts[i] : self.starts[i + 1]].float() for i in places]
        lengths = torch.tensor([len(text) for text in texts])
        x = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)
        return x, torch.arange(x.shape[1])[None] < lengths[:, None]


class Trainee:
    """The encoder with its change, and the outputs: of each sentence, and of none."""

    def __init__(self, folder: Path, sentences: Sequence[str], change: Path | None = None) -> None:
        """Goes on from the change and its outputs, if there is one; sentences that it does not know begin as their own vectors."""
        import torch
        from peft import LoraConfig, PeftModel, get_peft_model
        from safetensors.torch import load_file
        from tokenizers import Tokenizer
        from transformers import MPNetModel

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        base: Any = MPNetModel.from_pretrained(folder, add_pooling_layer=False)
        self._inner: Any = base
        self.keys = [key_of(sentence) for sentence in sentences]
        lower = self.lower(sentences)
        steps = steps_of_like_length(_lengths(lower), range(len(sentences)), len(sentences), _STEP)
        head = torch.zeros(len(sentences) + 1, base.config.hidden_size)
        with torch.no_grad():
            for step in steps:
                head[step] = self.vectors(*lower.of(step))
        bias = torch.zeros(len(head))
        if change:
            self._model: Any = PeftModel.from_pretrained(base, str(change), is_trainable=True)
            found = load_file(change / OUTPUT)
            rows = {key: row for row, key in enumerate(found["keys"].tolist())}
            known = [(place, rows[key]) for place, key in enumerate(self.keys) if key in rows]
            for place, row in [*known, (-1, -1)]:
                head[place], bias[place] = found["head"][row].float(), found["bias"][row].float()
        else:
            changed = list(range(_FROZEN, base.config.num_hidden_layers))
            config = LoraConfig(
                r=_RANK,
                lora_alpha=_ALPHA,
                target_modules=_LINEAR,
                layers_to_transform=changed,
                layers_pattern="layer",
            )
            self._model = get_peft_model(base, config)
        self.changes: list[Tensor] = [value for value in self._model.parameters() if value.requires_grad]
        self.output: list[Tensor] = [head.requires_grad_(), bias.requires_grad_()]

    def lower(self, texts: Sequence[str]) -> Lower:
        """What the frozen layers make of the texts."""
        import torch

        tokens = [read_tokens(self._tokenizer, text) for text in texts]
        starts = [0]
        for text in tokens:
            starts.append(starts[-1] + len(text))
        states = torch.empty(starts[-1], self._inner.config.hidden_size, dtype=torch.float16)
        steps = steps_of_like_length([len(text) for text in tokens], range(len(tokens)), len(tokens), _STEP)
        with torch.no_grad():
            for number, step in enumerate(steps):
                ids, real = pad([tokens[i] for i in step])
                x = self._through(self._inner.embeddings(input_ids=ids), real, 0, _FROZEN)
                for i, text, length in zip(step, x, real.sum(1).tolist(), strict=True):
                    states[starts[i] : starts[i + 1]] = text[:length].half()
                if number % 25 == 24:
                    log.info("step %d of %d read", number + 1, len(steps))
        return Lower(states, starts)

    def vectors(self, x: Tensor, real: Tensor) -> Tensor:
        """Of lower states; (texts, width), of length one."""
        return vectors_of(self._through(x, real, _FROZEN, self._inner.config.num_hidden_layers), real)

    def logits(self, vectors: Tensor) -> Tensor:
        """(texts, sentences and BESIDE)."""
        import torch
        from torch.nn.functional import linear

        known = linear(SCALE * vectors, *self.output)
        return torch.cat([known, known.new_full((len(known), len(BESIDE) - 1), _NEVER)], dim=1)

    def save(self, folder: Path) -> None:
        """As tutor/choosing/encoder_classifier.py reads it, in bf16."""
        import torch
        from safetensors.torch import load_file, save_file

        with tempfile.TemporaryDirectory(prefix=".encoding-", dir=folder.parent) as temporary:
            part = Path(temporary) / "change"
            self._model.peft_config["default"].base_model_name_or_path = "all-mpnet-base-v2"
            self._model.save_pretrained(str(part), save_embedding_layers=False)  # else a hub is asked
            (part / "README.md").unlink(missing_ok=True)
            path = part / "adapter_model.safetensors"
            save_file({name: value.to(torch.bfloat16).contiguous() for name, value in load_file(path).items()}, path)
            head, bias = (value.detach().to(torch.bfloat16) for value in self.output)
            save_file({"head": head, "bias": bias, "keys": torch.tensor(self.keys)}, part / OUTPUT)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(part, folder)

    def _through(self, x: Tensor, real: Tensor, start: int, stop: int) -> Tensor:
        """Through the layers from `start` to before `stop`; as the library's encoder goes through all of them."""
        import torch

        encoder = self._inner.encoder
        bias = encoder.compute_position_bias(x)
        unseen = torch.zeros(real.shape).masked_fill(~real, torch.finfo(x.dtype).min)[:, None, None]
        for layer in encoder.layer[start:stop]:
            (x, *_) = layer(x, unseen, bias)
        return x


def train(asked: Sequence[Asked], trainee: Trainee, pace: float, seed: int = 0) -> None:
    """Train in place, once through all texts, at `pace` times the rates."""
    from torch.nn.functional import dropout

    rng = random.Random(seed)
    lower = trainee.lower([one.text for one in asked])
    steps = steps_of_like_length(_lengths(lower), rng.sample(range(len(asked)), len(asked)), _LOT, _STEP)
    rng.shuffle(steps)

    def loss_at(places: Sequence[int]) -> Tensor:
        vectors = dropout(trainee.vectors(*lower.of(places)), _DROPOUT)
        return loss_of(trainee.logits(vectors), [asked[i] for i in places])

    groups = [
        {"params": trainee.changes, "pace": pace * _RATE},
        {"params": trainee.output, "pace": pace * _OUTPUT_RATE},
    ]
    train_through(steps, loss_at, groups, _WARMUP)


def _lengths(lower: Lower) -> list[int]:
    return [end - start for start, end in zip(lower.starts, lower.starts[1:], strict=False)]


def main() -> None:
    import torch

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--further", action="store_true", help="go on from what ships, at a third of the rates")
    parser.add_argument("--seed", type=int, default=0, help="another one each time that it goes on")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    knowledge = load_knowledge()
    sentences = [sentence for passage in knowledge.passages for sentence in passage.sentences]
    trainee = Trainee(
        ensure_large_encoder(Settings.from_environ().cache), sentences, CHANGE if arguments.further else None
    )
    strange = random.Random(arguments.seed).sample(load_strange(knowledge), _STRANGE)
    train([*load_keyed_typed(knowledge), *strange], trainee, 0.3 if arguments.further else 1.0, arguments.seed)
    trainee.save(CHANGE)
    log.info("%s; now `make calibrate` and `make report`", CHANGE)


if __name__ == "__main__":
    main()
