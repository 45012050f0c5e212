"""Weights in blocks: the same products, and plain ones where there are no such kernels."""

from __future__ import annotations

import pytest
import torch

from tutor.engines import packed
from tutor.engines.quantized import Linear


def weight(dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    return torch.randn(96, 64, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("rows", [1, 3, 8, 40, 200])
def test_products_are_those_of_the_plain_weight(rows: int) -> None:
    """However many learners' rows there are."""
    x = torch.randn(rows, 64, generator=torch.Generator().manual_seed(rows)).bfloat16()
    plain = torch.nn.functional.linear(x, weight()).float()
    assert torch.allclose(Linear(weight(), int8=False)(x).float(), plain, rtol=0.01, atol=0.05)


def test_other_types_stay_plain_and_exact() -> None:
    """fp32 is computed as transformers does."""
    assert packed.pack(weight(torch.float32)) is None
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(3))
    w = weight(torch.float32)
    assert torch.equal(Linear(w, int8=False)(x), torch.nn.functional.linear(x, w))


def test_a_build_without_the_operators_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: a start that fails on a machine whose PyTorch comes without oneDNN."""

    def missing(x: torch.Tensor, blocks: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("no such operator")

    monkeypatch.setattr(packed, "packed_linear", missing)
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(3)).bfloat16()
    assert packed.pack(weight()) is None
    assert torch.equal(Linear(weight(), int8=False)(x), torch.nn.functional.linear(x, weight()))
