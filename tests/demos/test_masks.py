from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.ao.pruning import WeightNormSparsifier
from torch.nn.utils import prune

from demos.masks import keep_largest, keep_rows, keep_two_of_four, stored_bits
from tutor.errors import DemoError


def make_linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(40, 24, bias=False)


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.5, 0.95])
def test_keep_largest_is_torchs_l1_pruning(sparsity: float) -> None:
    """The same weights go as in torch.nn.utils.prune.l1_unstructured."""
    linear = make_linear()
    mask = keep_largest(linear.weight, sparsity)
    pruned = prune.l1_unstructured(linear, "weight", amount=sparsity)
    assert torch.equal(mask, pruned.weight_mask.bool())


@pytest.mark.parametrize("sparsity", [0.25, 0.5, 0.75])
def test_keep_rows_is_torchs_structured_pruning_by_l2(sparsity: float) -> None:
    """The same whole rows go as in torch.nn.utils.prune.ln_structured(n=2, dim=0)."""
    linear = make_linear()
    mask = keep_rows(linear.weight, sparsity)
    pruned = prune.ln_structured(linear, "weight", amount=sparsity, n=2, dim=0)
    assert torch.equal(mask, pruned.weight_mask.bool())


def test_two_of_four_is_torchs_sparsifier() -> None:
    """The same weights go as in torch.ao.pruning.WeightNormSparsifier with two zeros a block of four."""
    model = nn.Sequential(make_linear())
    mask = keep_two_of_four(model[0].weight.detach().clone())
    sparsifier = WeightNormSparsifier(sparsity_level=1.0, sparse_block_shape=(1, 4), zeros_per_block=2)
    sparsifier.prepare(model, [{"tensor_fqn": "0.weight"}])
    sparsifier.step()
    assert torch.equal(mask, model[0].parametrizations.weight[0].mask.bool())


def test_two_of_every_four_neighbours_stay_and_they_are_the_largest() -> None:
    """Fours run along the input dimension, as NVIDIA's 2:4 format wants."""
    weight = torch.tensor([[1.0, -4.0, 3.0, 2.0, 0.1, 0.4, -0.3, 0.2]])
    assert keep_two_of_four(weight).tolist() == [[False, True, True, False, False, True, True, False]]
    random = keep_two_of_four(torch.randn(6, 64))
    assert bool((random.view(6, 16, 4).sum(-1) == 2).all())


def test_rows_that_are_no_multiple_of_four_are_refused() -> None:
    """The learner reads what is wrong instead of a reshape error."""
    with pytest.raises(DemoError, match="multiple of 4"):
        keep_two_of_four(torch.randn(2, 6))


def test_ties_do_not_push_the_share_of_zeros_off_its_aim() -> None:
    """Published 4-bit weights take few values, so that many share the border's magnitude."""
    weight = torch.tensor([1.0, -2.0, 3.0]).repeat(40).view(4, 30).to(torch.bfloat16)
    mask = keep_largest(weight, 0.5)
    assert int((~mask).sum()) == 60
    assert bool(mask[weight.abs() == 3].all()) and not bool(mask[weight.abs() == 1].any())


@pytest.mark.parametrize("sparsity", [-0.1, 1.0])
def test_impossible_shares_are_refused(sparsity: float) -> None:
    """A matrix without weights is no pruned matrix."""
    with pytest.raises(ValueError, match="got"):
        keep_largest(torch.randn(4, 4), sparsity)


def test_sparse_storage_counts_kept_values_and_where_they_are() -> None:
    """A quarter kept of 64 weights: 16 * 16 bits, and a bitmask of 64; 2:4 and rows need fewer bits for places."""
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[:2] = True
    assert stored_bits(mask, "unstructured") == 16 * 16 + 64
    assert stored_bits(mask, "rows") == 16 * 16 + 8
    half = keep_two_of_four(torch.randn(8, 8))
    assert stored_bits(half, "2:4") == 32 * 16 + 32 * 2
