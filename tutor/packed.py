"""Weights laid out once in the order in which the CPU's kernels read them.

A matrix product takes its weights in blocks. Given plain rows, oneDNN (the library behind PyTorch's products in bf16 on CPUs) sorts them into blocks at every call,
which is most of the work where the rows to multiply are few: a class's next tokens, a draft, a sentence. Sorted once, at loading, a pass of eight rows takes half the
time, and its sums are the same. In fp32 PyTorch would ask another library, MKL, which takes up to five times as long for a few rows on AMD's CPUs with AVX2, and there about as long for a
hundred; on those with AVX-512 it takes three times as long for eight to two hundred rows. On Intel's this was not measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def pack(weight: torch.Tensor) -> torch.Tensor | None:
    """The weight (out, in) in blocks, a copy that only `packed_linear` can read; None where that does not work or was not found to help.

    The two operators are those that torch.compile puts in place of linear layers; a build of PyTorch may lack them.
    """
    import torch

    measured = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    if weight.device.type != "cpu" or not (
        weight.dtype == torch.bfloat16 or (weight.dtype == torch.float32 and measured)
    ):
        return None
    try:
        blocks: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight)
        packed_linear(weight.new_zeros(1, weight.shape[1]), blocks)
    except (AttributeError, NotImplementedError, RuntimeError):
        return None
    return blocks


def packed_linear(x: torch.Tensor, packed: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """x (…, in) → (…, out)."""
    import torch

    y: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")
    return y
