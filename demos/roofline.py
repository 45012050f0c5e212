"""What limits a computation: the roofline model (Williams, Waterman and Patterson 2009, doi:10.1145/1498765.1498785).

A chip does at most min(peak, bandwidth x intensity) operations a second, where the arithmetic intensity is the number
of operations for each byte that is read from memory. Both limits are measured here, and so is the work of a model's
forward pass. FLOP is a count of floating point operations (a multiplication and an addition are two), FLOP/s a rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from demos.kv_size import cache_bytes, head_size
from demos.measure import Span, Steps

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel
    from transformers.cache_utils import Cache

K = TypeVar("K", bound=Hashable)
DTYPES = {"bf16": "bfloat16", "fp32": "float32"}
SIZES = (256, 512, 1024, 2048)
LONGEST_S = 0.5  # that one multiplication may take; the largest takes fifteen where the CPU only emulates the type
ARRAY_BYTES = 2**28  # several times the last-level cache of common machines, so that it comes from memory


@dataclass(frozen=True)
class Roofline:
    """A machine's two limits: GFLOP/s (10^9 a second) and GB/s (10^9 bytes a second)."""

    gflops: float
    gb_s: float

    @property
    def ridge(self) -> float:
        """The intensity in FLOP/byte below which memory is the limit, and above which calculating is."""
        return self.gflops / self.gb_s

    def attainable(self, intensity: float) -> float:
        """The most GFLOP/s that work of that intensity (FLOP/byte) can reach."""
        return min(self.gflops, self.gb_s * intensity)


@dataclass(frozen=True)
class Work:
    """A forward pass: how many tokens, floating point operations and bytes read, and its seconds."""

    tokens: int
    flop: int
    bytes_read: int
    seconds: float

    @property
    def intensity(self) -> float:
        """Operations for each byte read."""
        return self.flop / self.bytes_read

    @property
    def gflops(self) -> float:
        """Speed of calculating, in 10^9 operations a second."""
        return self.flop / self.seconds / 1e9

    @property
    def gb_s(self) -> float:
        """Speed of reading, in 10^9 bytes a second."""
        return self.bytes_read / self.seconds / 1e9

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds


def best_times(
    calls: Mapping[K, Callable[[], object]], span: Span, note: str, seconds: float, least: int = 4, most: int = 40
) -> Steps[dict[K, float]]:
    """The fewest seconds that each call took, after one untimed turn; about `seconds` in all.

    Calls take turns, so that other work on the machine hits all alike, and the best counts, since such work only adds.
    """
    best = dict.fromkeys(calls, float("inf"))
    began = time.perf_counter()
    for turn in range(most + 1):
        for key, call in calls.items():
            passed = time.perf_counter() - began
            yield span.step(max(passed / seconds, turn / (most + 1)), 1.0, note)
            start = time.perf_counter()
            call()
            if turn:
                best[key] = min(best[key], time.perf_counter() - start)
        if turn >= least and time.perf_counter() - began >= seconds:
            break
    return best


def measure_matmul(
    span: Span, seconds: float = 2.0, sizes: Sequence[int] = SIZES
) -> Steps[dict[tuple[str, int], float]]:
    """GFLOP/s of square matrix multiplication by dtype and side: 2 n^3 operations each. Sides that would take too long are left out, the smallest never."""
    import torch

    def multiply(dtype: str, size: int) -> Callable[[], object]:
        a = torch.full((size, size), 0.5, dtype=getattr(torch, DTYPES[dtype]))
        return lambda: torch.mm(a, a)

    def seconds_of(call: Callable[[], object]) -> float:
        took: list[float] = []
        for _ in range(4):
            start = time.perf_counter()
            call()
            took.append(time.perf_counter() - start)
        return min(took)

    yield span.step(0, 1, "Multiplying matrices")
    least = {dtype: seconds_of(multiply(dtype, min(sizes))) for dtype in DTYPES}
    calls = {
        (dtype, size): multiply(dtype, size)
        for dtype in DTYPES
        for size in sizes
        if size == min(sizes) or least[dtype] * (size / min(sizes)) ** 3 <= LONGEST_S
    }
    best = yield from best_times(calls, span, "Multiplying matrices", seconds)
    return {(dtype, size): 2 * size**3 / took / 1e9 for (dtype, size), took in best.items()}


