"""Figures of the experiments on inference: the roofline with the published chips, and decode with and without cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from demos import words
from demos.chips import CHIPS
from demos.figures import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, new_figure, to_png
from demos.roofline import Roofline, Work

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOWEST, HIGHEST = 0.25, 2000.0  # FLOP/byte on the roofline's axis


def roofline_chart(machine: Roofline, works: Mapping[str, Work], bounds: Mapping[str, float], dtype: str) -> bytes:
    """Measured roof and the model's points under it, two published roofs; below, decode bounds by chip.

    `works` are named as the learner reads them, one of them "decode"; `bounds` are tokens/s for one user, this
    machine's first, then those of CHIPS.
    """
    figure, (top, bottom) = new_figure(rows=2, height=4.2)
    _roof(top, machine, BLUE, "-", "this machine (measured)")
    styles = {"h100": ORANGE, "v5e": PURPLE}
    for chip in CHIPS:
        if chip.key in styles:
            roof = Roofline(1000 * chip.bf16_tflops, chip.memory_gb_s)
            _roof(top, roof, styles[chip.key], "--", f"{chip.name} (published)")
    for name, work in works.items():
        top.plot(work.intensity, work.gflops, "o", color=BLUE, markersize=11)
        top.annotate(
            f"{name}: {words.number(work.gflops)}",
            (work.intensity, work.gflops),
            (9, -16),
            textcoords="offset points",
            fontsize=12,
            color=INK,
        )
    top.set(xscale="log", yscale="log", xlim=(LOWEST, HIGHEST), ylim=(1, 3e7))
    top.set(xlabel="operations for each byte read (FLOP/byte)", ylabel="speed (GFLOP/s)")
    top.set_title(f"Roofline: the model's points in {dtype}")
    top.legend(frameon=False, fontsize=12, loc="upper left")

    names = ["this machine", *(chip.model.split(" (")[0] for chip in CHIPS)]
    colors = [BLUE, *(ORANGE if chip.maker == "NVIDIA" else PURPLE for chip in CHIPS)]
    bottom.barh(names, list(bounds.values()), color=colors, height=0.6)
    measured = f" (measured: {words.number(works['decode'].tokens_per_s)})"
    for i, bound in enumerate(bounds.values()):
        text = words.number(bound) + (measured if i == 0 else "")
        bottom.annotate(text, (bound, i), (5, 0), textcoords="offset points", va="center", fontsize=12, color=INK)
    bottom.invert_yaxis()
    bottom.set(xscale="log", xlim=(1, 10 * max(bounds.values())), xlabel="tokens/s for one user (log)")
    bottom.set_title("Decode at most, computed: bandwidth\n(others' as published) / bytes of weights")
    return to_png(figure)


def _roof(axis: Axes, roof: Roofline, color: str, style: str, label: str) -> None:
    at = [LOWEST, roof.ridge, HIGHEST]
    axis.plot(at, [roof.attainable(x) for x in at], style, color=color, linewidth=2, label=label)


def cache_chart(
    lengths: Sequence[int],
    cached_ms: Sequence[float],
    uncached_ms: Sequence[float],
    sizes: Mapping[str, Sequence[float]],
) -> bytes:
    """Milliseconds a token by length of the text, with and without cache; below, the cache's size in MB.

    `sizes` holds MB at each length by the name that the learner reads; the first are measured, the others computed.
    """
    figure, (top, bottom) = new_figure(rows=2, height=3.6)
    top.plot(lengths, uncached_ms, "o", color=ORANGE, markersize=5, label="without the cache")
    top.plot(lengths, cached_ms, "o", color=BLUE, markersize=5, label="with the cache")
    top.set(xlabel="tokens in the text so far", ylabel="time for the next token (ms)")
    top.set_ylim(0, 1.25 * max(*uncached_ms, *cached_ms))
    top.set_title("Time for each token")
    top.legend(frameon=False, fontsize=12, loc="upper left")

    for (name, size), color, style in zip(sizes.items(), (BLUE, GREY, GREEN), ("-", "--", "--"), strict=False):
        bottom.plot(lengths, size, style, color=color, linewidth=2.5)
        bottom.annotate(
            f"{name}: {words.number(size[-1])}",
            (lengths[-1], size[-1]),
            (0, 6),
            textcoords="offset points",
            ha="right",
            fontsize=12,
            color=INK,
        )
    bottom.set(xlabel="tokens in the text so far", ylabel="KV cache (MB)")
    bottom.set_ylim(0, 1.2 * max(size[-1] for size in sizes.values()))
    bottom.set_title("Size of the KV cache")
    return to_png(figure)
