"""Greedy answers to many chat questions at once, with one KV cache for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from demos.measure import Span, Steps

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

READ_AT_ONCE = 160  # tokens of prompts in one pass: a step of progress every few tenths of a second


def answer_all(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], most: int, end: int | None, span: Span, note: str
) -> Steps[list[list[int]]]:
    """Continue each prompt (token ids) greedily by at most `most` tokens; the token `end` ends an answer.

    Prompts are padded on the left to one length, so that all answers grow at the same place.
    """
    import torch
    from transformers import DynamicCache

    longest, count = max(map(len, prompts)), len(prompts)
    read, write = span.split(sum(map(len, prompts)), count * most / 2)
    ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts], device=model.device)
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device)
    rows = max(1, READ_AT_ONCE // longest)
    last, parts = [], []
    for start in range(0, count, rows):
        yield read.step(start, count, f"Reading prompts {note}")
        some = slice(start, start + rows)
        with torch.inference_mode():
            output = model(
                input_ids=ids[some],
                attention_mask=mask[some],
                position_ids=_positions(mask[some]),
                use_cache=True,
                logits_to_keep=1,
            )
        last.append(output.logits[:, -1])
        parts.append(output.cache)
    with torch.inference_mode():
        cache = DynamicCache(
            [
                (torch.cat([layer.keys for layer in layers]), torch.cat([layer.values for layer in layers]))
                for layers in zip(*(part.layers for part in parts), strict=True)
            ]
        )
        logits = torch.cat(last)
    answers: list[list[int]] = [[] for _ in prompts]
    running = [True] * count
    for step in range(most):
        yield write.step(step, most, f"Answering {note}")
        chosen = logits.argmax(-1)
        for i, token in enumerate(chosen.tolist()):
            running[i] = running[i] and token != end
            if running[i]:
                answers[i].append(token)
        if step + 1 == most or not any(running):
            break
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        with torch.inference_mode():
            output = model(
                input_ids=chosen[:, None],
                attention_mask=mask,
                position_ids=_positions(mask)[:, -1:],
                cache=cache,
                use_cache=True,
            )
        logits, cache = output.logits[:, -1], output.cache
    return answers


def _positions(mask: Tensor) -> Tensor:
    """Positions [rows, T] that count from each row's first real token."""
    return (mask.cumsum(-1) - 1).clamp_min(0)
