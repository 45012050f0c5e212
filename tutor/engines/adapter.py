"""The tutor's LoRA weights, merged into the base model they were trained on.

LoRA (Hu et al. 2021, arXiv:2106.09685): W' = W + (alpha / r) · B A, for B (out, r) and A (r, in). Merging is a
few lines, so peft is needed for training only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER = Path(__file__).parent.parent / "distill" / "adapter"

_PREFIX = "base_model.model."


def merge_adapter(weights: Mapping[str, Tensor], adapter: Path, retrain: str = "make distill") -> None:
    """Add the adapter's update to the weights (by their names in the model) in place, computed in fp32; `retrain` is the command that makes it anew.

    Raises WeightsError if the adapter is damaged or its shapes belong to another base.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = json.loads((adapter / "adapter_config.json").read_text())
        tensors = load_file(adapter / "adapter_model.safetensors")
        scale = config["lora_alpha"] / config["r"]
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, SafetensorError) as error:
        raise WeightsError(f"The adapter in {adapter} is damaged ({error}); restore it with `git checkout`.") from error
    downs = [name for name in tensors if name.endswith(".lora_A.weight")]
    if not downs:
        raise WeightsError(f"The adapter in {adapter} holds no LoRA weights; restore it with `git checkout`.")
    with torch.no_grad():
        for name in downs:
            target = name.removeprefix(_PREFIX).replace(".lora_A.weight", ".weight")
            down, up = tensors[name].float(), tensors.get(name.replace("lora_A", "lora_B"))
            weight = weights.get(target)
            if (
                weight is None
                or up is None
                or up.shape[1] != down.shape[0]
                or weight.shape != (up.shape[0], down.shape[1])
            ):
                raise WeightsError(
                    f"The adapter in {adapter} belongs to another base model ({target} does not fit); "
                    f"restore it with `git checkout`, or retrain it with `{retrain}`."
                )
            weight.copy_((weight.float() + scale * (up.float() @ down).to(weight.device)).to(weight.dtype))
