"""A made-up task with several kinds of tokens, each with a hidden rule of its own, and networks that learn it.

A token is its kind (digits, letters, …) and 12 numbers that stand for what attention gathered from the text before it.
The right one of four answers follows from those numbers by a fixed random network: another one for each kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos import moe
from demos.measure import Span, Steps
from demos.seeding import generator, seeded_embedding, seeded_linear

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

KINDS = ("digits", "letters", "capitals", "punctuation", "brackets", "operators")
CONTEXT = 12  # numbers that describe the text before a token
ANSWERS = 4
RULE_HIDDEN = 6
BATCH, STEPS, LEARNING_RATE = 512, 400, 1e-2
HELD_OUT = 8_192
BALANCE = 0.1  # the paper's α is 0.01 for long training; a few hundred steps need a stronger pull


@dataclass(frozen=True)
class Tokens:
    """`kind` [n] and `context` [n, CONTEXT] are what a network sees, `answer` [n] is what it must tell."""

    kind: Tensor
    context: Tensor
    answer: Tensor


def draw_tokens(count: int, seed: int, stream: int) -> Tokens:
    """Tokens of all kinds, equally often. The rules depend on the seed only, not on the stream."""
    import torch

    rules, source = generator(seed), generator(seed, stream)
    first = torch.randn(len(KINDS), CONTEXT, RULE_HIDDEN, generator=rules) * 2 / CONTEXT**0.5
    last = torch.randn(len(KINDS), RULE_HIDDEN, ANSWERS, generator=rules)
    kind = torch.randint(len(KINDS), (count,), generator=source)
    context = torch.randn(count, CONTEXT, generator=source)
    hidden = torch.einsum("nc,nch->nh", context, first[kind]).tanh()
    return Tokens(kind, context, torch.einsum("nh,nha->na", hidden, last[kind]).argmax(-1))


def training_batches(seed: int) -> list[Tokens]:
    """What every network of a run is trained on, in this order."""
    pool = draw_tokens(BATCH * STEPS, seed, 1)
    parts = (part.split(BATCH) for part in (pool.kind, pool.context, pool.answer))
    return [Tokens(*batch) for batch in zip(*parts, strict=True)]


def network(layer: Module, seed: int) -> Module:
    """A network around one layer; calling it with kind and context returns answer logits [n, ANSWERS] and the scores.

    The scores are the router's [n, experts]; where the layer is dense, [n, 0].
    """
    import torch

    source = generator(seed, 2)

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kinds = seeded_embedding(len(KINDS), moe.WIDTH - CONTEXT, source)
            self.layer = layer
            self.head = seeded_linear(moe.WIDTH, ANSWERS, source)

        def forward(self, kind: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
            tokens = torch.cat([self.kinds(kind), context], -1)
            out = self.layer(tokens)
            output, scores = out if isinstance(out, tuple) else (out, out[:, :0])
            return self.head(tokens + output), scores

    return Network()


def train(model: Module, batches: Sequence[Tokens], balance: float, active: int, span: Span, note: str) -> Steps[None]:
    """Train with Adam on cross entropy, plus `balance` times the balancing loss (0 without a router)."""
    import torch
    from torch.nn.functional import cross_entropy

    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    for i, batch in enumerate(batches):
        if i % 10 == 0:
            yield span.step(i, len(batches), note)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 - 0.9 * i / len(batches))
        logits, scores = model(batch.kind, batch.context)
        loss = cross_entropy(logits, batch.answer)
        if balance:
            loss = loss + balance * moe.balancing_loss(scores, active)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@dataclass(frozen=True)
class Reading:
    """Held-out loss (nats), share of right answers, FLOPs a token, and a router's scores [n, experts], else [n, 0]."""

    loss: float
    accuracy: float
    flops: float
    scores: Tensor

    def kind_shares(self, kind: Tensor, active: int) -> Tensor:
        """Of each kind's tokens, the share that each expert takes, [kinds, experts]; a row adds up to `active`."""
        import torch

        taken = moe.routed(self.scores, active).double()
        return torch.stack([taken[kind == i].mean(0) for i in range(len(KINDS))])

    def load(self, active: int) -> dict[str, float]:
        """How busy the experts are. An idle one takes less than a tenth of an equal share of the tokens."""
        taken = moe.routed(self.scores, active).double().mean(0)
        idle = int((taken < 0.1 * active / len(taken)).sum())
        return {"busiest_share": float(taken.max()), "idle_experts": idle}


def read(model: Module, tokens: Tokens) -> Reading:
    """Measure a trained network on held-out tokens. FLOPs are those of its matrix products, counted as they run."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        logits, scores = model(tokens.kind, tokens.context)
    loss = float(cross_entropy(logits, tokens.answer))
    right = float((logits.argmax(-1) == tokens.answer).double().mean())
    return Reading(loss, right, counter.get_total_flops() / len(tokens.kind), scores)
