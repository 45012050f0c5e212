"""Layers whose first weights come from a generator of their own, so that a run repeats and no global seed is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator
    from torch.nn import Embedding, Linear


def generator(seed: int, stream: int = 0) -> Generator:
    """A generator for one purpose of a run (`stream`: weights, training data, …), independent of the other ones."""
    import torch

    return torch.Generator().manual_seed(1_000 * seed + stream)


def seeded_linear(inputs: int, outputs: int, source: Generator, gain: float = 1.0) -> Linear:
    """A linear layer without bias, weight [outputs, inputs] drawn from N(0, gain² / inputs)."""
    import torch
    from torch.nn.utils import skip_init

    layer = skip_init(torch.nn.Linear, inputs, outputs, bias=False)
    torch.nn.init.normal_(layer.weight, std=gain / inputs**0.5, generator=source)
    return layer


def seeded_embedding(rows: int, width: int, source: Generator, std: float = 1.0) -> Embedding:
    """An embedding table [rows, width] drawn from N(0, std²)."""
    import torch
    from torch.nn.utils import skip_init

    table = skip_init(torch.nn.Embedding, rows, width)
    torch.nn.init.normal_(table.weight, std=std, generator=source)
    return table
