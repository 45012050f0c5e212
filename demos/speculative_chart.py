"""The figure of the experiment on drafts and students: how fast each way writes, and how far it is the teacher's text."""

from __future__ import annotations

from collections.abc import Mapping

from demos.figures import BLUE, GREEN, INK, ORANGE, new_figure, to_png

_COLORS = (ORANGE, BLUE, GREEN)


def speculative_chart(rates: Mapping[str, float], same: Mapping[str, float]) -> bytes:
    """Letters a second (top) and the share of letters that are the teacher's (bottom), by way to write."""
    figure, (top, bottom) = new_figure(rows=2, height=2.4)
    shares = {name: 100 * share for name, share in same.items()}
    for axis, values, unit, title in (
        (top, rates, "letters a second", "Pace: letters a second"),
        (bottom, shares, "% of the letters", "Text: letters that the teacher writes, too (%)"),
    ):
        names = list(values)
        axis.barh(names, list(values.values()), color=_COLORS, height=0.55)
        for place, value in enumerate(values.values()):
            axis.annotate(
                f"{value:,.0f}", (value, place), (6, 0), textcoords="offset points", va="center", fontsize=12, color=INK
            )
        axis.invert_yaxis()
        axis.set(xlim=(0, 1.15 * max(values.values())), xlabel=unit)
        axis.set_title(title)
    return to_png(figure)