def measure_bandwidth(span: Span, seconds: float = 1.0, array_bytes: int = ARRAY_BYTES) -> Steps[dict[str, float]]:
    """GB/s of memory: `read` sums a large array, `copy` copies it, where the bytes read and written both count."""
    import torch

    source = torch.ones(array_bytes // 4)
    target = torch.empty_like(source)
    calls: dict[str, Callable[[], object]] = {"read": source.sum, "copy": lambda: target.copy_(source)}
    best = yield from best_times(calls, span, "Reading and copying a large array", seconds)
    return {"read": source.nbytes / best["read"] / 1e9, "copy": 2 * source.nbytes / best["copy"] / 1e9}


def multiplied_parameters(model: PreTrainedModel) -> tuple[int, int]:
    """Parameters that each token is multiplied with: those of the decoder's matrices, and those of the output head.

    An embedding table is looked up, not multiplied, except where it is the output head, too.
    """
    head = model.get_output_embeddings().weight
    table = model.get_input_embeddings().weight
    body = sum(p.numel() for p in model.parameters() if p.dim() == 2 and p is not head and p is not table)
    return body, head.numel()


def forward_flop(model: PreTrainedModel, rows: int, new: int, past: int) -> int:
    """Operations to read `new` tokens after `past` cached ones in each row, with logits for each row's last token.

    Two for every parameter and token (arXiv:2001.08361), plus attention: scores and weighted sum take two each for every
    number of a head and every token looked back at, itself included.
    """
    body, head = multiplied_parameters(model)
    looked_at = new * past + new * (new + 1) // 2
    config = model.config
    attention = 4 * config.num_hidden_layers * config.num_attention_heads * head_size(config) * looked_at
    return rows * (2 * body * new + 2 * head + attention)


def model_bytes(model: PreTrainedModel) -> int:
    """Bytes of all weights, a shared matrix once: what one forward pass has to read at least."""
    return sum(parameter.nbytes for parameter in model.parameters())


def measure_model(
    model: PreTrainedModel, text: Tensor, rows: int, past: int, new: int, span: Span, seconds: float = 4.0
) -> Steps[dict[str, Work]]:
    """Work of `decode` (one row, one token), `batch` (`rows` rows, one token each) and `prefill` (one row, `new` tokens).

    `text` [1, T] holds real token ids, T > past and T >= new. Decode steps follow `past` cached tokens; the cache is cut
    back after each, so that every step does the same work.
    """
    import torch

    def read(ids: Tensor, cache: Cache | None = None) -> Cache:
        with torch.inference_mode():
            output = model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=1)
            grown: Cache = output.cache
            return grown

    caches = {count: read(text[:, :past].repeat(count, 1)) for count in {1, rows}}
    held = {count: cache_bytes(cache) for count, cache in caches.items()}

    def decode(count: int) -> None:
        read(text[:, past : past + 1].repeat(count, 1), caches[count])
        caches[count].crop(-1)

    calls: dict[str, Callable[[], object]] = {
        "decode": lambda: decode(1),
        "batch": lambda: decode(rows),
        "prefill": lambda: read(text[:, :new]),
    }
    best = yield from best_times(
        calls, span, "The model reads a prompt, and writes for one user and for several", seconds
    )
    weights = model_bytes(model)
    return {
        "decode": Work(1, forward_flop(model, 1, 1, past), weights + held[1], best["decode"]),
        "batch": Work(rows, forward_flop(model, rows, 1, past), weights + held[rows], best["batch"]),
        "prefill": Work(new, forward_flop(model, 1, new, 0), weights, best["prefill"]),
    }
