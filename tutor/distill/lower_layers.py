"""The language model's lower layers with a trainable low-rank change (peft), and their file: as tutor/engines/lower.py reads them."""

from __future__ import annotations

import logging
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.engines.lower import Encode
from tutor.engines.models import fastest_dtype

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_RANK, _ALPHA = 16, 32
_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class LowerLayers:
    """`changes` are what is trained, fp32; `embeddings` are those of all tokens, as published."""

    def __init__(self, folder: Path, layers: int, frozen: int, change: Path | None) -> None:
        """So many `layers` of the model in the folder, of which so many from the bottom stay `frozen`, so that nothing is kept for them. Goes on from the change, if there is one."""
        from peft import LoraConfig, PeftModel, get_peft_model
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.encode: Encode = lambda text: tokenizer(text)["input_ids"]
        base: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=fastest_dtype())
        base.model.layers = base.model.layers[:layers]
        self.embeddings: Tensor = base.lm_head.weight.detach()
        self._weights = change / "adapter_model.safetensors" if change else None
        if change and self._weights and self._weights.is_file():
            self._model: Any = PeftModel.from_pretrained(base, str(change), is_trainable=True)
        else:
            changed = list(range(frozen, layers))
            config = LoraConfig(r=_RANK, lora_alpha=_ALPHA, target_modules=_LINEAR, layers_to_transform=changed)
            self._model = get_peft_model(base, config)
        for value in self._model.parameters():
            value.data = value.data.float() if value.requires_grad else value.data
        self.changes: list[Tensor] = [value for value in self._model.parameters() if value.requires_grad]

    def output(self) -> dict[str, Tensor]:
        """What was saved beside the change, by name, fractions in fp32; nothing if there was none."""
        from safetensors.torch import load_file

        found = load_file(self._weights) if self._weights and self._weights.is_file() else {}
        output = {name: value for name, value in found.items() if ".lora_" not in name}
        return {name: value.float() if value.is_floating_point() else value for name, value in output.items()}

    def states(self, tokens: Tensor, positions: Tensor | None = None, seen: Tensor | None = None) -> Tensor:
        """The last layer's normed states (texts, tokens, width); `seen` is added to scores, the mask of a plain text by default."""
        import torch

        inner = self._model.get_base_model().model
        dtype = inner.embed_tokens.weight.dtype
        mask = None if seen is None else seen.to(dtype)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            found: Tensor = inner(
                input_ids=tokens, position_ids=positions, attention_mask=mask, use_cache=False
            ).last_hidden_state
        return found.float()

    def save(self, folder: Path, output: Mapping[str, Tensor]) -> None:
        """As peft writes an adapter, in bf16, with the output's weights beside; what is no fraction stays as it is."""
        import torch
        from safetensors.torch import load_file, save_file

        with tempfile.TemporaryDirectory(prefix=".lower-", dir=folder.parent) as temporary:
            part = Path(temporary) / "change"
            self._model.peft_config["default"].base_model_name_or_path = "SmolLM2-135M-Instruct"
            self._model.save_pretrained(str(part))
            (part / "README.md").unlink(missing_ok=True)
            path = part / "adapter_model.safetensors"
            state = {**load_file(path), **{name: value.detach() for name, value in output.items()}}
            half = {n: v.to(torch.bfloat16) if v.is_floating_point() else v for n, v in state.items()}
            save_file({name: value.contiguous() for name, value in half.items()}, path)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(part, folder)


def steps_of_like_length(lengths: Sequence[int], order: Sequence[int], lot: int, most: int) -> list[list[int]]:
    """Places of texts in steps: of each `lot` in the order, those of like length together, up to so many tokens with the padding."""
    steps: list[list[int]] = []
    for start in range(0, len(order), lot):
        step: list[int] = []
        for i in sorted(order[start : start + lot], key=lengths.__getitem__):
            if step and (len(step) + 1) * lengths[i] > most:
                steps.append(step)
                step = []
            step.append(i)
        steps.append(step)
    return steps


def train_through(
    steps: Sequence[Sequence[int]],
    loss_of: Callable[[Sequence[int]], Tensor],
    groups: Sequence[dict[str, Any]],
    warmup: int,
) -> None:
    """Descend the loss of each step's texts in turn: a group's rate, its `pace`, rises from nothing over the first steps and falls again as a cosine."""
    import torch

    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    changed = [value for group in groups for value in group["params"]]
    began, losses = time.monotonic(), 0.0
    for number, step in enumerate(steps):
        for group in optimizer.param_groups:
            risen, fallen = min(1, (number + 1) / warmup), 0.5 * (1 + math.cos(math.pi * number / len(steps)))
            group["lr"] = group["pace"] * risen * fallen
        loss = loss_of(step)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(changed, 1.0)
        optimizer.step()
        losses += float(loss.detach())
        if number % 25 == 24:
            log.info("step %d of %d, loss %.3f, %.0f s", number + 1, len(steps), losses / 25, time.monotonic() - began)
            losses = 0.0
