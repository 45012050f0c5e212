"""One look for every figure: paper-coloured card, legible on light and dark pages and at 390 px."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, GREY, RED = "#3b82c4", "#d97b29", "#3f9d6d", "#9a62c7", "#8a8f98", "#c4524f"
PAPER, INK = "#fbfaf7", "#1d2330"


def new_figure(columns: int = 1, rows: int = 1, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """A figure 6.4 inches wide with `rows * columns` axes, row by row (stack rows, so that a phone can read them)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, height * rows), facecolor=PAPER, layout="constrained")
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(rows * columns)]
    for axis in axes:
        axis.set_facecolor(PAPER)
        axis.spines[["top", "right"]].set_visible(False)
        for spine in axis.spines.values():
            spine.set_color(GREY)
        axis.tick_params(colors=INK, labelsize=12)
        axis.xaxis.label.set_fontsize(13)
        axis.yaxis.label.set_fontsize(13)
        axis.title.set_fontsize(14)
        axis.title.set_color(INK)
    return figure, axes


def to_png(figure: Figure) -> bytes:
    """The figure as PNG bytes at 150 dots an inch (960 pixels wide), without a timestamp, so that runs repeat."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()
