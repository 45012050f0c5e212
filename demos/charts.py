"""The experiments' figures. Rows are stacked and values stand next to their marks, so that a phone can show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from demos import words
from demos.compare import Outcome
from demos.figures import BLUE, GREY, INK, ORANGE, new_figure, to_png
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

    figure, (top, bottom) = new_figure(rows=2, height=3.3)
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
    return to_png(figure)


def sparsity_chart(outcome: Outcome[tuple[str, float]], own: tuple[str, float]) -> bytes:
    """Perplexity by share of zeros, for unstructured pruning; another structure's point stands apart."""
    figure, (axis,) = new_figure(height=3.9)
    structure, share = own
    line = {level[1]: value for level, value in outcome.curve.items() if level[0] == "unstructured"}
    axis.set(xlabel="zeros in the pruned matrices (%)", xticks=list(line), xticklabels=[f"{100 * x:g}" for x in line])
    _perplexity_curve(axis, line, (share, outcome.curve[own]), outcome.metrics["perplexity_reference"], "not pruned")
    axis.set_title("Perplexity after unstructured pruning (lower is better)")
    if structure != "unstructured":
        axis.set_title(f"Perplexity after pruning: blue unstructured, orange {structure}")
        _value(axis, share, outcome.curve[own], f"{structure}: ")
    return to_png(figure)


def shots_chart(metrics: Mapping[str, float], shots: int, chance: float) -> bytes:
    """Accuracy with 0, 1 and `shots` examples, 95 % intervals, and the line of guessing."""
    figure, (axis,) = new_figure(height=3.9)
    for x, key in enumerate("01k"):
        share, low, high = (100 * metrics[f"accuracy_{key}{end}"] for end in ("", "_low", "_high"))
        axis.errorbar(
            x, share, [[share - low], [high - share]], fmt="o", color=BLUE, markersize=12, capsize=8, linewidth=2
        )
        axis.annotate(f"{share:.0f} %", (x, share), (12, 6), textcoords="offset points", fontsize=14, color=INK)
    axis.axhline(100 * chance, color=GREY, linestyle="--")
    axis.annotate(
        "guessing", (2.45, 100 * chance), (0, 5), textcoords="offset points", ha="right", fontsize=12, color=INK
    )
    axis.set(xlim=(-0.4, 2.5), ylim=(0, 100), ylabel="sorted right (%)", xlabel="examples in the prompt")
    axis.set_xticks(range(3), ["0", "1", str(shots)])
    axis.set_title(f"{int(metrics['items'])} messages, with 95 % intervals")
    return to_png(figure)


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
