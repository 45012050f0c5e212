"""Weights in blocks: the same products, and plain ones where there are no such kernels."""

from __future__ import annotations

import pytest
import torch

from knowledge import bert
from tutor import packed
from tutor.engines.quantized import Linear

PACKED = {
    torch.float32: torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512"),
    torch.bfloat16: torch.ops.mkldnn._is_mkldnn_bf16_supported(),
}
"""What this CPU's kernels take in blocks."""


def weight(dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    return torch.randn(96, 64, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("rows", [1, 3, 8, 40, 200])
@pytest.mark.parametrize(("dtype", "near"), [(torch.bfloat16, 0.05), (torch.float32, 1e-5)])
def test_products_are_those_of_the_plain_weight(rows: int, dtype: torch.dtype, near: float) -> None:
    """However many learners' rows there are, on CPUs with bf16 and without."""
    assert (packed.pack(weight(dtype)) is not None) is PACKED[dtype]
    x = torch.randn(rows, 64, generator=torch.Generator().manual_seed(rows)).to(dtype)
    plain = torch.nn.functional.linear(x, weight(dtype)).float()
    assert torch.allclose(Linear(weight(dtype), int8=False)(x).float(), plain, rtol=near / 5, atol=near)


@pytest.mark.parametrize("packs", [True, False])
def test_the_encoders_layers_add_their_bias(packs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: the sentence encoder, on CPUs for which its weights are laid out and on others."""
    if not packs:
        monkeypatch.setattr(bert, "pack", lambda weight: None)
    w, x, bias = weight(torch.float32), torch.ones(3, 64), torch.arange(96.0)
    assert torch.allclose(bert.Dense(w, bias)(x), torch.nn.functional.linear(x, w, bias), atol=1e-4)


def test_other_types_stay_plain() -> None:
    """What no kernel takes is computed as transformers does."""
    assert packed.pack(weight(torch.float64)) is None


def test_a_build_without_the_operators_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: a start that fails on a machine whose PyTorch comes without oneDNN."""

    def missing(x: torch.Tensor, blocks: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("no such operator")

    monkeypatch.setattr(packed, "packed_linear", missing)
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(3)).bfloat16()
    assert packed.pack(weight()) is None
    assert torch.equal(Linear(weight(), int8=False)(x), torch.nn.functional.linear(x, weight()))


@pytest.mark.parametrize("capability", ["AVX512_VNNI", "DEFAULT"])
def test_wide_numbers_are_laid_out_only_where_that_was_measured(
    capability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects: CPUs on which nobody found fp32 in blocks to be faster."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert packed.pack(weight(torch.float32)) is None
