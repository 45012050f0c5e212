"""The figure of the experiment on rounding after training and training with rounding."""

from __future__ import annotations

from collections.abc import Sequence

from demos.figures import BLUE, GREY, INK, ORANGE, PAPER, new_figure, to_png
from demos.words import number


def qat_chart(levels: Sequence[int], exact: float, ptq: Sequence[float], qat: Sequence[float]) -> bytes:
    """Held-out loss by bits a weight, for rounding after training and for training with it, above that of exact weights."""
    figure, (axis,) = new_figure(height=4.2)
    places = range(len(levels))
    for losses, color, mark, above, label in (
        (ptq, ORANGE, "o", 9, "PTQ: rounded in the end"),
        (qat, BLUE, "s", -20, "QAT: rounded in every step"),
    ):
        axis.plot(places, losses, color=color, marker=mark, linewidth=2, label=label)
        for place, loss in zip(places, losses, strict=True):
            axis.annotate(
                number(loss),
                (place, loss),
                (0, above),
                textcoords="offset points",
                ha="center",
                fontsize=12,
                color=INK,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.5},
            )
    axis.axhline(exact, color=GREY, linestyle="--", label=f"not rounded: {number(exact)}")
    low, high = min(exact, *qat, *ptq), max(exact, *qat, *ptq)
    axis.set(
        xticks=list(places),
        xticklabels=[f"{bits} bit" + "s" * (bits > 1) for bits in levels],
        ylabel="loss on new text (nats)",
        xlim=(-0.4, len(levels) - 0.6),
        ylim=(low - 0.2 * (high - low) - 0.02, high + 0.15 * (high - low) + 0.02),
    )
    axis.legend(frameon=False, fontsize=12, loc="upper left")
    axis.set_title("Loss after the same training (lower is better)")
    return to_png(figure)
