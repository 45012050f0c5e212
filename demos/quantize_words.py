"""How the quantization experiment words what it measured: its table rows, its summary, and what was predicted."""

from __future__ import annotations

from collections.abc import Mapping

from demos import measure, words
from demos.compare import Outcome

FEWER_WEIGHTS, FEWER_BITS, NOTHING = "Fewer weights", "Fewer bits for each weight", "Nothing: it stays as large"


def rows_of(outcome: Outcome[int], metrics: Mapping[str, float]) -> list[tuple[str, ...]]:
    """What only rounding has to show: how many weights there are, and the bits that each takes, for each level."""
    count, stored = metrics["weights_reference"], [outcome.stored, *(cost.stored for cost in outcome.beside.values())]
    untouched = f"{untouched_mb(outcome):.1f}"
    return [
        ("Rounded weights (million)", *(f"{n / 1e6:.1f}" for n in (count, *[metrics["weights"]] * len(stored)))),
        ("Bits a rounded weight, scales included", "16", *(f"{sum(bits.values()) / count:.2f}" for bits in stored)),
        ("Not rounded: embedding table, norms, … (MB)", *[untouched] * (len(stored) + 1)),
    ]


def untouched_mb(outcome: Outcome[int]) -> float:
    """MB of what no rounding touches."""
    return measure.size_mb(outcome.reference, dict.fromkeys(outcome.stored, 0.0))


def summary_of(outcome: Outcome[int], bits: int, group: int, packed: bool, layers: str) -> str:
    """What was measured, sentence by sentence; `packed` says whether a kernel read packed codes, `layers` which were rounded."""
    metrics = outcome.metrics
    sharing = f"in groups of {group}" if group else "with one scale an output channel"
    held = 4 if bits <= 4 else 8
    fast = f"since PyTorch's int{held} kernel reads the weights packed, {held} bits each"
    flat = f"for want of a kernel that reads these weights packed, they ran expanded to {32 if outcome.is_wide else 16} bits"
    wide = ("The original" if packed else "Both") if outcome.is_wide else ""
    if packed:
        flat = f"PyTorch's int{held} kernel reads the weights packed, but on this machine that wins nothing"
    origin = "The original means the bf16 weights; the embedded model's were published at 4 bits (groups of 32)."
    if group == 32:
        origin = (
            "Groups of 32 flatter the embedded model: it was published at 4 bits on these very groups (Q4_1), so "
            "rounding to 4 bits finds the old grid again; choose 64, 128 or 0 for an honest test."
        )
    return words.paragraphs(
        [
            f"Rounding the linear layers of {words.PLACES[layers]} to {bits} bits {sharing} shrinks the model from "
            f"{metrics['size_mb_reference']:.0f} to {metrics['size_mb']:.0f} MB; the embedding table and all else, "
            f"{untouched_mb(outcome):.1f} MB, stay at 16 bits.",
            words.perplexity_sentence(metrics, outcome.tokens, f"at {bits} bits"),
            *outcome.further_sentences(lambda level: f"{level} bits"),
            words.speed_sentence(metrics, fast, flat, wide),
        ],
        [origin, outcome.asked],
    )


def what_makes_it_smaller(metrics: Mapping[str, float | int]) -> str:
    """The true choice of the prediction."""
    if metrics["size_mb"] >= metrics["size_mb_reference"]:
        return NOTHING
    return FEWER_WEIGHTS if metrics["weights"] < metrics["weights_reference"] else FEWER_BITS
