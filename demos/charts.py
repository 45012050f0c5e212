"""The experiments' figures. Rows are stacked and values stand next to their marks, so that a phone can show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from demos import words
from demos.compare import Outcome
from demos.figures import BLUE, GREY, INK, ORANGE, new_figure, to_png
from demos.masks import Level
from demos.rounding import Rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

MOST_STEPS = 16  # of the rounding grid; more would blur into a solid area


def rounding_chart(weight: Tensor, rounded: Rounded, outcome: Outcome[int]) -> bytes:
    """One matrix in steps of its groups' scales, before and after; below, perplexity by bits, the run's own marked."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    scale, minimum = rounded.spread()
    steps = ((weight.float() - minimum) / scale).flatten().cpu().numpy()
    codes = rounded.codes.flatten().cpu().numpy()
    middle = round(float(codes.mean()))
    low, high = max(0, middle - MOST_STEPS // 2), min(2**rounded.bits - 1, middle + MOST_STEPS // 2)

    figure, (top, bottom, *last) = new_figure(rows=3 if outcome.sensitivity else 2, height=3.3)
    edges = np.arange(low - 0.5, high + 0.51, 0.25)
    top.hist(steps, bins=list(edges), weights=np.full(len(steps), 100 / len(steps)), color=GREY, label="before")
    shown = np.arange(low, high + 1)
    top.bar(shown, [100 * float((codes == code).mean()) for code in shown], width=0.15, color=ORANGE, label="after")
    whole = "" if high - low + 1 == 2**rounded.bits else f"; {high - low + 1} of {2**rounded.bits} shown"
    top.set(xlabel=f"weight, in steps of its scale{whole}", ylabel="% of the weights")
    top.set_title(f"One layer before and after rounding to {rounded.bits} bits")
    top.xaxis.set_major_locator(MaxNLocator(integer=True))
    top.margins(y=0.2)
    top.legend(frameon=False, fontsize=12, ncols=2, loc="upper right")

    bottom.set(xlabel="bits a weight", xticks=sorted(outcome.curve))
    own = (rounded.bits, outcome.curve[rounded.bits])
    curve = {float(bits): value for bits, value in outcome.curve.items()}
    _perplexity_curve(bottom, curve, own, outcome.metrics["perplexity_reference"], "16 bits")
    bottom.set_title("Perplexity at each width (lower is better)")
    for axis in last:
        _one_layer_at_a_time(axis, outcome)
    return to_png(figure)


def sparsity_chart(outcome: Outcome[Level], own: Level) -> bytes:
    """Perplexity by share of zeros, for unstructured pruning; another structure's points stand apart."""
    figure, (axis, *last) = new_figure(rows=2 if outcome.sensitivity else 1, height=3.3 if outcome.sensitivity else 3.9)
    structure, share = own
    line = {level[1]: value for level, value in outcome.curve.items() if level[0] == "unstructured"}
    apart = {level[1]: value for level, value in outcome.curve.items() if level[0] != "unstructured"}
    shares = sorted({*line, *apart})
    axis.set(xlabel="zeros in the pruned matrices (%)", xticks=shares, xticklabels=[f"{100 * x:g}" for x in shares])
    _perplexity_curve(axis, line, (share, outcome.curve[own]), outcome.metrics["perplexity_reference"], "not pruned")
    axis.set_title("Perplexity after unstructured pruning (lower is better)")
    if apart:
        axis.set_title(f"Perplexity after pruning: blue unstructured, orange {structure}")
        axis.margins(x=0.3)
        axis.plot(sorted(apart), [apart[x] for x in sorted(apart)], "o-", color=ORANGE)
        for x, value in apart.items():
            _value(axis, x, value, f"{structure}: " if x == share else "")
    for below in last:
        _one_layer_at_a_time(below, outcome)
    return to_png(figure)


def shots_chart(metrics: Mapping[str, float], shots: int, chance: float, orders: Sequence[float] = ()) -> bytes:
    """Accuracy with 0, 1 and `shots` examples, 95 % intervals, and the line of guessing.

    `orders` are accuracies of the same examples in other orders.
    """
    figure, (axis,) = new_figure(height=3.9)
    for x, key in enumerate("01k"):
        share, low, high = (100 * metrics[f"accuracy_{key}{end}"] for end in ("", "_low", "_high"))
        axis.errorbar(
            x, share, [[share - low], [high - share]], fmt="o", color=BLUE, markersize=12, capsize=8, linewidth=2
        )
        axis.annotate(f"{share:.0f} %", (x, share), (12, 6), textcoords="offset points", fontsize=14, color=INK)
    if orders:
        axis.plot([3] * len(orders), [100 * share for share in orders], "d", color=ORANGE, markersize=9)
    axis.axhline(100 * chance, color=GREY, linestyle="--")
    axis.annotate("guessing", (0.5, 100 * chance), (0, -16), textcoords="offset points", ha="center", fontsize=12)
    axis.set(xlim=(-0.4, 3.5 if orders else 2.5), ylim=(0, 105), ylabel="sorted right (%)")
    axis.set(xlabel="examples in the prompt")
    ticks = ["0", "1", str(shots), f"{shots}, in other\norders"]
    axis.set_xticks(range(4 if orders else 3), ticks if orders else ticks[:3])
    axis.set_title(f"{int(metrics['items'])} messages, with 95 % intervals")
    return to_png(figure)


def _one_layer_at_a_time(axis: Axes, outcome: Outcome[Any]) -> None:
    """Perplexity with one decoder layer changed, as a stem from the line of the original; the worst has its value."""
    found = outcome.sensitivity
    if found is None:
        return
    layers = range(1, len(found.alone) + 1)
    axis.vlines(layers, found.reference, found.alone, color=BLUE, linewidth=2)
    axis.plot(layers, found.alone, "o", color=BLUE, markersize=6)
    axis.axhline(found.reference, color=GREY, linestyle="--")
    worst = found.most()
    axis.plot(worst, found.alone[worst - 1], "o", color=ORANGE, markersize=11)
    if max(found.alone) > 3 * found.reference:
        axis.set(yscale="log")
    # At least 3 % each way, lest differences that mean nothing look large.
    axis.update_datalim([(1, 0.97 * found.reference), (1, 1.03 * found.reference)])
    axis.set(xlabel="the only layer that is changed", ylabel="perplexity", xticks=[1, *layers[4::5]])
    axis.margins(x=0.06, y=0.25)
    beside = 1 if worst <= len(found.alone) / 2 else -1
    _value(axis, worst, found.alone[worst - 1], f"layer {worst}: ", beside)
    axis.set_title(f"One layer at a time (dashed: none, {words.number(found.reference)})")


def _perplexity_curve(
    axis: Axes, curve: Mapping[float, float], own: tuple[float, float], reference: float, name: str
) -> None:
    """Perplexity on a log scale, each point with its value; the run's own point is large and orange."""
    at = sorted(curve)
    falls = curve[at[0]] > curve[at[-1]]
    axis.plot(at, [curve[x] for x in at], "o-", color=BLUE)
    axis.plot(*own, "o", color=ORANGE, markersize=13)
    axis.axhline(reference, color=GREY, linestyle="--")
    axis.set(yscale="log", ylabel="perplexity (log)")
    axis.margins(x=0.15, y=0.2)
    for x in at:
        _value(axis, x, curve[x], beside=1 if falls else -1)
    text = f"{name}: {words.number(reference)}"
    place = (0.98 if not falls else 0.02, reference)
    axis.annotate(
        text, place, (0, -16), ("axes fraction", "data"), "offset points", ha="left" if falls else "right", fontsize=12
    )


def _value(axis: Axes, x: float, y: float, name: str = "", beside: int = 0) -> None:
    """Write a point's value above it, or above and to its right (1) or left (-1), where the line is not."""
    side = {-1: "right", 0: "center", 1: "left"}[beside]
    text = f"{name}{words.number(y)}"
    axis.annotate(text, (x, y), (7 * beside, 10), textcoords="offset points", ha=side, fontsize=12, color=INK)
