"""Post-training quantization: round the weights of the linear layers to 2-8 bits, and measure what that costs.

Round-to-nearest without calibration data: the plainest member of the family that GPTQ and AWQ refine. The rounded
weights are expanded to the model's own type to be measured, so that perplexity and answers need no special kernel;
speed is measured with a kernel that reads the packed codes, where PyTorch has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

from demos import charts, kernels, measure, words
from demos.base import Demo, DemoResult, Lab, Param, Progress
from demos.measure import Pairs, Span, Steps
from demos.rounding import Rounded, quantize_per_channel, quantize_per_group

if TYPE_CHECKING:
    from torch.nn import Linear

CURVE = (2, 3, 4, 8)
Put: TypeAlias = Callable[["Linear", Rounded], None]


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    bits, group, layers = int(settings["bits"]), int(settings["group-size"]), str(settings["layers"])
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    reference, tokenizer, changed = specimen.model, specimen.tokenizer, deepcopy(specimen.model)
    pairs = measure.pair_linears(reference, changed, layers)
    windows = measure.evaluation_windows(tokenizer)

    # 1. Perplexity of the reference, then perplexity and KL of the rounded model.
    note = "Reading a text with the 16-bit weights"
    before = yield from measure.read_text(reference, windows, Span(0.1, 0.18), note, keep=True)
    stored = yield from _round_all(pairs, bits, group, Span(0.18, 0.22), _expand)
    after = yield from measure.read_text(
        changed, windows, Span(0.22, 0.3), f"Reading it with {bits}-bit weights", before
    )

    # 2. The learner's own question, asked twice.
    exhibits: dict[str, str] = {}
    asked = ""
    if lab.question:
        models = {"the 16-bit model": reference, f"the {bits}-bit model": changed}
        exhibits, asked = yield from measure.compare_answers(models, tokenizer, lab.question, Span(0.3, 0.55))

    # 3. Other bit widths on the same text, for the curve.
    curve = {bits: after.perplexity}
    others = [other for other in CURVE if other != bits]
    for i, other in enumerate(others):
        start, width = 0.55 + 0.25 * i / len(others), 0.25 / len(others)
        yield from _round_all(pairs, other, group, Span(start, start + width / 5), _expand)
        note = f"For comparison: reading it with {other}-bit weights"
        reading = yield from measure.read_text(changed, windows, Span(start + width / 5, start + width), note)
        curve[other] = reading.perplexity

    # 4. Speed, from packed weights where PyTorch has a kernel.
    kernel = _kernel(pairs, bits, group)
    put: Put = {"int4": kernels.run_int4, "int8": kernels.run_int8, "": _expand}[kernel]
    yield from _round_all(pairs, bits, group, Span(0.8, 0.84), put)
    prompt = measure.encode_question(tokenizer, "Tell me about the sea.")
    speed_before = yield from measure.decode_speed(reference, prompt, Span(0.84, 0.91), "Timing the 16-bit model")
    speed = yield from measure.decode_speed(changed, prompt, Span(0.91, 0.98), f"Timing the {bits}-bit model")

    yield Progress(0.98, "Drawing")
    metrics = {
        "perplexity": after.perplexity,
        "perplexity_reference": before.perplexity,
        "size_mb": measure.size_mb(reference, stored),
        "size_mb_reference": measure.size_mb(reference),
        "kl": after.kl,
        "tokens_per_s": speed,
        "tokens_per_s_reference": speed_before,
    }
    weights = sum(source.weight.numel() for layer in pairs for _, source, _ in layer)
    untouched = f"{measure.size_mb(reference, dict.fromkeys(stored, 0.0)):.1f}"
    rows = [
        ("Bits a rounded weight, scales included", "16", f"{sum(stored.values()) / weights:.2f}"),
        ("Not rounded: embedding table, norms, … (MB)", untouched, untouched),
    ]
    tokens = sum(window.shape[1] for window in windows)
    yield DemoResult(
        summary=f"{_summary(metrics, bits, group, kernel, untouched, tokens)} {asked}".strip(),
        table=words.compare_table(f"Rounded to {bits} bits", metrics, rows),
        metrics=metrics,
        figure=charts.rounding_chart(*_middle(pairs, bits, group), curve, before.perplexity),
        figure_alt=f"Top: before rounding, one layer's weights form a hill; after it they stand on the {2**bits} steps of "
        f"{bits} bits. Bottom: perplexity {words.number(before.perplexity)} at 16 bits, "
        + ", ".join(f"{words.number(curve[b])} at {b}" for b in sorted(curve, reverse=True))
        + ".",
        exhibits=exhibits,
    )


def _round(source: Linear, bits: int, group: int) -> Rounded:
    return quantize_per_group(source.weight, bits, group) if group else quantize_per_channel(source.weight, bits)


def _round_all(pairs: Pairs, bits: int, group: int, span: Span, put: Put) -> Steps[dict[str, float]]:
    """Round every matrix of the reference and `put` it into the changed model; returns the stored bits of each."""
    stored: dict[str, float] = {}
    for i, layer in enumerate(pairs):
        yield span.step(i, len(pairs), f"Rounding the weights of layer {i + 1} of {len(pairs)} to {bits} bits")
        for name, source, target in layer:
            rounded = _round(source, bits, group)
            put(target, rounded)
            stored[name] = rounded.stored_bits()
    return stored


def _middle(pairs: Pairs, bits: int, group: int) -> tuple[Tensor, Rounded]:
    """The first matrix of the decoder layer in the middle, and the same rounded."""
    source = pairs[len(pairs) // 2][0][1]
    return source.weight.detach(), _round(source, bits, group)


def _expand(target: Linear, rounded: Rounded) -> None:
    target.weight.data.copy_(rounded.values())


def _kernel(pairs: Pairs, bits: int, group: int) -> str:
    """Which packed kernel can run these codes: int4, int8, or "" for none."""
    weights = [source.weight for layer in pairs for _, source, _ in layer]
    if any(weight.device.type != "cpu" for weight in weights):
        return ""
    if bits <= 4:
        return "int4" if all(kernels.has_int4(weight.shape[1]) for weight in weights) else ""
    return "" if group else "int8"


def _summary(metrics: Mapping[str, float], bits: int, group: int, kernel: str, untouched: str, tokens: int) -> str:
    sharing = f"in groups of {group}" if group else "with one scale an output channel"
    parts = [
        f"Rounding the decoder's linear layers to {bits} bits {sharing} shrinks the model from "
        f"{metrics['size_mb_reference']:.0f} to {metrics['size_mb']:.0f} MB; the embedding table and all else, "
        f"{untouched} MB, stay at 16 bits.",
        words.perplexity_sentence(metrics, tokens, f"at {bits} bits"),
    ]
    if kernel:
        packed = f"PyTorch's {kernel} kernel reads the weights packed, {kernel.removeprefix('int')} bits each"
        parts.append(
            words.speed_sentence(metrics, f"since {packed}", f"{packed}, but on this processor that wins nothing")
        )
    else:
        same = "for want of a kernel that reads these weights packed, they ran expanded to 16 bits"
        parts.append(words.speed_sentence(metrics, same, same))
    if group == 32:
        parts.append(
            "Groups of 32 flatter the embedded model: it was published at 4 bits on these very groups (Q4_1), so rounding "
            "to 4 bits finds the old grid again; choose 64, 128 or 0 for an honest test."
        )
    else:
        parts.append(
            "The original means the bf16 weights; the embedded model's were published at 4 bits (groups of 32)."
        )
    return " ".join(parts)


QUANTIZE = Demo(
    name="quantize",
    title="Round the weights to fewer bits",
    concepts=("pruning-vs-quantization", "ptq-vs-qat"),
    params=(
        Param(
            "bits", 4, "bits a weight", 2, 8,
            spoken=(r"\b(\d+|two|three|four|five|six|seven|eight)[- ]?bits?\b", r"\bint(\d+)\b", r"\bbits *= *(\d+)"),
        ),
        Param(
            "group-size", 64, "neighbouring weights that share a scale; 0: a whole row", choices=(0, 32, 64, 128),
            spoken=(r"\bgroups?(?:[- ]size)?(?: of| =|=)? ?(\d+)\b", (r"\bper[- ](?:output[- ])?(?:channel|row)\b", 0)),
        ),
        Param(
            "layers", "all", "which linear layers of the decoder to round", choices=("all", "attention", "mlp"),
            spoken=measure.SPOKEN_LAYERS,
        ),
    ),
    run=run,
    words=r"\bquanti[sz]\w*|\bptq\b|\bint\d\b|\b(?:\d|two|three|four|eight)[- ]?bits?\b|\bround\w* (?:the |its )?weights\b",
    verbs=r"quanti[sz]e\b|round (?:the |its )?weights\b",
)  # fmt: skip
