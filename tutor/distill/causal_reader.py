"""Train the reader of tutor/causal_reader.py further: Yes or No, given question and sentence (`make causal-reader`, half an hour on two cores).

Once through the pairs of tutor/distill/pairs.py, follow-ups among them both asked in full and behind what they go on from. Questions about the same sentence are read side by side: none sees the others, and the sentence is read
once for all. It goes on from the reader that is there, which was trained so three times (twice by earlier forms of this script, without those follow-ups); delete tutor/distill/reading/ to begin anew. How often it is right
on questions that it never saw is told by `make calibrate`.
"""

from __future__ import annotations

import logging
import math
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.concept_files import load_knowledge
from tutor.causal_reader import CHANGE, LAYERS, question_tokens, sentence_tokens
from tutor.distill.pairs import Pair, follow_ups, load_pairs
from tutor.engines.models import fastest_dtype
from tutor.engines.weights import ensure_tutor_model
from tutor.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger(__name__)

_RANK, _ALPHA = 16, 32
_FROZEN = 8  # layers from the bottom that stay as they are, so that nothing is kept for them
_RATE, _WARMUP, _OUTPUT_PACE = 6e-4, 30, 0.02
_BESIDE, _STEP = 12, 1_700  # questions a row, tokens a step
_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Row:
    """A sentence's tokens, and of each question beside it its tokens and whether the sentence says Yes."""

    sentence: tuple[int, ...]
    questions: tuple[tuple[int, ...], ...]
    yes: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.sentence) + sum(map(len, self.questions))


class Trainee:
    """The published model up to LAYERS with trainable changes, and an output that begins as its own preference of " Yes" to " No"."""

    def __init__(self, folder: Path, change: Path = CHANGE) -> None:
        """Goes on from the change, if there is one."""
        import torch
        from peft import LoraConfig, PeftModel, get_peft_model
        from safetensors.torch import load_file
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        base: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=fastest_dtype())
        base.model.layers = base.model.layers[:LAYERS]
        yes, no = (self.tokenizer(word)["input_ids"][0] for word in (" Yes", " No"))
        head, bias = base.lm_head.weight[yes].float() - base.lm_head.weight[no].float(), torch.zeros(1)
        weights = change / "adapter_model.safetensors"
        if weights.is_file():
            self.model: Any = PeftModel.from_pretrained(base, str(change), is_trainable=True)
            head, bias = load_file(weights)["head"].float(), load_file(weights)["bias"].float()
        else:
            layers = list(range(_FROZEN, LAYERS))
            self.model = get_peft_model(
                base,
                LoraConfig(r=_RANK, lora_alpha=_ALPHA, target_modules=_LINEAR, layers_to_transform=layers),
            )
        for value in self.model.parameters():
            value.data = value.data.float() if value.requires_grad else value.data
        self.changes = [value for value in self.model.parameters() if value.requires_grad]
        self.head, self.bias = head.detach().clone().requires_grad_(), bias.requires_grad_()

    def log_odds(self, rows: Sequence[Row]) -> Tensor:
        """Of Yes, question after question of all rows."""
        import torch

        tokens, positions, seen, ends = _side_by_side(rows)
        inner = self.model.get_base_model().model
        dtype = inner.embed_tokens.weight.dtype
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            states = inner(
                input_ids=tokens, position_ids=positions, attention_mask=seen.to(dtype), use_cache=False
            ).last_hidden_state
        found: Tensor = states[[row for row, _ in ends], [place for _, place in ends]].float() @ self.head + self.bias
        return found

    def save(self, folder: Path = CHANGE) -> None:
        """As peft writes an adapter, in bf16, with the output's weights beside."""
        import torch
        from safetensors.torch import load_file, save_file

        with tempfile.TemporaryDirectory(prefix=".reading-", dir=folder.parent) as temporary:
            part = Path(temporary) / "reading"
            self.model.peft_config["default"].base_model_name_or_path = "SmolLM2-135M-Instruct"
            self.model.save_pretrained(str(part))
            (part / "README.md").unlink(missing_ok=True)
            path = part / "adapter_model.safetensors"
            state = {**load_file(path), "head": self.head.detach(), "bias": self.bias.detach()}
            save_file({name: value.to(torch.bfloat16).contiguous() for name, value in state.items()}, path)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(part, folder)


