"""A policy small enough to train in a second: a recurrent network that writes an answer digit by digit."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.policy_task import DIGITS, LENGTH, SUMS

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import GRU, Embedding, Linear, Parameter

WIDTH = 48
WARM_UP = 40  # updates; with none, the policy is so seldom right that GRPO has little to start from
BATCH = 128  # answers an update learns from, in the warm-up and in each method


@dataclass(frozen=True)
class Policy:
    """Reads the sum as one token, then its own digits (GRU, Cho et al. 2014, arXiv:1406.1078)."""

    embedding: Embedding
    gru: GRU
    head: Linear

    def log_probs(self, sums: Tensor, answers: Tensor) -> Tensor:
        """Log-probabilities [B, 3, 10] of each place's digit, for sums [B] and answers [B, 3] (a `Writer`)."""
        import torch

        tokens = torch.cat([sums[:, None] + DIGITS, answers[:, :-1]], 1)
        logits: Tensor = self.head(self.gru(self.embedding(tokens))[0])
        return logits.log_softmax(-1)

    def write(self, sums: Tensor, generator: Generator) -> Tensor:
        """Sample answers [B, 3] to the sums [B] at temperature 1."""
        import torch

        token, state, digits = sums[:, None] + DIGITS, None, []
        with torch.no_grad():
            for _ in range(LENGTH):
                output, state = self.gru(self.embedding(token), state)
                token = torch.multinomial(self.head(output[:, 0]).softmax(-1), 1, generator=generator)
                digits.append(token)
        return torch.cat(digits, 1)

    def copy(self) -> Policy:
        """A policy of equal weights that can be trained apart."""
        return deepcopy(self)

    def parameters(self) -> list[Parameter]:
        """All weights, for an optimizer."""
        return [p for part in (self.embedding, self.gru, self.head) for p in part.parameters()]


def new_policy(generator: Generator) -> Policy:
    """Random weights, drawn as PyTorch draws them but from the generator, so that nothing global moves."""
    import torch
    from torch import nn

    with torch.device("meta"):
        embedding = nn.Embedding(DIGITS + SUMS, WIDTH)
        gru, head = nn.GRU(WIDTH, WIDTH, batch_first=True), nn.Linear(WIDTH, DIGITS)
    for part in (embedding, gru, head):
        part.to_empty(device="cpu")
    with torch.no_grad():
        embedding.weight.normal_(generator=generator)
        for parameter in (*gru.parameters(), *head.parameters()):
            parameter.uniform_(-(WIDTH**-0.5), WIDTH**-0.5, generator=generator)
    return Policy(embedding, gru, head)


def warm_up(generator: Generator) -> Policy:
    """The start of all methods: shown random digits with their sum for a moment, it is right now and then."""
    import torch
    from torch.nn.functional import nll_loss

    policy = new_policy(generator)
    optimizer = torch.optim.Adam(policy.parameters(), lr=3e-3)
    for _ in range(WARM_UP):
        answers = torch.randint(DIGITS, (BATCH, LENGTH), generator=generator)
        loss = nll_loss(policy.log_probs(answers.sum(1), answers).flatten(0, 1), answers.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return policy
