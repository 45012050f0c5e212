"""A task that a program can check: write three digits that add up to a given number, 14 as "5 4 5" or "9 5 0".

Any digits with the right sum count, so that a policy can be right in its own way or in its teacher's. With 28 sums and
1,000 answers each, expectations over a policy's own answers are sums over all of them: exact, without sampling noise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Generator, Tensor

DIGITS, LENGTH = 10, 3
SUMS = LENGTH * (DIGITS - 1) + 1
Writer: TypeAlias = Callable[["Tensor", "Tensor"], "Tensor"]
"""From sums [B] and answers [B, 3], log-probabilities [B, 3, 10] of each place's digit given those before it."""

SPREAD = 0.4  # digits that the teacher strays from an equal share; it gives 14 as 5 4 5 or 5 5 4, rarely as 6 4 4
LEFT_OVER = 1e-4  # what even a sure teacher leaves to each other digit, so that KL to it stays finite


def score(sums: Tensor, answers: Tensor) -> Tensor:
    """The verifier: 1 where the digits [B, 3] add up to the sum [B], else 0."""
    return (answers.sum(1) == sums).float()


@dataclass(frozen=True)
class Teacher:
    """Stands in for a stronger model: spreads the sum evenly, and gets the last digit wrong at a known rate.

    It is a rule and not a network, so its accuracy is what the learner sets (less at most 0.3 points of `LEFT_OVER`).
    """

    accuracy: float

    def log_probs(self, sums: Tensor, answers: Tensor) -> Tensor:
        """A `Writer`. Asked about digits that it would not have written, it makes the best of what is left."""
        import torch
        from torch.nn.functional import pad

        digits = torch.arange(DIGITS)
        rest = sums[:, None] - pad(answers.cumsum(1)[:, :-1], (1, 0))
        places = torch.arange(LENGTH, 0, -1)
        share = (rest / places).clamp(0, DIGITS - 1)
        after = rest[..., None] - digits
        possible = (after >= 0) & (after <= (DIGITS - 1) * (places[:, None] - 1))
        near = torch.exp(-((digits - share[..., None]) ** 2) / (2 * SPREAD**2)) * possible + 1e-12
        early = near / near.sum(-1, keepdim=True) * (1 - DIGITS * LEFT_OVER) + LEFT_OVER
        wrong = max(1 - self.accuracy, (DIGITS - 1) * LEFT_OVER)
        last = torch.full((len(sums), DIGITS), wrong / (DIGITS - 1))
        last.scatter_(1, rest[:, -1:].clamp(0, DIGITS - 1), 1 - wrong)
        return torch.cat([early[:, :-1], last[:, None]], 1).log()

    def write(self, sums: Tensor, generator: Generator) -> Tensor:
        """Answers [B, 3] to the sums [B]."""
        import torch

        answers = torch.zeros(len(sums), LENGTH, dtype=torch.long)
        for place in range(LENGTH):
            chances = self.log_probs(sums, answers)[:, place].exp()
            answers[:, place] = torch.multinomial(chances, 1, generator=generator)[:, 0]
        return answers


@dataclass(frozen=True)
class Measured:
    """`reward` is the share of right answers, `kl` in nats an answer."""

    reward: float
    kl: float


def measure_writer(writer: Writer, teacher: Writer) -> Measured:
    """Mean reward, and KL(writer ‖ teacher), over the writer's own answers, averaged over the 28 sums."""
    import torch

    with torch.no_grad():
        own = all_answers(writer)
        kl = (own.double().exp() * (own - all_answers(teacher))).sum() / SUMS
        return Measured(float(_right(own).mean()), float(kl))


def reward_by_sum(writer: Writer) -> list[float]:
    """The share of the writer's answers that are right, for each of the 28 sums."""
    import torch

    with torch.no_grad():
        return [float(share) for share in _right(all_answers(writer))]


def _right(log_probs: Tensor) -> Tensor:
    """Of log-probabilities [28, 10, 10, 10], the probability of right answers [28]."""
    import torch

    digit = torch.arange(DIGITS)
    totals = digit[:, None, None] + digit[:, None] + digit
    right = totals == torch.arange(SUMS)[:, None, None, None]
    return (log_probs.double().exp() * right).sum((1, 2, 3))


def all_answers(writer: Writer) -> Tensor:
    """Log-probability of every answer to every sum, shape [28, 10, 10, 10]."""
    import torch

    digit = torch.arange(DIGITS)
    # The last place's distribution doesn't depend on its own digit: 100 beginnings tell about 1,000 answers.
    beginnings = torch.cartesian_prod(digit, digit, torch.zeros(1, dtype=torch.long))
    sums = torch.arange(SUMS).repeat_interleave(len(beginnings))
    places = writer(sums, beginnings.repeat(SUMS, 1)).view(SUMS, DIGITS, DIGITS, LENGTH, DIGITS)
    return places[:, 0, 0, 0, :, None, None] + places[:, :, 0, 1, :, None] + places[:, :, :, 2]


def worded(total: int, answers: Tensor) -> str:
    """Answers [n, 3] to one sum as a learner reads them, equal ones counted: "5+4+5 ✓ (3 of 4)\n9+9+1 ✗ (1 of 4)"."""
    counts = Counter(tuple(answer) for answer in answers.tolist())
    return "\n".join(
        f"{'+'.join(map(str, answer))} {'✓' if sum(answer) == total else '✗'} ({count} of {len(answers)})"
        for answer, count in counts.most_common()
    )
