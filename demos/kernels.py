"""Linear layers that really run on smaller weights, so that an experiment can time them: int4, int8, and fewer rows.

Each function replaces the `forward` of one `nn.Linear` of a specimen; the layer's own weight stays as it is.
The two integer kernels are PyTorch's own weight-only kernels for CPUs: weights are read packed and are expanded in
registers, activations stay bf16 (tinygemm's scheme: weight = (code - offset) * scale + zero).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear

    from demos.rounding import Rounded

INT4_GROUP = 64  # the kernel takes groups of 32, 64, 128, …; both widths of the model, 576 and 1536, divide by 64


def can_run(linear: Linear, kernel: Callable[[Linear, Rounded], None]) -> bool:
    """Whether `kernel`, one of the two below, can run a layer of this shape, here and with this build of PyTorch."""
    import torch

    if linear.weight.device.type != "cpu" or linear.bias is not None:
        return False
    if kernel is run_int8:
        return hasattr(torch, "_weight_int8pack_mm")
    has_kernel = hasattr(torch.ops.aten, "_weight_int4pack_mm_for_cpu")
    return has_kernel and linear.in_features % INT4_GROUP == 0 and linear.out_features % 16 == 0


def run_int4(linear: Linear, rounded: Rounded) -> None:
    """Run the layer on codes of at most 4 bits; fewer bits are held as 4, for want of a narrower kernel.

    A group wider than 64 columns becomes several groups of 64 that share its scale; groups of 32 stay 32.
    """
    import torch

    width = min(rounded.group_size, INT4_GROUP)
    columns = rounded.codes.shape[1]
    of_group = torch.arange(columns // width) * width // rounded.group_size
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(rounded.codes.to(torch.int32).contiguous(), 1)
    scales = rounded.scale.float()[:, of_group]
    zeros = rounded.minimum.float()[:, of_group] + 8 * scales  # the kernel subtracts 8 from each code
    scales_and_zeros = torch.stack([scales, zeros], dim=-1).transpose(0, 1).contiguous().to(torch.bfloat16)

    def forward(x: Tensor) -> Tensor:
        rows = x.to(torch.bfloat16).reshape(-1, columns)
        out = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, packed, width, scales_and_zeros)
        return out.to(x.dtype).reshape(*x.shape[:-1], -1)

    linear.forward = forward  # type: ignore[assignment,method-assign]


def run_int8(linear: Linear, rounded: Rounded) -> None:
    """Run the layer on codes of at most 8 bits with one scale and one minimum a row.

    The kernel knows no minimum, so it gets codes - 128, and what is missing, the sum of x times (minimum + 128 scale),
    is added.
    """
    import torch

    packed = (rounded.codes.to(torch.int16) - 128).to(torch.int8).contiguous()
    columns = packed.shape[1]
    scales = rounded.scale.flatten().to(torch.bfloat16)
    offset = (rounded.minimum.float().flatten() + 128 * scales.float()).to(torch.bfloat16)

    def forward(x: Tensor) -> Tensor:
        rows = x.to(torch.bfloat16).reshape(-1, columns)
        out = torch._weight_int8pack_mm(rows, packed, scales) + rows.sum(-1, keepdim=True) * offset
        return out.to(x.dtype).reshape(*x.shape[:-1], -1)

    linear.forward = forward  # type: ignore[assignment,method-assign]


def run_without_rows(linear: Linear, kept: Tensor) -> None:
    """Multiply by the kept rows only (`kept`: their indices); the removed outputs are zero, which costs nothing."""
    from torch.nn.functional import linear as multiply

    smaller = linear.weight.detach()[kept].contiguous()
    bias = None if linear.bias is None else linear.bias.detach()[kept]
    rows = linear.out_features

    def forward(x: Tensor) -> Tensor:
        out = x.new_zeros(*x.shape[:-1], rows)
        return out.index_copy_(-1, kept, multiply(x, smaller, bias))

    linear.forward = forward  # type: ignore[assignment,method-assign]
