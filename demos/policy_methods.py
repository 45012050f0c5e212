"""Three ways to train one policy, which differ in who writes the answers that it learns from, and who judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.measure import Span, Steps, token_kl
from demos.policy_task import SUMS, Measured, Teacher, measure_writer, score
from demos.tiny_policy import BATCH, Policy

if TYPE_CHECKING:
    from torch import Tensor

GRPO, IMITATION, ON_POLICY_DISTILLATION = "GRPO", "Imitation", "On-policy distillation"
METHODS = (GRPO, IMITATION, ON_POLICY_DISTILLATION)
LEARNING_RATE = (
    5e-3  # of Adam, for all three; of 1e-3 to 2e-2 the one at which GRPO ends best, and near best for others
)
POINTS = 20  # of each curve after its first
SHOWN, SHOWN_SUM = 8, 14  # the answers in the exhibits, and the sum that they were asked for


@dataclass(frozen=True)
class Group:
    """One prompt's group in GRPO: answers [G, 3], scores [G] and advantages [G]."""

    total: int
    answers: Tensor
    scores: Tensor
    advantages: Tensor


@dataclass(frozen=True)
class Learning:
    """One method's run. `curve` is by update; `samples` are answers [8, 3] to one sum at start, middle and end.

    `silent` is the share of GRPO's groups in which all scores were equal; `group` its first with both scores. Of the
    other methods they are 0 and None.
    """

    policy: Policy
    curve: dict[int, Measured]
    samples: dict[str, Tensor]
    silent: float
    group: Group | None


def group_advantages(scores: Tensor) -> Tensor:
    """Scores [P, G] of P groups, less their group's mean, over its standard deviation; 0 where all are equal.

    Outcome supervision of GRPO (Shao et al. 2024, arXiv:2402.03300, section 4.1.2): the group replaces a value model.
    """
    spread = scores.std(1, keepdim=True, correction=0)
    return (scores - scores.mean(1, keepdim=True)) / spread.clamp_min(1e-6)


def grpo_loss(log_probs: Tensor, answers: Tensor, advantages: Tensor) -> Tensor:
    """GRPO with one update a batch: each token's log-probability times its answer's advantage [B], averaged.

    The ratio of new to old policy is then 1, so that clipping never acts, and there is no KL penalty, as in many
    recipes since 2025. `log_probs` are [B, 3, 10], the answers [B, 3].
    """
    taken = log_probs.gather(2, answers[..., None])[..., 0]
    return -(advantages[:, None] * taken).mean()


def imitation_loss(log_probs: Tensor, answers: Tensor) -> Tensor:
    """Cross entropy a token on answers that the teacher wrote (Kim and Rush 2016, arXiv:1606.07947)."""
    from torch.nn.functional import nll_loss

    return nll_loss(log_probs.flatten(0, 1), answers.flatten())


def on_policy_distillation_loss(log_probs: Tensor, graded: Tensor) -> Tensor:
    """Reverse KL(student ‖ teacher) a token, both [B, 3, 10], at the places of answers that the student wrote.

    Agarwal et al. 2023, arXiv:2306.13649, with all answers the student's; sampling is not differentiated.
    """
    return token_kl(log_probs, graded).mean()


def train(
    method: str, start: Policy, teacher: Teacher, updates: int, group_size: int, seed: int, span: Span
) -> Steps[Learning]:
    """Train a copy of the start. Each update learns from 128 answers: `128 // group_size` prompts, a group to each.

    All methods get the same prompts from a seed; imitation's answers are all written before its first update.
    """
    import torch

    prompts, dice, shown = (torch.Generator().manual_seed(3 * seed + i) for i in range(3))
    policy = start.copy()
    optimizer = torch.optim.Adam(policy.parameters(), lr=LEARNING_RATE)
    # [updates, 128]: each prompt as often as its group is large.
    sums = torch.randint(SUMS, (updates, BATCH // group_size), generator=prompts).repeat_interleave(group_size, 1)
    stored = teacher.write(sums.flatten(), dice).view(updates, BATCH, -1) if method == IMITATION else None
    snapshots = {0: "Start", updates // 2: "Middle", updates: "End"}
    measured = {round(i * updates / POINTS) for i in range(POINTS + 1)}
    curve: dict[int, Measured] = {}
    samples: dict[str, Tensor] = {}
    silent, group = 0, None
    for update in range(updates + 1):
        if update in measured:
            yield span.step(update, updates, f"{method}: {update} of {updates} updates")
            curve[update] = measure_writer(policy.log_probs, teacher.log_probs)
        if update in snapshots:
            samples[snapshots[update]] = policy.write(torch.full((SHOWN,), SHOWN_SUM), shown)
        if update == updates:
            break
        asked = sums[update]
        answers = stored[update] if stored is not None else policy.write(asked, dice)
        log_probs = policy.log_probs(asked, answers)
        if method == GRPO:
            scores = score(asked, answers).view(-1, group_size)
            advantages = group_advantages(scores)
            mixed = (scores != scores[:, :1]).any(1)
            silent += int((~mixed).sum())
            if group is None and bool(mixed.any()):
                one = int(mixed.nonzero()[0])
                rows = slice(one * group_size, (one + 1) * group_size)
                group = Group(int(asked[rows.start]), answers[rows], scores[one], advantages[one])
            loss = grpo_loss(log_probs, answers, advantages.flatten())
        elif method == IMITATION:
            loss = imitation_loss(log_probs, answers)
        else:
            loss = on_policy_distillation_loss(log_probs, teacher.log_probs(asked, answers))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    groups = updates * BATCH // group_size
    return Learning(policy, curve, samples, silent / groups, group)
