"""Decoding rules: how the next token is taken from the model's scores, and texts that are written under each rule.

Temperature divides the scores (logits); top-k (Fan et al. 2018, arXiv:1805.04833), top-p (Holtzman et al. 2019,
arXiv:1904.09751) and min-p (Nguyen et al. 2024, arXiv:2407.01082) cut tokens off. The order is that of Hugging Face
Transformers: temperature, top-k, top-p, min-p.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.measure import Span, Steps

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from transformers import PreTrainedModel
    from transformers.cache_utils import Cache

_ROUNDING = 1e-4  # relative; fp32's own is 6e-8, which a division by a small temperature multiplies


@dataclass(frozen=True)
class Rules:
    """Settings of one decoder. Temperature 0 means greedy; 0 switches top-k and min-p off, and 1 switches top-p off."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    def shape(self, logits: Tensor) -> Tensor:
        """The probabilities [..., V] that the next token is drawn by, from logits [..., V]; 0 for tokens cut off."""
        if self.temperature == 0:
            return keep_top_k(logits.softmax(-1), 1)
        probabilities = (logits / self.temperature).softmax(-1)
        if self.top_k:
            probabilities = keep_top_k(probabilities, self.top_k)
        if self.top_p < 1:
            probabilities = keep_top_p(probabilities, self.top_p)
        if self.min_p:
            probabilities = keep_min_p(probabilities, self.min_p)
        return probabilities


def keep_top_k(probabilities: Tensor, k: int) -> Tensor:
    """Keep exactly the k likeliest tokens of each row [..., V], also where some are equally likely."""
    import torch

    chosen = probabilities.topk(min(k, probabilities.shape[-1]), -1).indices
    return _scaled(probabilities, torch.zeros_like(probabilities, dtype=torch.bool).scatter_(-1, chosen, True))


def keep_top_p(probabilities: Tensor, p: float) -> Tensor:
    """Keep the smallest group of likeliest tokens of each row [..., V] whose probabilities add up to at least p."""
    import torch

    ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)
    before = ordered.double().cumsum(-1) - ordered.double()
    return _scaled(probabilities, torch.zeros_like(probabilities, dtype=torch.bool).scatter_(-1, places, before < p))


def keep_min_p(probabilities: Tensor, share: float) -> Tensor:
    """Keep the tokens of each row [..., V] that are at least `share` times as likely as its likeliest one."""
    return _scaled(probabilities, probabilities >= share * probabilities.amax(-1, keepdim=True))


def entropy_bits(probabilities: Tensor) -> float:
    """Entropy of one distribution [V] in bits: as uncertain as a choice among 2^bits equally likely tokens."""
    from torch.special import entr

    return float(entr(probabilities.double()).sum()) / math.log(2)


def _scaled(probabilities: Tensor, kept: Tensor) -> Tensor:
    left = probabilities * kept
    return left / left.sum(-1, keepdim=True)


class Scorer:
    """Next-token scores of a model in fp32.

    In bf16 two of the best scores often round to the same number, and a cut could not tell them apart; so the last
    matrix, from the hidden state to the vocabulary, is multiplied in fp32.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._body, head = model.base_model, model.get_output_embeddings()
        self._weight = head.weight.detach().float()
        self._bias = None if head.bias is None else head.bias.detach().float()
        self.device = model.device

    def __call__(self, ids: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """Logits [rows, V] after the last of the tokens [rows, T], and the cache that now holds these."""
        import torch

        with torch.inference_mode():
            output = self._body(input_ids=ids.to(self.device), cache=cache, use_cache=True)
            hidden = output.last_hidden_state[:, -1].float()
            return torch.nn.functional.linear(hidden, self._weight, self._bias), output.cache


@dataclass(frozen=True)
class Written:
    """Token ids of each row's text, without the token that ends a text; `kept` counts tokens that rules would keep.

    `kept` holds, by the rules' name, one count for each step of the first row's text.
    """

    rows: tuple[tuple[int, ...], ...]
    kept: Mapping[str, tuple[int, ...]]


def write_texts(
    scorer: Scorer,
    start: tuple[Tensor, Cache],
    rows: Sequence[Rules],
    watched: Mapping[str, Rules],
    tokens: int,
    end: int | None,
    source: Generator,
    span: Span,
) -> Steps[Written]:
    """Continue one prompt in several rows at once, each under its own rules, by at most `tokens` tokens.

    `start` is what the scorer returned for the prompt; its cache is used up. `end` is the token that ends a text.
    """
    import torch

    logits, cache = start
    with torch.inference_mode():
        logits = logits.expand(len(rows), -1)
        cache.batch_repeat_interleave(len(rows))
    texts: list[list[int]] = [[] for _ in rows]
    running = [True] * len(rows)
    kept: dict[str, list[int]] = {name: [] for name in watched}
    for step in range(tokens):
        yield span.step(step, tokens, f"Writing {len(rows)} texts, each under its own rule")
        if running[0]:
            for name, rules in watched.items():
                kept[name].append(int((rules.shape(logits[0]) > 0).sum()))
        # Drawn for every row, also one that has ended, so that each draw stays the same whatever the other rows do.
        drawn = [
            int(torch.multinomial(rules.shape(row), 1, generator=source))
            for rules, row in zip(rows, logits, strict=True)
        ]
        for i, token in enumerate(drawn):
            running[i] = running[i] and token != end
            if running[i]:
                texts[i].append(token)
        if step + 1 == tokens or not any(running):
            break
        logits, cache = scorer(torch.tensor(drawn)[:, None], cache)
    return Written(tuple(map(tuple, texts)), {name: tuple(counts) for name, counts in kept.items()})


def swapped_neighbours(own: Tensor, changed: Tensor) -> int:
    """How many neighbours in the order of their own probabilities [vocabulary] stand the other way round in the changed ones.

    Of tokens that are equally likely but for fp32's rounding, which may fall either way, none is ahead.
    """
    found = changed[own.argsort(descending=True, stable=True)]
    return int((found[1:] > found[:-1] * (1 + _ROUNDING)).sum())