def _side_by_side(rows: Sequence[Row]) -> tuple[Tensor, Tensor, Tensor, list[tuple[int, int]]]:
    """Tokens and positions (rows, longest), what each token sees (rows, 1, longest, longest), to be added to scores, and where each question ends."""
    import torch

    longest = max(map(len, rows))
    tokens, positions = torch.zeros(2, len(rows), longest, dtype=torch.long)
    owner = torch.full((len(rows), longest), -1)
    ends: list[tuple[int, int]] = []
    for i, row in enumerate(rows):
        at = 0
        for number, text in enumerate((row.sentence, *row.questions)):
            here = slice(at, at + len(text))
            tokens[i, here], owner[i, here] = torch.tensor(text), number
            positions[i, here] = torch.arange(len(text)) + (len(row.sentence) if number else 0)
            at += len(text)
            ends += [(i, at - 1)] if number else []
    mine = (owner[:, None] == 0) | (owner[:, None] == owner[..., None])
    seen = mine & torch.ones(longest, longest, dtype=torch.bool).tril()
    return tokens, positions, torch.zeros(seen.shape, dtype=torch.bfloat16).masked_fill(~seen, -1e9)[:, None], ends


def _rows(pairs: Sequence[Pair], tokenizer: PreTrainedTokenizerBase) -> Iterator[Row]:
    by_sentence: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_sentence.setdefault(pair.sentence, []).append(pair)
    for sentence, asked in by_sentence.items():
        start = tuple(sentence_tokens(tokenizer, sentence))
        for i in range(0, len(asked), _BESIDE):
            some = asked[i : i + _BESIDE]
            questions = tuple(tuple(question_tokens(tokenizer, pair.question)) for pair in some)
            yield Row(start, questions, tuple(pair.yes for pair in some))


def _steps(rows: Sequence[Row], rng: random.Random) -> list[list[Row]]:
    """Rows of like length together, up to _STEP tokens with the padding, in random order."""
    order = rng.sample(list(rows), len(rows))
    steps: list[list[Row]] = []
    for i in range(0, len(order), 64):
        step: list[Row] = []
        for row in sorted(order[i : i + 64], key=len):
            if step and (len(step) + 1) * len(row) > _STEP:
                steps.append(step)
                step = []
            step.append(row)
        steps.append(step)
    rng.shuffle(steps)
    return steps


def train(pairs: Sequence[Pair], trainee: Trainee, seed: int = 0) -> None:
    """Train in place, once through the pairs."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    rng = random.Random(seed)
    torch.manual_seed(seed)
    steps = _steps(list(_rows(rng.sample(list(pairs), len(pairs)), trainee.tokenizer)), rng)
    output = [trainee.head, trainee.bias]
    groups = [{"params": trainee.changes, "pace": 1.0}, {"params": output, "pace": _OUTPUT_PACE}]
    optimizer = torch.optim.AdamW(groups, lr=_RATE, weight_decay=0.0)
    began, losses = time.monotonic(), 0.0
    for number, step in enumerate(steps):
        for group in optimizer.param_groups:
            warm = min(1, (number + 1) / _WARMUP)
            group["lr"] = group["pace"] * _RATE * warm * 0.5 * (1 + math.cos(math.pi * number / len(steps)))
        truth = torch.tensor([float(yes) for row in step for yes in row.yes])
        loss = binary_cross_entropy_with_logits(trainee.log_odds(step), truth)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*trainee.changes, *output], 1.0)
        optimizer.step()
        losses += float(loss.detach())
        if number % 25 == 24:
            log.info("step %d of %d, loss %.3f, %.0f s", number + 1, len(steps), losses / 25, time.monotonic() - began)
            losses = 0.0


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    trainee = Trainee(ensure_tutor_model(Settings.from_environ().cache, adapter=None))
    knowledge = load_knowledge()
    train([*load_pairs(knowledge), *follow_ups(knowledge)], trainee)
    trainee.save()
    log.info("%s; now `make calibrate` and `make report`", CHANGE)


if __name__ == "__main__":
    main()
