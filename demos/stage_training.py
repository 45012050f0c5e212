"""The three ways to train in the stages of a language model: on running text, on given answers, on rewards.

Each function is a generator that makes one training step at a time and yields after it, so that a run can stop there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from demos.policy_methods import group_advantages
from demos.stage_texts import Corpus, Pair, Words, answers, prompts, question, windows
from demos.tiny_transformer import continue_text

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module

ROWS = 16  # of 32 tokens, in a step on running text
EXAMPLES = 16  # question-answer pairs in a step of SFT
ASKED, GROUP = 32, 8  # questions in a step of RL, and the model's own answers to each
SFT_RATE, RL_RATE = 1e-3, 5e-4  # learning rates of AdamW


def read_texts(model: Module, write: Callable[[], Words], steps: int, rate: float) -> Iterator[None]:
    """Next-token prediction on documents from `write`: pretraining, and mid-training with another corpus."""
    from torch.nn.functional import cross_entropy

    def loss() -> Tensor:
        ids = windows(write, ROWS)
        return cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())

    return _descend(model, loss, steps, rate, warmup=20)


def imitate_answers(model: Module, corpus: Corpus, pairs: Sequence[Pair], steps: int) -> Iterator[None]:
    """SFT: the loss counts the answers' tokens only (Ouyang et al. 2022, InstructGPT, arXiv:2203.02155)."""

    def loss() -> Tensor:
        drawn = corpus.draw(pairs, EXAMPLES)
        asked = prompts([question(pair) for pair in drawn])
        return answer_losses(model, asked, answers(drawn)).mean()

    return _descend(model, loss, steps, SFT_RATE, warmup=5)


def seek_rewards(model: Module, corpus: Corpus, pairs: Sequence[Pair], steps: int, source: Generator) -> Iterator[None]:
    """RL with verifiable rewards: the model answers each question 8 times, and a checker rewards exact matches with 1.

    The update is GRPO's (Shao et al. 2024, arXiv:2402.03300) with one step a batch and no KL penalty: answers that
    beat their group's mean become likelier, the others less likely. No right answer is shown to the model.
    """

    def loss() -> Tensor:
        drawn = corpus.draw(pairs, ASKED)
        asked = prompts([question(pair) for pair in drawn])
        given = continue_text(model, asked, 2, source, GROUP)
        rewards = (given == answers(drawn).repeat_interleave(GROUP, 0)).all(1).float().view(ASKED, GROUP)
        return (
            answer_losses(model, asked.repeat_interleave(GROUP, 0), given).sum(1) * group_advantages(rewards).flatten()
        ).mean()

    return _descend(model, loss, steps, RL_RATE, warmup=5)


def answer_losses(model: Module, asked: Tensor, given: Tensor) -> Tensor:
    """Cross entropy in nats [n, A] of each token of the answers `given` [n, A] to the prompts `asked` [n, T]."""
    import torch
    from torch.nn.functional import cross_entropy

    logits = model(torch.cat([asked, given[:, :-1]], 1))[:, -given.shape[1] :]
    return cross_entropy(logits.transpose(1, 2), given, reduction="none")


def _descend(model: Module, loss: Callable[[], Tensor], steps: int, rate: float, warmup: int) -> Iterator[None]:
    """AdamW; its learning rate rises over `warmup` steps and falls linearly to a tenth."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / warmup) * (1 - 0.9 * step / steps)
        optimizer.zero_grad()
        torch.autograd.backward(loss())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield
