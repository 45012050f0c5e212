"""Which weights magnitude pruning keeps: masks of single weights, of two in four, or of whole rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from tutor.errors import DemoError

if TYPE_CHECKING:
    from torch import Tensor

Level: TypeAlias = tuple[str, float]
"""A structure, and the share of the weights that it removes."""


def keep_largest(weight: Tensor, sparsity: float) -> Tensor:
    """Mask [rows, columns], true where a weight is kept: all but the round(sparsity * count) smallest in magnitude.

    Among weights that are equally small at the border, the first ones go.
    """
    import numpy as np
    import torch

    sizes = weight.detach().abs().flatten().float()
    drop = _count(len(sizes), sparsity)
    if drop == 0:
        return torch.ones_like(weight, dtype=torch.bool)
    # NumPy's partition finds the border ten times as fast as torch.kthvalue.
    border = float(np.partition(sizes.cpu().numpy(), drop - 1)[drop - 1])
    mask = sizes > border
    # bf16 weights are coarse, so many can share the border's magnitude; some of them stay.
    ties = (sizes == border).nonzero().flatten()
    mask[ties[drop - int((sizes < border).sum()) :]] = True
    return mask.view(weight.shape)


def keep_two_of_four(weight: Tensor) -> Tensor:
    """Mask [rows, columns] that keeps the two largest in magnitude of every four neighbours in a row."""
    import torch

    if weight.shape[1] % 4:
        raise DemoError(f"2:4 pruning needs rows of a multiple of 4 weights; got {weight.shape[1]!r}.")
    fours = weight.detach().abs().float().view(weight.shape[0], -1, 4)
    mask = torch.zeros_like(fours, dtype=torch.bool)
    return mask.scatter_(2, fours.topk(2, dim=2).indices, True).view(weight.shape)


def keep_rows(weight: Tensor, sparsity: float) -> Tensor:
    """Mask [rows, columns] that removes the round(sparsity * rows) rows (output neurons) of the smallest L2 norm."""
    norms = weight.detach().float().norm(dim=1)
    return keep_largest(norms, sparsity)[:, None].expand_as(weight)


def _count(total: int, sparsity: float) -> int:
    if not 0 <= sparsity < 1:
        raise ValueError(f"sparsity must be at least 0 and below 1; got {sparsity!r}")
    return round(sparsity * total)


def stored_bits(mask: Tensor, structure: str) -> float:
    """Bits of a pruned matrix: 16 a kept weight, and where the kept ones are.

    That takes a bit a weight where zeros are scattered, two bits a kept weight at 2:4 (its place in its four), and a
    bit a row where rows are removed.
    """
    kept = int(mask.sum())
    places = {"unstructured": mask.numel(), "2:4": 2 * kept, "rows": mask.shape[0]}[structure]
    return 16.0 * kept + places


def share_of_zeros(weights: Iterable[Tensor]) -> float:
    """The share of zeros among all weights of the matrices."""
    counts = [(int((weight == 0).sum()), weight.numel()) for weight in weights]
    return sum(zeros for zeros, _ in counts) / sum(total for _, total in counts)
