from __future__ import annotations

import pytest
import torch
from torch import nn

from demos import kernels
from demos.rounding import quantize_per_channel, quantize_per_group


def make_linear(columns: int = 192, rows: int = 64) -> nn.Linear:
    torch.manual_seed(0)
    linear = nn.Linear(columns, rows, bias=False).to(torch.bfloat16)
    linear.weight.requires_grad_(False)
    return linear


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """How far apart, as a share of the other's length; wrong scales or a forgotten minimum give more than 0.3."""
    return float((one.float() - other.float()).norm() / other.float().norm())


@pytest.mark.parametrize(("bits", "group"), [(4, 32), (4, 64), (4, 128), (3, 64), (2, 192)])
def test_int4_computes_with_the_rounded_weights(bits: int, group: int) -> None:
    """What is timed computes what is measured, for every group size, also one that does not divide the row."""
    linear = make_linear()
    assert kernels.can_run(linear, kernels.run_int4)
    rounded = quantize_per_group(linear.weight, bits, group)
    x = torch.randn(2, 3, 192, dtype=torch.bfloat16)
    expected = x.float() @ rounded.values().T
    kernels.run_int4(linear, rounded)
    assert linear(x).shape == (2, 3, 64) and linear(x).dtype == torch.bfloat16
    assert distance(linear(x), expected) < 0.05  # the kernel takes scales in bf16


def test_int8_computes_with_the_rounded_weights() -> None:
    """The asymmetric minimum, which the kernel does not know, is added."""
    linear = make_linear()
    assert kernels.can_run(linear, kernels.run_int8)
    rounded = quantize_per_channel(linear.weight + 0.05, 8)
    x = torch.randn(1, 1, 192, dtype=torch.bfloat16)
    expected = x.float() @ rounded.values().T
    kernels.run_int8(linear, rounded)
    assert distance(linear(x), expected) < 0.02


def test_a_layer_without_some_rows_gives_zeros_there() -> None:
    """Removing rows is the same as zeroing them, with fewer multiplications; biases go with their rows."""
    torch.manual_seed(0)
    linear, x = nn.Linear(8, 6), torch.randn(2, 5, 8)
    kept = torch.tensor([0, 2, 5])
    expected = linear(x).detach()
    expected[..., [1, 3, 4]] = 0
    kernels.run_without_rows(linear, kept)
    assert torch.allclose(linear(x), expected, atol=1e-6)


def test_shapes_that_the_kernel_cannot_take_are_known() -> None:
    """A model with other widths is timed with expanded weights instead of failing."""
    assert not kernels.can_run(nn.Linear(48, 64, bias=False), kernels.run_int4)
    assert not kernels.can_run(nn.Linear(64, 60, bias=False), kernels.run_int4)
    assert not kernels.can_run(nn.Linear(64, 64, bias=True), kernels.run_int4)
