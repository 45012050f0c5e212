from __future__ import annotations

import pytest
import torch
from torch.ao.quantization import PerChannelMinMaxObserver

from demos.rounding import quantize_per_channel, quantize_per_group


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_per_channel_equals_torchs_own_quantizer(bits: int) -> None:
    """With the same scale and minimum, the values are those of torch.fake_quantize_per_channel_affine."""
    torch.manual_seed(0)
    weight = torch.randn(6, 64)
    low, high = weight.amin(1), weight.amax(1)
    minimum = low.half().float()
    scale = ((high - minimum) / (2**bits - 1)).half().float()
    theirs = torch.fake_quantize_per_channel_affine(weight, scale, -minimum / scale, 0, 0, 2**bits - 1)
    assert torch.allclose(quantize_per_channel(weight, bits).values(), theirs, atol=1e-5)


@pytest.mark.parametrize(("bits", "group"), [(2, 32), (4, 64), (8, 128)])
def test_groups_equal_torchs_own_quantizer_and_observer(bits: int, group: int) -> None:
    """A group is a channel of torch.ao.quantization's observer, which finds the same scales from the weights alone."""
    torch.manual_seed(3)
    weight = torch.randn(4, 256)
    observer = PerChannelMinMaxObserver(
        ch_axis=0,
        dtype=torch.quint8,
        qscheme=torch.per_channel_affine_float_qparams,
        quant_min=0,
        quant_max=2**bits - 1,
    )
    channels = observer(weight.view(-1, group))
    scale, zero = observer.calculate_qparams()
    theirs = torch.fake_quantize_per_channel_affine(channels, scale, zero, 0, 0, 2**bits - 1).view(4, 256)
    ours = quantize_per_group(weight, bits, group)
    assert torch.allclose(ours.scale.float().flatten(), scale, rtol=2e-3)
    # Scales and minima in fp16 move a weight a little, and the few at a tie by a whole step.
    apart = (ours.values() - theirs).abs() > 0.02
    assert float(apart.float().mean()) < 0.02


@pytest.mark.parametrize(("bits", "group"), [(2, 32), (4, 64), (6, 128), (8, 64)])
def test_no_weight_moves_further_than_half_a_step(bits: int, group: int) -> None:
    """Round to nearest: the error is at most half of (max - min) / (2^bits - 1) of the weight's own group."""
    torch.manual_seed(1)
    weight = torch.randn(5, 256) * 0.03
    error = (quantize_per_group(weight, bits, group).values() - weight).abs().view(5, -1, group)
    grouped = weight.view(5, -1, group)
    step = (grouped.amax(2) - grouped.amin(2)) / (2**bits - 1)
    assert bool((error.amax(2) <= 0.5 * step * 1.01 + 3e-5).all())
    assert float(error.mean()) > 0


def test_groups_have_their_own_scale() -> None:
    """An outlier spoils its own group only; by channel it spoils the row."""
    weight = torch.linspace(-1, 1, 128).repeat(2, 1)
    weight[:, 0] = 100.0
    grouped, whole = quantize_per_group(weight, 4, 64), quantize_per_channel(weight, 4)
    assert float((grouped.values() - weight)[:, 64:].abs().max()) < 0.05
    assert float((whole.values() - weight)[:, 64:].abs().max()) > 0.2


def test_at_most_two_to_the_bits_values_a_group() -> None:
    """3 bits allow eight values a group and not nine."""
    values = quantize_per_group(torch.randn(4, 64), 3, 32).values().view(4, 2, 32)
    assert max(len(group.unique()) for row in values for group in row) == 8


def test_weights_on_the_q4_1_grid_come_back_exactly_in_groups_of_32_only() -> None:
    """Why the summary warns of groups of 32: weights once stored as Q4_1 look lossless on their own blocks."""
    torch.manual_seed(2)
    published = quantize_per_group(torch.randn(8, 128), 4, 32).values()
    assert torch.allclose(quantize_per_group(published, 4, 32).values(), published, atol=2e-3)
    assert float((quantize_per_group(published, 4, 64).values() - published).abs().max()) > 0.05


def test_a_short_last_group_and_a_constant_group_are_kept() -> None:
    """576 columns in groups of 128 leave a rest of 64; a group of equal weights has no range to divide by."""
    weight = torch.randn(3, 80)
    weight[1, 64:] = 0.25
    rounded = quantize_per_group(weight, 8, 64)
    assert rounded.values().shape == (3, 80) and rounded.scale.shape == (3, 2)
    assert torch.allclose(rounded.values(), weight, atol=0.02)
    assert torch.equal(rounded.values()[1, 64:], weight[1, 64:])


def test_stored_bits_count_codes_scales_and_minima() -> None:
    """4 bits on groups of 64 with 16 bits each for scale and minimum are 4.5 bits a weight."""
    assert quantize_per_group(torch.randn(2, 128), 4, 64).stored_bits() == 2 * 128 * 4.5


@pytest.mark.parametrize(("bits", "group"), [(0, 64), (9, 64), (4, 0)])
def test_impossible_settings_are_refused(bits: int, group: int) -> None:
    """Nine bits do not fit the codes' byte."""
    with pytest.raises(ValueError, match="got"):
        quantize_per_group(torch.randn(2, 64), bits, group)
