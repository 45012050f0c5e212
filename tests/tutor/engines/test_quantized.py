"""int8 for single rows: close to the weights, and only where it is meant to run."""

from __future__ import annotations

import torch

from tutor.engines.quantized import ROWS, Linear, quantize_per_channel


def weight() -> torch.Tensor:
    return torch.randn(96, 64, generator=torch.Generator().manual_seed(1)).bfloat16()


def test_codes_are_within_half_a_step() -> None:
    """Round to nearest: no weight moves by more than half its channel's scale, and the largest is kept."""
    codes, scales = quantize_per_channel(weight())
    wanted = weight().float()
    step = wanted.abs().amax(1, keepdim=True) / 127
    assert codes.dtype == torch.int8 and int(codes.abs().max()) == 127
    assert ((codes * step - wanted).abs() <= step * 0.5001).all()
    assert torch.allclose(scales.float(), step[:, 0], rtol=0.01)


def test_few_rows_take_int8_and_many_the_weight() -> None:
    """Few rows come near the exact product without being it; many rows are it."""
    linear, exact = Linear(weight(), int8=True), Linear(weight(), int8=False)
    for rows in (1, ROWS):
        x = torch.randn(rows, 64, generator=torch.Generator().manual_seed(rows)).bfloat16()
        error = (linear(x) - exact(x)).float().norm() / exact(x).float().norm()
        assert 0 < error < 0.02
    many = torch.randn(ROWS + 1, 64, generator=torch.Generator().manual_seed(9)).bfloat16()
    assert torch.equal(linear(many), exact(many))


def test_a_channel_of_zeros_stays_zero() -> None:
    """No division by a zero scale."""
    codes, scales = quantize_per_channel(torch.zeros(2, 4).bfloat16())
    assert not codes.any() and torch.isfinite(scales.float()).all()
