"""Dense and mixture-of-experts layers (Fedus et al. 2021, Switch Transformers, arXiv:2101.03961), small enough to train.

Every token is a vector of `WIDTH` numbers. A dense layer is one feed-forward block; a mixture of experts has several,
and a router that sends each token to one or two of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demos.seeding import seeded_linear

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module, Sequential

WIDTH = 18
HIDDEN = 12  # of one expert
ROUTER_GAIN = 0.1  # the paper's section 2.4: router weights drawn ten times smaller train more steadily


def feed_forward(hidden: int, source: Generator) -> Sequential:
    """One block, WIDTH → hidden → WIDTH: all of a dense layer, or one expert."""
    import torch

    first, last = seeded_linear(WIDTH, hidden, source), seeded_linear(hidden, WIDTH, source)
    return torch.nn.Sequential(first, torch.nn.ReLU(), last)


def mixture(experts: int, active: int, source: Generator) -> Module:
    """A layer of `experts` feed-forward blocks and a router; each token passes the `active` ones that score highest.

    Calling it with tokens [n, WIDTH] returns their new vectors [n, WIDTH] and the router's scores [n, experts]: a
    softmax over experts. As in the paper an expert's output counts times its score, which is how the router learns.
    """
    import torch

    class Mixture(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.router = seeded_linear(WIDTH, experts, source, ROUTER_GAIN)
            self.experts = torch.nn.ModuleList(feed_forward(HIDDEN, source) for _ in range(experts))

        def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
            scores = self.router(tokens).softmax(-1)
            weights, chosen = scores.topk(active, -1)
            output = torch.zeros_like(tokens)
            for i, expert in enumerate(self.experts):
                place, rank = (chosen == i).nonzero(as_tuple=True)
                if len(place):
                    output = output.index_add(0, place, expert(tokens[place]) * weights[place, rank, None])
            return output, scores

    return Mixture()


def routed(scores: Tensor, active: int) -> Tensor:
    """Which experts take each token, boolean [n, experts], from the router's scores [n, experts]."""
    import torch

    return torch.zeros_like(scores, dtype=torch.bool).scatter(-1, scores.topk(active, -1).indices, True)


def balancing_loss(scores: Tensor, active: int) -> Tensor:
    """Equation 4 of the paper without its factor α: N · Σ fᵢ · Pᵢ over the N experts; 1 where all are equally busy.

    fᵢ is expert i's share of the tokens' choices, Pᵢ its mean score. Only Pᵢ has a gradient.
    """
    taken = routed(scores, active).float().mean(0) / active
    return scores.shape[-1] * (taken * scores.mean(0)).sum()


def parameters(module: Module) -> int:
    """How many weights a module holds."""
    return sum(parameter.numel() for parameter in module.parameters())


def active_parameters(layer: Module, active: int) -> int:
    """The weights of a mixture that one token passes through: the router's, and those of `active` experts."""
    sizes = [parameters(expert) for expert in layer.get_submodule("experts").children()]
    return parameters(layer.get_submodule("router")) + sum(sizes[:active])


def matching_hidden(wanted: int) -> int:
    """The width of a dense layer with about `wanted` parameters; each hidden unit has 2 · WIDTH."""
    return max(1, round(wanted / (2 * WIDTH)))
