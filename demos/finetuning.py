"""Training a small decoder on letters: pretraining and every way of fine-tuning, by the same loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos import letters
from demos.adapters import trained
from demos.measure import Span, Steps

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

READ_EVERY = 10  # steps
READ_WINDOWS = 32


@dataclass(frozen=True)
class Rates:
    """The learning rate: it rises for some steps towards its peak, and falls to nearly nothing over all of them."""

    peak: float
    warm_up: int = 5

    def at(self, step: int, steps: int) -> float:
        """The rate of one step, counted from 0, of `steps`."""
        return self.peak * min(1.0, (step + 1) / self.warm_up) * (1 - 0.95 * step / steps)


PRETRAINING, PRETRAINING_STEPS = Rates(6e-3, warm_up=10), 120


@dataclass(frozen=True)
class Log:
    """Held-out losses in nats by step, in the order of the texts given; `optimizer` still has its state."""

    losses: Mapping[int, Sequence[float]]
    optimizer: Optimizer


def train(
    model: Module,
    text: Tensor,
    source: Generator,
    rates: Rates,
    steps: int,
    span: Span,
    note: str,
    held_out: Sequence[Tensor] = (),
) -> Steps[Log]:
    """Train what is not frozen with Adam on windows drawn from `text`; gradients of the last step are left in place."""
    import torch

    windows = [letters.spread_windows(some, READ_WINDOWS) for some in held_out]
    optimizer = torch.optim.Adam(trained(model), rates.peak)
    losses: dict[int, list[float]] = {}
    for step in range(steps + 1):
        if step % 2 == 0:
            yield span.step(step, steps, note)
        if windows and (step % READ_EVERY == 0 or step == steps):
            with torch.no_grad():
                losses[step] = [float(letters.letter_loss(model, some)) for some in windows]
        if step == steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = rates.at(step, steps)
        optimizer.zero_grad()
        letters.letter_loss(model, letters.draw_windows(text, letters.BATCH, source)).backward()
        optimizer.step()
    return Log(losses, optimizer)


def share_changed(before: Module, after: Module) -> float:
    """The share of the weights of `before` that have another value in `after`, under whatever name they are kept."""
    known = dict(after.named_parameters())
    changed = count = 0
    for name, weight in before.named_parameters():
        layer, _, end = name.rpartition(".")
        kept = known.get(name, known.get(f"{layer}.base.{end}"))
        assert kept is not None
        changed += int((weight != kept).sum())
        count += weight.numel()
    return changed / count
