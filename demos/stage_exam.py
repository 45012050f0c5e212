"""What is asked of the model after each stage: questions, the same sums as text, and held-out documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.stage_texts import END, Corpus, Pair, Words, answers, encode, prompts, question, read, statement, windows
from demos.stage_training import answer_losses
from demos.tiny_transformer import continue_text

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module

TRIES = 8  # sampled answers to each question
ROWS = 24  # of 32 tokens, held-out documents of each kind
SHOWN = 12  # tokens of an exhibit


@dataclass(frozen=True)
class Scores:
    """Shares from 0 to 1. `accuracy`: of sampled answers that are exactly right, and at once followed by `<end>`;
    `best_of_8`: of questions with a right one among 8; `as_text`: of sampled results of the same sums as text."""

    accuracy: float
    best_of_8: float
    as_text: float


class Exam:
    """The questions are `pairs`; the documents are drawn from a seed that training does not use."""

    def __init__(self, pairs: tuple[Pair, ...], corpus: Corpus) -> None:
        self._pairs = pairs
        self._questions = prompts([question(pair) for pair in pairs])
        self._texts = prompts([statement(pair)[:-2] for pair in pairs])
        self._answers = answers(pairs)
        self._stories = windows(corpus.story, ROWS)
        self._sums = windows(lambda: corpus.arithmetic(0.0), ROWS)

    def grade(self, model: Module, source: Generator) -> Scores:
        """Shares of right answers, of questions right in eight tries, and of sums continued rightly as text."""
        right = self._answers.repeat_interleave(TRIES, 0)
        given = continue_text(model, self._questions, 2, source, TRIES)
        hits = (given == right).all(1).view(-1, TRIES)
        results = continue_text(model, self._texts, 1, source, TRIES)
        return Scores(
            accuracy=float(hits.float().mean()),
            best_of_8=float(hits.any(1).float().mean()),
            as_text=float((results[:, 0] == right[:, 0]).float().mean()),
        )

    def losses(self, model: Module) -> dict[str, float]:
        """Mean cross entropy in nats a token on held-out stories, sums as text, and answers to the questions."""
        import torch

        with torch.inference_mode():
            return {
                "stories": _text_loss(model, self._stories),
                "sums": _text_loss(model, self._sums),
                "answers": float(answer_losses(model, self._questions, self._answers).mean()),
            }

    def show(self, model: Module) -> str:
        """The likeliest continuations (greedy) of two questions, a sum as text and the beginning of a story."""
        one, two = self._pairs[:2]
        starts = [question(one), question(two), statement(one)[:-2], ["the", "small", "cat"]]
        return "\n".join(_continuation(model, start) for start in starts)


def _text_loss(model: Module, ids: Tensor) -> float:
    from torch.nn.functional import cross_entropy

    return float(cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()))


def _continuation(model: Module, start: Words) -> str:
    ids = continue_text(model, prompts([start]), SHOWN)[0].tolist()
    (end,) = encode([END])
    shown = read(ids[: ids.index(end) + 1]) if end in ids else f"{read(ids)} …"
    return f"{read(encode(start))} → {shown}"
