"""Messages, prompts and scoring for the few-shot experiment."""

from __future__ import annotations

import copy
import itertools
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from demos.base import Specimen
from demos.measure import TEXTS, Span, Steps

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 15  # prompts read at once: a step of progress every few tenths of a second
FEELINGS = ("positive", "negative")


@dataclass(frozen=True)
class Item:
    """A message, and the feeling that it is labelled with."""

    message: str
    feeling: str


@dataclass(frozen=True)
class Labels:
    """How feelings are written in the prompt: as words, or as letters that the instruction explains."""

    names: Mapping[str, str]
    instruction: str

    def query(self, message: str) -> str:
        """The message as the prompt asks about it."""
        return f"Message: {message}\nFeeling:"

    def prefix(self, shots: Sequence[Item]) -> str:
        """Everything before the message that is asked about: the instruction and the solved examples."""
        return self.instruction + "".join(f"{self.query(s.message)} {self.names[s.feeling]}\n\n" for s in shots)


LABELS = {
    "words": Labels({feeling: feeling for feeling in FEELINGS}, "Is each message positive or negative?\n\n"),
    "letters": Labels({"positive": "A", "negative": "B"}, "Is each message A (positive) or B (negative)?\n\n"),
}


def load_items(use: str) -> list[Item]:
    """The committed messages for `use`: "shot" (the pool of examples) or "test"."""
    rows = [json.loads(line) for line in (TEXTS / "few_shot.jsonl").read_text(encoding="utf-8").splitlines()]
    return [Item(row["message"], row["label"]) for row in rows if row["use"] == use]


def mislabelled(item: Item) -> Item:
    """The message with the feeling that it does not have, as Min et al. 2022 (arXiv:2202.12837) tried with random ones."""
    return replace(item, feeling=next(feeling for feeling in FEELINGS if feeling != item.feeling))


def choose_shots(pool: Sequence[Item], shots: int, order: str, seed: int) -> list[Item]:
    """The first `shots` examples of the pool, as they stand, reversed, or shuffled by the seed.

    The pool's own order is one that works for the embedded model; small models are fickle about order (Lu et al. 2021,
    "Fantastically Ordered Prompts"), which the other two let a learner see.
    """
    chosen = list(pool[:shots])
    if order == "reversed":
        chosen.reverse()
    elif order == "shuffled":
        random.Random(seed).shuffle(chosen)
    return chosen


def other_orders(chosen: Sequence[Item], count: int, seed: int) -> list[list[Item]]:
    """Up to `count` orders of the same examples, all different and none as they stand, drawn by the seed."""
    orders = [list(order) for order in itertools.permutations(chosen)][1:]
    return random.Random(seed).sample(orders, min(count, len(orders)))


def wilson_interval(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927): unlike share ± z·error, it stays within 0 and 1."""
    share, extra = right / total, z * z / total
    middle = (share + extra / 2) / (1 + extra)
    half = z / (1 + extra) * ((share * (1 - share) + extra / 4) / total) ** 0.5
    return middle - half, middle + half


def sign_test(gained: int, lost: int) -> float:
    """Two-sided p-value that a change is chance, from the items that it turned right and the ones it turned wrong.

    The exact form of McNemar's test (1947): items that stay as they are say nothing, and under chance the others fall
    either way like a coin.
    """
    total = gained + lost
    tail = sum(math.comb(total, i) for i in range(min(gained, lost) + 1)) / 2**total
    return min(1.0, 2 * tail)


def shared_length(sequences: Sequence[Sequence[int]]) -> int:
    """How many tokens all sequences begin with in common, leaving each at least one of its own."""
    most = min(len(ids) for ids in sequences) - 1
    return next((i for i in range(most) if len({ids[i] for ids in sequences}) > 1), most)


def score_next(
    specimen: Specimen, prompts: Sequence[str], candidates: Sequence[str], span: Span, note: str
) -> Steps[Tensor]:
    """Log-likelihood (nats) of each candidate's first token after each prompt, shape [prompts, candidates].

    What all prompts begin with is read once; each batch continues a copy of its KV cache. Prompts are cut into tokens
    whole, since a text cut in two can have other tokens at the seam.
    """
    import torch

    model, tokenizer = specimen.model, specimen.tokenizer
    first = [tokenizer(text, add_special_tokens=False)["input_ids"][0] for text in candidates]
    if len(set(first)) < len(first):
        raise ValueError(f"candidates must differ in their first token; got {list(candidates)!r}")
    encoded = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    shared = shared_length(encoded)
    if shared < 1:
        raise ValueError(f"prompts must begin alike and go on; got {prompts[0]!r}, …")
    yield span.step(0, len(prompts), note)
    with torch.inference_mode():
        prefix = model(input_ids=torch.tensor([encoded[0][:shared]], device=model.device), logits_to_keep=1).cache
    scores = []
    for start in range(0, len(prompts), BATCH):
        yield span.step(start, len(prompts), note)
        rests = [ids[shared:] for ids in encoded[start : start + BATCH]]
        longest = max(map(len, rests))
        padded = torch.tensor([rest + [0] * (longest - len(rest)) for rest in rests], device=model.device)
        mask = torch.tensor([[1] * (shared + len(r)) + [0] * (longest - len(r)) for r in rests], device=model.device)
        with torch.inference_mode():
            cache = copy.deepcopy(prefix)
            cache.batch_repeat_interleave(len(rests))
            logits = model(input_ids=padded, attention_mask=mask, cache=cache).logits
            last = logits[torch.arange(len(rests)), [len(rest) - 1 for rest in rests]]
            scores.append(last.float().log_softmax(-1)[:, first].cpu())
    return torch.cat(scores)
