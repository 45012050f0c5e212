"""How the experiments word what they measured, each the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demos.base import Table

PLACES = {
    "all": "the decoder",
    "attention": "the decoder's attention blocks",
    "mlp": "the decoder's MLP blocks",
}
"""Where the linear layers are that a run changes, by its `layers` (demos/measure.py)."""


def paragraphs(first: Sequence[str], further: Sequence[str]) -> str:
    """A summary: what a learner should read first, and below, which the page folds away, what else was measured."""
    return "\n\n".join(" ".join(part for part in parts if part) for parts in (first, further) if any(parts))


def number(value: float) -> str:
    """A number as a learner reads it: 0, 0.289, 29.4, 1,234."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def perplexity_sentence(metrics: Mapping[str, float], tokens: int, changed: str) -> str:
    """What happened to perplexity and KL, with a judgement that depends on the measured ratio."""
    before, after = metrics["perplexity_reference"], metrics["perplexity"]
    ratio = after / before
    if ratio < 0.98:
        verdict = "lower, though KL tells how far the predictions moved"
    elif ratio < 1.02:
        verdict = "practically unchanged"
    elif ratio < 1.2:
        verdict = "slightly worse"
    elif ratio < 2:
        verdict = "clearly worse"
    elif ratio < 20:
        verdict = f"{ratio:.1f} times as high, so the model is badly hurt"
    else:
        verdict = "so high that the model is destroyed"
    return (
        f"Perplexity on a text of {tokens:,} tokens goes from {number(before)} with the original weights to "
        f"{number(after)} {changed}: {verdict} (lower is better; KL {number(metrics['kl'])} nats a token)."
    )


def levels_sentence(perplexity: Mapping[str, float]) -> str:
    """Names levels ("8 bits") from the one with the lowest perplexity to the one with the highest."""
    ranked = sorted(perplexity, key=lambda name: perplexity[name])
    return (
        "From best to worst perplexity: " + ", ".join(f"{name} ({number(perplexity[name])})" for name in ranked) + "."
    )


def speed_sentence(metrics: Mapping[str, float], faster: str, same: str, in_fp32: str = "") -> str:
    """How decoding speed changed, with the reason why it is `faster`, or why it is the `same`; `in_fp32` names what did not run in bf16 ("Both")."""
    before, after = metrics["tokens_per_s_reference"], metrics["tokens_per_s"]
    wide = f" {in_fp32} ran in fp32, which this CPU multiplies faster than bf16." if in_fp32 else ""
    if after > 1.15 * before:
        return f"Decoding ran at {after:.0f} instead of {before:.0f} tokens/s, {faster}.{wide}"
    return f"Decoding ran at {after:.0f} tokens/s, against {before:.0f} with the original weights: {same}.{wide}"


def compare_table(
    changed: str,
    metrics: Mapping[str, float],
    extra: Sequence[tuple[str, ...]],
    beside: Mapping[str, tuple[float, float, float]] | None = None,
) -> Table:
    """Original against changed model; `extra` rows come last.

    `beside` adds a column for each further level by its name: its size (MB), perplexity and KL. Only the changed model
    is timed.
    """
    others = dict(beside or {})
    rows = [
        ("Size (MB)", f"{metrics['size_mb_reference']:.1f}", f"{metrics['size_mb']:.1f}"),
        ("Perplexity", number(metrics["perplexity_reference"]), number(metrics["perplexity"])),
        ("KL (nats a token)", "0", number(metrics["kl"])),
        ("Decoding (tokens/s)", f"{metrics['tokens_per_s_reference']:.0f}", f"{metrics['tokens_per_s']:.0f}"),
    ]
    further = [(f"{size:.1f}", number(perplexity), number(kl), "not timed") for size, perplexity, kl in others.values()]
    return Table(
        columns=("Measure", "Original (bf16)", changed, *others),
        rows=(*((*row, *(column[i] for column in further)) for i, row in enumerate(rows)), *extra),
    )
