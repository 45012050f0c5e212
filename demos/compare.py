"""One frame for experiments that change a model's matrices: original against changed, on the same text and question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from demos import measure
from demos.base import Lab, Progress
from demos.measure import Pairs, Span, Steps

if TYPE_CHECKING:
    from torch.nn import Linear
    from transformers import PreTrainedModel

L = TypeVar("L")  # what a level is: a number of bits, or a structure and a share of zeros
PROMPT = "Tell me about the sea."  # what decoding is timed on


@dataclass(frozen=True)
class Change(Generic[L]):
    """A way to change matrices that has levels, like 4 bits or 50 % zeros.

    `apply(source, target, level)` writes the changed form of the source's weight into the target and returns the bits
    that it takes when stored. `shrink(source, target)` lets a target run on the smaller form of the chosen level,
    to be timed; None where nothing makes it run faster. The learner reads `name` ("the 4-bit model"), `doing`
    ("Rounding the weights") and `worded` levels ("4 bits").
    """

    name: str
    doing: str
    worded: Callable[[L], str]
    level: L
    other_levels: tuple[L, ...]
    apply: Callable[[Linear, Linear, L], float]
    shrink: Callable[[Linear, Linear], None] | None


@dataclass(frozen=True)
class Outcome(Generic[L]):
    """What was measured: `curve` is perplexity by level, `stored` bits by matrix, `tokens` the length of the text.

    The changed model's weights are left at the chosen level.
    """

    reference: PreTrainedModel
    pairs: Pairs
    metrics: dict[str, float]
    curve: Mapping[L, float]
    stored: Mapping[str, float]
    tokens: int
    exhibits: Mapping[str, str]
    asked: str


def compare(lab: Lab, change: Change[L], layers: str) -> Steps[Outcome[L]]:
    """Measure perplexity, KL, answers, the curve over levels, and speed; `layers` is all, attention or mlp."""
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    reference, tokenizer, changed = specimen.model, specimen.tokenizer, deepcopy(specimen.model)
    pairs = measure.pair_linears(reference, changed, layers)
    windows = measure.evaluation_windows(tokenizer)

    models = {"the original model": reference, change.name: changed}

    # 1. Perplexity of the original, then of other levels, for the curve.
    before = yield from measure.read_text(
        reference, windows, Span(0.1, 0.17), "Reading a text with the original weights", keep=True
    )
    curve: dict[L, float] = {}
    for i, level in enumerate(change.other_levels):
        start, width = 0.17 + 0.3 * i / len(change.other_levels), 0.3 / len(change.other_levels)
        yield from _apply(change, level, pairs, Span(start, start + width / 4))
        note = f"For comparison, reading the text with {change.worded(level)}"
        reading = yield from measure.read_text(changed, windows, Span(start + width / 4, start + width), note)
        curve[level] = reading.perplexity

    # 2. Perplexity and KL of the chosen level, which the changed model then keeps.
    stored = yield from _apply(change, change.level, pairs, Span(0.47, 0.52))
    note = f"Reading the text with {change.name}"
    after = yield from measure.read_text(changed, windows, Span(0.52, 0.6), note, before)
    curve[change.level] = after.perplexity

    # 3. The learner's own question, asked twice.
    exhibits: dict[str, str] = {}
    asked = ""
    if lab.question:
        exhibits, asked = yield from measure.compare_answers(models, tokenizer, lab.question, Span(0.6, 0.82))

    # 4. Speed. `shrink` replaces what the layers compute, not the weights that they hold.
    if change.shrink is not None:
        for i, layer in enumerate(pairs):
            yield Span(0.82, 0.84).step(i, len(pairs), f"Packing layer {i + 1} of {len(pairs)}")
            for _, source, target in layer:
                change.shrink(source, target)
    prompt = measure.encode_question(tokenizer, PROMPT)
    speeds = yield from measure.decode_speeds(models, prompt, Span(0.84, 0.98))
    yield Progress(0.98, "Drawing")
    metrics = {
        "perplexity": after.perplexity,
        "perplexity_reference": before.perplexity,
        "size_mb": measure.size_mb(reference, stored),
        "size_mb_reference": measure.size_mb(reference),
        "kl": after.kl,
        "tokens_per_s": speeds[change.name],
        "tokens_per_s_reference": speeds["the original model"],
    }
    tokens = sum(window.shape[1] for window in windows)
    return Outcome(reference, pairs, metrics, curve, stored, tokens, exhibits, asked)


def _apply(change: Change[L], level: L, pairs: Pairs, span: Span) -> Steps[dict[str, float]]:
    """Change every matrix; returns the stored bits of each by name."""
    stored: dict[str, float] = {}
    for i, layer in enumerate(pairs):
        yield span.step(i, len(pairs), f"{change.doing} of layer {i + 1} of {len(pairs)}")
        for name, source, target in layer:
            stored[name] = change.apply(source, target, level)
    return stored
