"""Speculative decoding of letters: a draft model guesses some, the large one checks all of them in one pass (Leviathan et al. 2022, arXiv:2211.17192).

Each place of a text has its own throw of the dice, the same for every model: the letter with the largest logit / temperature plus noise is a sample of the
softmax (Gumbel-max, Maddison et al. 2014, arXiv:1411.0030). So "the letter that the large model would have written" is one letter even where letters are drawn.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.letters import LETTERS
from demos.measure import Span, Steps

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module


@dataclass(frozen=True)
class Dice:
    """Gumbel noise [texts, places, letters], and the temperature; 0 takes the likeliest letter."""

    noise: Tensor
    temperature: float

    def pick(self, logits: Tensor, text: int, place: int) -> Tensor:
        """The letters [n] at `place` and after it for logits [n, letters]."""
        if not self.temperature:
            return logits.argmax(-1)
        return (logits / self.temperature + self.noise[text, place : place + len(logits)]).argmax(-1)


@dataclass(frozen=True)
class Written:
    """Texts [texts][letters] without their beginnings; passes of the model that has the last word, guesses made and kept, seconds of all texts."""

    texts: Sequence[Tensor]
    passes: int
    guessed: int
    kept: int
    seconds: float


def throw(texts: int, places: int, temperature: float, source: Generator) -> Dice:
    """One throw for every place of every text."""
    import torch

    uniform = torch.rand(texts, places, len(LETTERS), generator=source).clamp_(1e-9, 1 - 1e-7)
    return Dice(-(-uniform.log()).log(), temperature)


def write(model: Module, starts: Sequence[Tensor], count: int, dice: Dice, span: Span, note: str) -> Steps[Written]:
    """`count` letters after each beginning, one a pass."""
    import torch

    texts, took = [], 0.0
    for i, start in enumerate(starts):
        yield span.step(i, len(starts), note)
        began, text = time.perf_counter(), start
        with torch.inference_mode():
            for _ in range(count):
                text = torch.cat([text, dice.pick(model(text[None])[0, -1:], i, len(text))])
        took += time.perf_counter() - began
        texts.append(text[len(start) :])
    return Written(texts, count * len(starts), 0, 0, took)


def write_with_drafts(
    model: Module, draft: Module, starts: Sequence[Tensor], count: int, ahead: int, dice: Dice, span: Span, note: str
) -> Steps[Written]:
    """The same, where `draft` guesses up to `ahead` letters and `model` reads all of them in one pass.

    The guesses up to the first that `model` would not have written are kept, and its own letter comes next, so each pass adds at least one letter.
    """
    import torch

    texts: list[Tensor] = []
    passes = guessed = kept = 0
    took = 0.0
    for i, start in enumerate(starts):
        yield span.step(i, len(starts), note)
        began, text, end = time.perf_counter(), start, len(start) + count
        with torch.inference_mode():
            while len(text) < end:
                tried = text
                for _ in range(min(ahead, end - len(text) - 1)):
                    tried = torch.cat([tried, dice.pick(draft(tried[None])[0, -1:], i, len(tried))])
                own = dice.pick(model(tried[None])[0, len(text) - 1 :], i, len(text))
                guesses = tried[len(text) :]
                right = int((guesses == own[:-1]).int().cumprod(0).sum())
                text = torch.cat([text, own[: right + 1]])
                passes, guessed, kept = passes + 1, guessed + len(guesses), kept + right
        took += time.perf_counter() - began
        texts.append(text[len(start) :])
    return Written(texts, passes, guessed, kept, took)
