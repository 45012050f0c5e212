"""LoRA (Hu et al. 2021, arXiv:2106.09685) and its QLoRA form (Dettmers et al. 2023, arXiv:2305.14314) in a few lines.

QLoRA stores the frozen weights in 4 bits and expands them for each product. Its paper uses the NF4 grid and groups of
64; here it is round-to-nearest in groups of 32, 5 bits a weight with scales and minima.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from demos.rounding import Rounded, quantize_per_group

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Linear, Module
    from torch.optim import Optimizer

BITS, GROUP = 4, 32


def quantized_linear(layer: Linear) -> Module:
    """A frozen linear layer that holds its weight as 4-bit codes, two a byte, and expands them whenever it is called."""
    import torch
    from torch.nn.functional import linear
    from torch.utils.checkpoint import checkpoint

    class QuantizedLinear(torch.nn.Module):
        packed: Tensor
        scale: Tensor
        minimum: Tensor

        def __init__(self) -> None:
            super().__init__()
            rounded = quantize_per_group(layer.weight, BITS, GROUP)
            self.register_buffer("packed", rounded.codes[:, ::2] | rounded.codes[:, 1::2] << BITS)
            self.register_buffer("scale", rounded.scale)
            self.register_buffer("minimum", rounded.minimum)

        @property
        def weight(self) -> Tensor:
            """The weights that the codes stand for, fp32 [outputs, inputs]."""
            codes = torch.stack([self.packed & 2**BITS - 1, self.packed >> BITS], -1).flatten(1)
            return Rounded(codes, self.scale, self.minimum, GROUP, BITS).values()

        def forward(self, x: Tensor) -> Tensor:
            # Without a checkpoint the expanded weights of all layers would be held until the backward pass.
            output: Tensor = checkpoint(
                lambda read: linear(read, self.weight), x, use_reentrant=False, preserve_rng_state=False
            )
            return output

    return QuantizedLinear()


def lora_linear(base: Module, rank: int, alpha: float, source: Generator) -> Module:
    """`base` (a frozen linear layer, plain or quantized) plus x · Aᵀ · Bᵀ · alpha / rank.

    A [rank, inputs] starts random and B [outputs, rank] at zero, so that training starts from the base's own output.
    """
    import torch

    outputs, inputs = _weight(base).shape

    class LoraLinear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base = base
            self.a = torch.nn.Parameter(torch.randn(rank, inputs, generator=source) / inputs**0.5)
            self.b = torch.nn.Parameter(torch.zeros(outputs, rank))
            self.scale = alpha / rank

        def forward(self, x: Tensor) -> Tensor:
            output: Tensor = self.base(x) + x @ self.a.T @ self.b.T * self.scale
            return output

        def merged(self) -> Tensor:
            """The one matrix [outputs, inputs] that does the same: W + B · A · alpha / rank."""
            return (_weight(self.base) + self.b @ self.a * self.scale).detach()

    return LoraLinear()


def _weight(layer: Module) -> Tensor:
    import torch

    assert isinstance(layer.weight, torch.Tensor)
    return layer.weight


def adapt(model: Module, rank: int, alpha: float, source: Generator, quantize: bool = False) -> None:
    """Freeze the model and put an adapter beside each linear layer of its blocks; with `quantize`, as QLoRA does."""
    import torch

    model.requires_grad_(False)
    for block in model.get_submodule("blocks").children():
        for name, layer in list(block.named_children()):
            if isinstance(layer, torch.nn.Linear):
                base = quantized_linear(layer) if quantize else layer
                setattr(block, name, lora_linear(base, rank, alpha, source))


def trained(model: Module) -> list[Tensor]:
    """The parameters that training changes."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def memory_mb(model: Module, optimizer: Optimizer) -> Mapping[str, float]:
    """MB (10^6 bytes) that the tensors of a training step take: weights, gradients and what Adam remembers.

    Activations are not among them: they depend on the batch, and hardly on the method.
    """
    parameters = list(model.parameters())
    state = [value for values in optimizer.state.values() for value in values.values()]
    return {
        "weights": _mb([*parameters, *model.buffers()]),
        "gradients": _mb(parameter.grad for parameter in parameters if parameter.grad is not None),
        "adam": _mb(state),
    }


def _mb(tensors: Iterable[Tensor]) -> float:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e6
