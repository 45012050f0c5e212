"""The experiments' figures. Rows are stacked and values stand next to their marks, so that a phone can show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demos import words
from demos.compare import Outcome
from demos.figures import BLUE, GREY, INK, ORANGE, new_figure, to_png
from demos.rounding import Rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

MOST_STEPS = 16  # of the rounding grid; more would blur into a solid area


def rounding_chart(weight: Tensor, rounded: Rounded, outcome: Outcome) -> bytes:
    """One matrix in steps of its groups' scales, before and after; below, perplexity by bits, the run's own marked."""
    import numpy as np

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
    top.legend(frameon=False, fontsize=12)

    bottom.set(xlabel="bits a weight", xticks=sorted(outcome.curve))
    _perplexity_curve(bottom, outcome, rounded.bits, "16 bits")
    return to_png(figure)


def sparsity_chart(outcome: Outcome, own: float, structure: str) -> bytes:
    """Perplexity by share of zeros. At 2:4 the line is unstructured pruning and the run's own point stands apart."""
    figure, (axis,) = new_figure(height=3.9)
    at = sorted(outcome.curve)
    axis.set(xlabel="zeros in the pruned matrices (%)", xticks=at, xticklabels=[f"{100 * x:g}" for x in at])
    apart = structure == "2:4"
    _perplexity_curve(axis, outcome, own, "not pruned", joined=not apart)
    if apart:
        axis.annotate("2:4", (own, outcome.curve[own]), (0, -24), textcoords="offset points", ha="center", fontsize=13)
    return to_png(figure)


def _perplexity_curve(axis: Axes, outcome: Outcome, own: float, name: str, joined: bool = True) -> None:
    """Perplexity on a log scale, each point with its value; the run's own is orange, and apart unless `joined`."""
    at = sorted(outcome.curve)
    line = [x for x in at if joined or x != own]
    axis.plot(line, [outcome.curve[x] for x in line], "o-", color=BLUE)
    axis.plot(own, outcome.curve[own], "o", color=ORANGE, markersize=13)
    reference = outcome.metrics["perplexity_reference"]
    axis.axhline(reference, color=GREY, linestyle="--")
    axis.set(yscale="log", ylabel="perplexity (log)")
    axis.margins(x=0.1, y=0.18)
    for x in at:
        value = outcome.curve[x]
        axis.annotate(
            words.number(value), (x, value), (0, 11), textcoords="offset points", ha="center", fontsize=12, color=INK
        )
    axis.set_title(f"Perplexity; dashed: {name}, {words.number(reference)}")
