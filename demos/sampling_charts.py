"""Figure of the sampling experiment: the likeliest tokens before and after, and how many each cut keeps along a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demos.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, new_figure, to_png
from demos.glyphs import drawable

_COLOURS = (GREY, BLUE, ORANGE, PURPLE, GREEN, RED)  # the model's own, the run's temperature and up to four beside it


def sampling_chart(
    tokens: Sequence[str],
    shares: Mapping[str, Sequence[float]],
    text: Sequence[str],
    kept: Mapping[str, Sequence[int]],
) -> bytes:
    """`shares` in percent of the likeliest `tokens`, by setting; `kept` counts at each token of the greedy `text`."""
    import numpy as np
    from matplotlib.ticker import StrMethodFormatter

    figure, (top, bottom) = new_figure(rows=2, height=4.4)
    figure.set_layout_engine("constrained", h_pad=0.1)
    places = np.arange(len(tokens))
    step = 0.84 / len(shares)
    for i, ((name, values), colour) in enumerate(zip(shares.items(), _COLOURS, strict=False)):
        top.barh(places + step * (i - (len(shares) - 1) / 2), values, step - 0.02, color=colour, label=name)
    top.set_yticks(places, [drawable(token) for token in tokens])
    top.invert_yaxis()
    top.set(xlabel="probability (%)")
    top.set_title("The likeliest next tokens (␣ is a space)")
    top.legend(frameon=False, fontsize=12, loc="lower right")

    marks = zip(kept.items(), (PURPLE, BLUE, GREEN), "so^", strict=True)
    for (name, counts), colour, mark in marks:
        bottom.plot(range(len(counts)), counts, marker=mark, color=colour, label=name, markersize=6)
    bottom.set(yscale="log", ylabel="tokens kept (log)")
    bottom.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    # One more label than tokens of a text that ended early: the step that chose the end.
    steps = max((len(counts) for counts in kept.values()), default=0)
    bottom.set_xticks(range(steps), [drawable(token.strip("␣")) for token in [*text, "(end)"][:steps]], rotation=90)
    bottom.margins(y=0.25)
    bottom.set_title("Tokens kept at each step of the greedy text")
    bottom.legend(frameon=False, fontsize=12, ncols=3, loc="upper center")
    return to_png(figure)
