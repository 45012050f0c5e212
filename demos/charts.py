"""The experiments' figures. Rows are stacked and values stand next to their marks, so that a phone can show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from demos import words
from demos.figures import BLUE, GREY, INK, ORANGE, new_figure, to_png
from demos.rounding import Rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

MOST_STEPS = 16  # of the rounding grid; more would blur into a solid area


def rounding_chart(weight: Tensor, rounded: Rounded, curve: Mapping[int, float], reference: float) -> bytes:
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

    bottom.set(xlabel="bits a weight", xticks=sorted(curve))
    _perplexity_curve(bottom, curve, rounded.bits, reference, "16 bits")
    return to_png(figure)


def _perplexity_curve(axis: Axes, curve: Mapping[float, float], own: float, reference: float, name: str) -> None:
    """Perplexity on a log scale, each point with its value; the run's own point is orange."""
    at = sorted(curve)
    axis.plot(at, [curve[x] for x in at], "o-", color=BLUE)
    axis.plot(own, curve[own], "o", color=ORANGE, markersize=13)
    axis.axhline(reference, color=GREY, linestyle="--")
    axis.set(yscale="log", ylabel="perplexity (log)")
    axis.margins(x=0.1, y=0.15)
    for x in at:
        axis.annotate(
            words.number(curve[x]),
            (x, curve[x]),
            (0, 11),
            textcoords="offset points",
            ha="center",
            fontsize=12,
            color=INK,
        )
    axis.set_title(f"Perplexity; dashed: {name}, {words.number(reference)}")
