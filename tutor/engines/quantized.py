"""Weight-only int8 for single rows: a linear layer that reads half the bytes where reading is what takes the time.

One token at a time is bound by memory, so int8 codes with a scale an output channel (symmetric, round to nearest) are
read instead of bf16. From a few rows on the layer is bound by arithmetic, and bf16 is as fast and exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.packed import pack, packed_linear

if TYPE_CHECKING:
    import torch

ROWS = 2  # up to which int8 is faster on the CPUs with bf16 that we measured (docs/speed.md)


def quantize_per_channel(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes of shape (out, in), int8, and scales of shape (out,), in the weight's type."""
    import torch

    scales = (weight.abs().amax(1).float() / 127).clamp_min(1e-12)
    codes = torch.empty(weight.shape, dtype=torch.int8)
    for rows in torch.arange(weight.shape[0]).split(8192):  # a slice at a time keeps the fp32 copy small
        codes[rows] = (weight[rows].float() / scales[rows, None]).round_().to(torch.int8)
    return codes, scales.to(weight.dtype)


class Linear:
    """x (rows, in) → (rows, out) without bias: int8 codes for few rows, if there are any, else the weight itself."""

    def __init__(self, weight: torch.Tensor, int8: bool) -> None:
        import torch

        self._int8 = quantize_per_channel(weight) if int8 else None
        blocks = pack(weight)
        self._weight = weight if blocks is None else blocks
        self._multiply = torch.nn.functional.linear if blocks is None else packed_linear

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        import torch

        if self._int8 is not None and x.shape[0] <= ROWS:
            return torch._weight_int8pack_mm(x, *self._int8)
        return self._multiply(x, self._weight)
