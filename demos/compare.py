"""One frame for experiments that change a model's matrices: original against changed, on the same text and question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from demos import measure, words
from demos.base import Lab, Progress
from demos.measure import Pairs, Reading, Span, Steps
from demos.sensitivity import Sensitivity, change_one_layer_at_a_time

if TYPE_CHECKING:
    from torch import Tensor
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
    ("Rounding the weights") and `worded` levels ("4 bits"). `beside` are levels to be compared with the chosen one, and
    `other_levels` those that only the curve of perplexity needs.
    """

    name: str
    doing: str
    worded: Callable[[L], str]
    level: L
    other_levels: tuple[L, ...]
    apply: Callable[[Linear, Linear, L], float]
    shrink: Callable[[Linear, Linear], None] | None
    beside: tuple[L, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What one level costs and saves: perplexity, KL (nats a token), size (MB), and the bits of each matrix by name."""

    perplexity: float
    kl: float
    size_mb: float
    stored: Mapping[str, float]

    def metrics(self, name: str) -> dict[str, float]:
        """The figures as a run's metrics, under the level's name."""
        return {f"perplexity_at_{name}": self.perplexity, f"kl_at_{name}": self.kl, f"size_mb_at_{name}": self.size_mb}

    def shown(self) -> tuple[float, float, float]:
        """Size, perplexity and KL, as `words.compare_table` takes them."""
        return self.size_mb, self.perplexity, self.kl


@dataclass(frozen=True)
class Outcome(Generic[L]):
    """What was measured: `curve` is perplexity by level, `stored` bits by matrix, `tokens` the length of the text.

    `beside` has the costs of the levels that were compared with the chosen one. The changed model's weights are left at
    the chosen level.
    """

    reference: PreTrainedModel
    pairs: Pairs
    metrics: dict[str, float]
    curve: Mapping[L, float]
    stored: Mapping[str, float]
    tokens: int
    exhibits: Mapping[str, str]
    asked: str
    beside: Mapping[L, Cost]
    sensitivity: Sensitivity | None = None

    @property
    def is_wide(self) -> bool:
        """Whether the model ran in fp32, as where bf16 is slower."""
        return str(self.reference.dtype) == "torch.float32"

    def further_sentences(self, worded: Callable[[L], str]) -> list[str]:
        """About the compared levels, and about single layers, where these were measured."""
        levels = {worded(level): self.curve[level] for level in self.curve}
        compared = [words.levels_sentence(levels)] if self.beside else []
        return compared + ([self.sensitivity.sentence()] if self.sensitivity is not None else [])


def compare(lab: Lab, change: Change[L], layers: str, by_layer: bool = False) -> Steps[Outcome[L]]:
    """Measure perplexity, KL, answers, the curve over levels, and speed; `layers` is all, attention or mlp.

    With `by_layer` each decoder layer is also changed alone.
    """
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    reference, tokenizer, changed = specimen.model, specimen.tokenizer, deepcopy(specimen.model)
    pairs = measure.pair_linears(reference, changed, layers)
    windows = measure.evaluation_windows(tokenizer)
    models = {"the original model": reference, change.name: changed}
    others = [level for level in change.other_levels if level not in change.beside]
    # As wide as the steps take, by experience, so that the bar moves evenly.
    before_span, alone_span, beside_span, others_span, own_span, asking_span, packing_span, speed_span = Span(
        0.05, 0.98
    ).split(2.5, 14 * by_layer, 5 * len(change.beside), 3.3 * len(others), 5, 6 * bool(lab.question), 1, 1.2)

    # 1. The original reads the text; then one layer after the other is changed, alone.
    note = "Reading a text with the original weights"
    before = yield from measure.read_text(reference, windows, before_span, note, keep=True)
    sensitivity = None
    if by_layer:
        sensitivity = yield from change_one_layer_at_a_time(
            changed, pairs, lambda source, target: change.apply(source, target, change.level), windows[0], alone_span
        )

    # 2. Other levels, for the comparison and for the curve.
    bench = _Bench(change, reference, changed, pairs, windows, before)
    beside: dict[L, Cost] = {}
    for level, span in zip(change.beside, beside_span.split(*[1] * len(change.beside)), strict=True):
        beside[level] = yield from bench.cost(level, span)
    curve: dict[L, float] = {level: cost.perplexity for level, cost in beside.items()}
    for level, span in zip(others, others_span.split(*[1] * len(others)), strict=True):
        curve[level] = yield from bench.perplexity(level, span)

    # 3. The chosen level, which the changed model then keeps.
    own = yield from bench.cost(change.level, own_span)
    curve[change.level] = own.perplexity

    # 4. The learner's own question, asked twice.
    exhibits: dict[str, str] = {}
    asked = ""
    if lab.question:
        exhibits, asked = yield from measure.compare_answers(models, tokenizer, lab.question, asking_span)

    # 5. Speed. `shrink` replaces what the layers compute, not the weights that they hold.
    if change.shrink is not None:
        for i, layer in enumerate(pairs):
            yield packing_span.step(i, len(pairs), f"Packing layer {i + 1} of {len(pairs)}")
            for _, source, target in layer:
                change.shrink(source, target)
    prompt = measure.encode_question(tokenizer, PROMPT)
    speeds = yield from measure.decode_speeds(models, prompt, speed_span)
    yield Progress(0.98, "Drawing")
    metrics = {
        "perplexity": own.perplexity,
        "perplexity_reference": before.perplexity,
        "size_mb": own.size_mb,
        "size_mb_reference": measure.size_mb(reference),
        "kl": own.kl,
        "tokens_per_s": speeds[change.name],
        "tokens_per_s_reference": speeds["the original model"],
    }
    if sensitivity is not None:
        metrics |= sensitivity.metrics()
    tokens = sum(window.shape[1] for window in windows)
    return Outcome(reference, pairs, metrics, curve, own.stored, tokens, exhibits, asked, beside, sensitivity)


@dataclass(frozen=True)
class _Bench(Generic[L]):
    """The two models, the text, and the original's reading of it; each method leaves `changed` at the level given."""

    change: Change[L]
    reference: PreTrainedModel
    changed: PreTrainedModel
    pairs: Pairs
    windows: Sequence[Tensor]
    before: Reading

    def cost(self, level: L, span: Span) -> Steps[Cost]:
        applying, reading = span.split(1, 4)
        stored = yield from self._apply(level, applying)
        note = f"Reading the text with {self.change.worded(level)}"
        after = yield from measure.read_text(self.changed, self.windows, reading, note, self.before)
        return Cost(after.perplexity, after.kl, measure.size_mb(self.reference, stored), stored)

    def perplexity(self, level: L, span: Span) -> Steps[float]:
        applying, reading = span.split(1, 3)
        yield from self._apply(level, applying)
        note = f"For comparison, reading the text with {self.change.worded(level)}"
        after = yield from measure.read_text(self.changed, self.windows, reading, note)
        return after.perplexity

    def _apply(self, level: L, span: Span) -> Steps[dict[str, float]]:
        """Change every matrix; returns the stored bits of each by name."""
        stored: dict[str, float] = {}
        for i, layer in enumerate(self.pairs):
            yield span.step(i, len(self.pairs), f"{self.change.doing} of layer {i + 1} of {len(self.pairs)}")
            for name, source, target in layer:
                stored[name] = self.change.apply(source, target, level)
        return stored
