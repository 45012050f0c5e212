"""Round-to-nearest quantization of a weight matrix, asymmetric: weight ≈ code * scale + minimum, by groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

STORED_BITS = 16  # a scale and a minimum are stored in 16 bits each, as in GGUF's Q4_1


@dataclass(frozen=True)
class Rounded:
    """Codes [rows, columns] of 0 … 2^bits - 1, and a scale and a minimum [rows, groups] in fp16."""

    codes: Tensor
    scale: Tensor
    minimum: Tensor
    group_size: int
    bits: int

    def values(self) -> Tensor:
        """The weights that the codes stand for, fp32 [rows, columns]: code * scale + minimum."""
        scale, minimum = self.spread()
        return self.codes.float() * scale + minimum

    def spread(self) -> tuple[Tensor, Tensor]:
        """Each weight's scale and minimum, fp32, both [rows, columns]."""
        columns = self.codes.shape[1]
        scale = self.scale.float().repeat_interleave(self.group_size, 1)
        minimum = self.minimum.float().repeat_interleave(self.group_size, 1)
        return scale[:, :columns], minimum[:, :columns]

    def stored_bits(self) -> int:
        """Bits that codes, scales and minimums take."""
        return self.codes.numel() * self.bits + (self.scale.numel() + self.minimum.numel()) * STORED_BITS


def quantize_per_group(weight: Tensor, bits: int, group_size: int) -> Rounded:
    """Round `weight` [rows, columns] to `bits` bits; `group_size` neighbours in a row share a scale and a minimum.

    The last group of a row is shorter where the columns don't divide. Codes are computed with the scale and minimum as
    they are stored, so their rounding to fp16 adds no error of its own.
    """
    import torch
    from torch.nn.functional import pad

    if not 1 <= bits <= 8:
        raise ValueError(f"bits must be 1 to 8; got {bits!r}")
    if group_size < 1:
        raise ValueError(f"group_size must be positive; got {group_size!r}")
    rows, columns = weight.shape
    missing = -columns % group_size
    # Repeating the row's last weight fills the last group without widening its range.
    grouped = pad(weight.detach().float()[None], (0, missing), mode="replicate")[0].view(rows, -1, group_size)
    low, high = grouped.aminmax(dim=2)
    minimum = low.half()
    scale = ((high - minimum.float()) / (2**bits - 1)).half()
    step = scale.float().clamp_min(torch.finfo(torch.float16).tiny)[..., None]  # a constant group has scale 0
    codes = ((grouped - minimum.float()[..., None]) / step).round_().clamp_(0, 2**bits - 1).to(torch.uint8)
    return Rounded(codes.view(rows, -1)[:, :columns], scale, minimum, group_size, bits)


def quantize_per_channel(weight: Tensor, bits: int) -> Rounded:
    """Round `weight` [rows, columns] to `bits` bits with one scale and one minimum for each row (output channel)."""
    return quantize_per_group(weight, bits, weight.shape[1])


def round_weight(weight: Tensor, bits: int, group: int) -> Rounded:
    """`weight` [rows, columns] in `bits` bits, by groups of `group` neighbours or, for 0, by rows."""
    return quantize_per_group(weight, bits, group) if group else quantize_per_channel(weight, bits)
