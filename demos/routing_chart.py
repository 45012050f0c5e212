"""The figure of the mixture-of-experts experiment: who goes where, and what it buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from demos import words
from demos.figures import BLUE, GREY, INK, ORANGE, new_figure, to_png

if TYPE_CHECKING:
    from torch import Tensor


def routing_chart(
    shares: Tensor, kinds: Sequence[str], losses: Mapping[str, tuple[float, str]], chance: float, title: str
) -> bytes:
    """Top: `shares` [kinds, experts], of each kind's tokens, 0 to 1. Bottom: held-out loss by network, with a note."""
    figure, (top, bottom) = new_figure(rows=2, height=3.5)
    count = shares.shape[1]
    top.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, values in enumerate(shares.tolist()):
        for column, value in enumerate(values):
            if value >= 0.005:
                color = "white" if value > 0.5 else INK
                top.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=12, color=color)
    top.set_xticks(range(count), [str(i + 1) for i in range(count)])
    top.set_yticks(range(len(kinds)), list(kinds))
    top.set(xlabel="expert", title=title)

    names = list(losses)
    values = [losses[name][0] for name in names]
    bottom.barh(names, values, color=[GREY, ORANGE, BLUE][: len(names)], height=0.55)
    for row, name in enumerate(names):
        value, note = losses[name]
        text = f"{words.number(value)}\n{note}"
        bottom.annotate(
            text, (value, row), (6, 0), textcoords="offset points", va="center", fontsize=12, color=INK, linespacing=1.3
        )
    bottom.axvline(chance, color=GREY, linestyle="--")
    bottom.annotate("guessing", (chance, 0.5), (-5, 0), textcoords="offset points", ha="right", fontsize=12, color=INK)
    bottom.invert_yaxis()
    bottom.set(xlim=(0, 1.08 * max([chance, *values])), xlabel="held-out loss (nats a token, lower is better)")
    bottom.set_title("The same task, the same training")
    return to_png(figure)
