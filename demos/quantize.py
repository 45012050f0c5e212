"""Post-training quantization: round the weights of the linear layers to 2-8 bits, and measure what that costs.

Round-to-nearest without calibration data: the plainest member of the family that GPTQ and AWQ refine. The rounded
weights are expanded to the model's own type to be measured, so that perplexity and answers need no special kernel;
speed is measured with a kernel that reads the packed codes, where PyTorch has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from demos import charts, kernels, measure, words
from demos.base import Demo, DemoResult, Lab, Param, Progress
from demos.compare import Change, Outcome, compare
from demos.rounding import Rounded, quantize_per_channel, quantize_per_group

if TYPE_CHECKING:
    from torch.nn import Linear

CURVE = (2, 3, 4, 8)
_COUNT = "two|three|four|five|six|seven|eight"


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    bits, group = int(settings["bits"]), int(settings["group-size"])
    kernel = _kernel(bits, group)

    def apply(source: Linear, target: Linear, level: int) -> float:
        rounded = _round(source, level, group)
        target.weight.data.copy_(rounded.values())
        return rounded.stored_bits()

    def shrink(source: Linear, target: Linear) -> None:
        if kernel is not None and kernels.can_run(source, kernel):
            kernel(target, _round(source, bits, group))

    outcome = yield from compare(
        lab,
        Change(
            name=f"the {bits}-bit model",
            doing="Rounding the weights",
            worded=lambda level: f"{level} bits",
            level=bits,
            other_levels=tuple(level for level in CURVE if level != bits),
            apply=apply,
            shrink=shrink,
        ),
        str(settings["layers"]),
    )
    sources = [source for layer in outcome.pairs for _, source, _ in layer]
    packed = kernel is not None and all(kernels.can_run(source, kernel) for source in sources)
    weights = sum(source.weight.numel() for source in sources)
    untouched = f"{measure.size_mb(outcome.reference, dict.fromkeys(outcome.stored, 0.0)):.1f}"
    rows = [
        ("Bits a rounded weight, scales included", "16", f"{sum(outcome.stored.values()) / weights:.2f}"),
        ("Not rounded: embedding table, norms, … (MB)", untouched, untouched),
    ]
    middle = outcome.pairs[len(outcome.pairs) // 2][0][1]
    yield DemoResult(
        summary=_summary(outcome, bits, group, packed, untouched),
        table=words.compare_table(f"Rounded to {bits} bits", outcome.metrics, rows),
        metrics=outcome.metrics,
        figure=charts.rounding_chart(middle.weight.detach(), _round(middle, bits, group), outcome),
        figure_alt=f"Top: before rounding, one layer's weights form a hill; after it they stand on the {2**bits} steps "
        f"of {bits} bits. Bottom: perplexity {words.number(outcome.metrics['perplexity_reference'])} at 16 bits, "
        + ", ".join(f"{words.number(outcome.curve[b])} at {b}" for b in sorted(outcome.curve, reverse=True))
        + ".",
        exhibits=outcome.exhibits,
    )


def _round(source: Linear, bits: int, group: int) -> Rounded:
    return quantize_per_group(source.weight, bits, group) if group else quantize_per_channel(source.weight, bits)


def _kernel(bits: int, group: int) -> Callable[[Linear, Rounded], None] | None:
    """PyTorch has CPU kernels for 4-bit codes in groups and 8-bit codes by channel; narrower codes fit in them, too."""
    if bits <= 4:
        return kernels.run_int4
    return kernels.run_int8 if group == 0 else None


def _summary(outcome: Outcome[int], bits: int, group: int, packed: bool, untouched: str) -> str:
    metrics = outcome.metrics
    sharing = f"in groups of {group}" if group else "with one scale an output channel"
    held = 4 if bits <= 4 else 8
    fast = f"since PyTorch's int{held} kernel reads the weights packed, {held} bits each"
    flat = "for want of a kernel that reads these weights packed, they ran expanded to 16 bits"
    if packed:
        flat = f"PyTorch's int{held} kernel reads the weights packed, but on this machine that wins nothing"
    origin = "The original means the bf16 weights; the embedded model's were published at 4 bits (groups of 32)."
    if group == 32:
        origin = (
            "Groups of 32 flatter the embedded model: it was published at 4 bits on these very groups (Q4_1), so "
            "rounding to 4 bits finds the old grid again; choose 64, 128 or 0 for an honest test."
        )
    return " ".join(
        [
            f"Rounding the decoder's linear layers to {bits} bits {sharing} shrinks the model from "
            f"{metrics['size_mb_reference']:.0f} to {metrics['size_mb']:.0f} MB; the embedding table and all else, "
            f"{untouched} MB, stay at 16 bits.",
            words.perplexity_sentence(metrics, outcome.tokens, f"at {bits} bits"),
            words.speed_sentence(metrics, fast, flat),
            origin,
            outcome.asked,
        ]
    ).strip()


QUANTIZE = Demo(
    name="quantize",
    title="Round the weights to fewer bits",
    concepts=("pruning-vs-quantization", "ptq-vs-qat"),
    params=(
        Param(
            "bits", 4, "bits a weight", 2, 8, spoken=(rf"\b(\d+|{_COUNT})[- ]?bits?\b", r"\b(?:int|bits *= *)(\d+)\b")
        ),
        Param(
            "group-size",
            64,
            "neighbouring weights that share a scale; 0: a whole row",
            choices=(0, 32, 64, 128),
            spoken=(r"\bgroups?(?:[- ]size)?(?: of| =|=)? ?(\d+)\b", (r"\bper[- ](?:output[- ])?(?:channel|row)\b", 0)),
        ),
        measure.LAYERS,
    ),
    run=run,
    words=rf"\bquanti[sz]\w*|\bptq\b|\bint\d\b|\b(?:\d|{_COUNT})[- ]?bits?\b|\bround\w* (?:the |its )?weights\b",
    verbs=r"quanti[sz]e\b|round (?:the |its )?weights\b",
)
