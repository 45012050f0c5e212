"""Quantization-aware training in a few lines: weights are rounded in every forward pass, and trained as if they were not.

Fake quantization: Jacob et al. 2017 (arXiv:1712.05877). Rounding has a slope of 0 almost everywhere, so its gradient is taken to be 1, the
straight-through estimator (Bengio et al. 2013, arXiv:1308.3432).
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from demos.rounding import round_weight

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear, Module


def rounded_copy(model: Module, bits: int, group: int) -> Module:
    """Post-training quantization: a copy whose blocks' linear layers hold the rounded weights."""
    copy = deepcopy(model)
    for _, _, layer in _block_linears(copy):
        layer.weight.data.copy_(round_weight(layer.weight, bits, group).values())
    return copy


def practising_copy(model: Module, bits: int, group: int) -> Module:
    """A copy whose blocks' linear layers compute with rounded weights and train the exact ones behind them."""
    import torch
    from torch.nn.functional import linear

    class PractisingLinear(torch.nn.Module):
        def __init__(self, layer: Linear) -> None:
            super().__init__()
            self.weight = layer.weight

        def forward(self, x: Tensor) -> Tensor:
            rounded = round_weight(self.weight, bits, group).values()
            return linear(x, self.weight + (rounded - self.weight).detach())

    copy = deepcopy(model)
    for block, name, layer in _block_linears(copy):
        setattr(block, name, PractisingLinear(layer))
    return copy


def stored_mb(model: Module, bits: int, group: int) -> float:
    """MB (10^6 bytes) that a plain model takes when its blocks' linear layers are stored rounded, and all else in 32 bits."""
    linears = [layer.weight for _, _, layer in _block_linears(model)]
    others = sum(parameter.numel() for parameter in model.parameters()) - sum(weight.numel() for weight in linears)
    return (sum(round_weight(weight, bits, group).stored_bits() for weight in linears) + 32 * others) / 8e6


def _block_linears(model: Module) -> list[tuple[Module, str, Linear]]:
    import torch

    return [
        (block, name, layer)
        for block in model.get_submodule("blocks").children()
        for name, layer in block.named_children()
        if isinstance(layer, torch.nn.Linear)
    ]
