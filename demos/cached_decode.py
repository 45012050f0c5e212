"""Greedy decode with a KV cache, where some steps are done a second time without it, to compare tokens and times."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.kv_size import cache_bytes
from demos.measure import Span, Steps

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

RECOMPUTED = 24  # steps done again without the cache, spread evenly over the text


@dataclass(frozen=True)
class Step:
    """One new token: `length` tokens came before it, and the cache held `cache_bytes` once they were read.

    `recomputed` is the token that the model chose without the cache, None where that was not tried. `difference` is the
    largest difference of a logit between both ways, and `lead` is by how much the token chosen without the cache was ahead
    of the one chosen with it, in logits without the cache.
    """

    length: int
    token: int
    cached_s: float
    cache_bytes: int
    recomputed: int | None = None
    recomputed_s: float = 0.0
    difference: float = 0.0
    lead: float = 0.0


@dataclass(frozen=True)
class Written:
    """Seconds that reading the prompt at once took, and the steps of the text after it."""

    prefill_s: float
    steps: list[Step]


def decode_both_ways(
    model: PreTrainedModel, prompt: Sequence[int], tokens: int, end: int | None, span: Span, note: str
) -> Steps[Written]:
    """Write `tokens` tokens after the prompt (token ids), always the likeliest except the token `end`.

    The prompt is read before (prefill), twice for its time, of which the shorter counts, and up to 24 of the steps are done again right after with the whole text and no
    cache, so that other work on the machine hits both ways alike. The token with the cache is the one that is kept.
    """
    import torch

    stride = math.ceil(tokens / RECOMPUTED)
    text = list(prompt)
    steps: list[Step] = []
    prefill_s = math.inf
    for _ in range(2):
        yield span.step(0, tokens, "Reading the prompt")
        with torch.inference_mode():
            began = time.perf_counter()
            model(input_ids=torch.tensor([text], device=model.device), use_cache=True, logits_to_keep=1)
            prefill_s = min(prefill_s, time.perf_counter() - began)
    with torch.inference_mode():
        # All but the last token: the first step then reads one token, as every other step does.
        cache = model(input_ids=torch.tensor([text[:-1]], device=model.device), use_cache=True, logits_to_keep=1).cache
    for i in range(tokens):
        yield span.step(i, tokens, note)
        with torch.inference_mode():
            began = time.perf_counter()
            ids = torch.tensor([text[-1:]], device=model.device)
            output = model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=1)
            logits, cache = output.logits[0, -1].float(), output.cache
            token = _likeliest(logits, end)
            took = time.perf_counter() - began
        step = Step(len(text), token, took, cache_bytes(cache))
        if (i + 1) % stride == 0:
            yield span.step(i + 0.5, tokens, note)
            with torch.inference_mode():
                began = time.perf_counter()
                ids = torch.tensor([text], device=model.device)
                fresh = model(input_ids=ids, use_cache=False, logits_to_keep=1).logits[0, -1].float()
                again = _likeliest(fresh, end)
                took_again = time.perf_counter() - began
                difference, lead = float((fresh - logits).abs().max()), float(fresh[again] - fresh[token])
            step = Step(len(text), token, took, step.cache_bytes, again, took_again, difference, lead)
        steps.append(step)
        text.append(token)
    return Written(prefill_s, steps)


def _likeliest(logits: Tensor, end: int | None) -> int:
    """The index of the largest logit, except `end`: a text that stopped early could not be timed at its full length."""
    first, second = logits.topk(2).indices.tolist()
    return int(second if first == end else first)
