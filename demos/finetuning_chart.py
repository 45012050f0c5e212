"""The figure of the fine-tuning experiment: what each method learns, what it forgets, and what it holds in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demos.figures import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, new_figure, to_png

COLORS = (BLUE, ORANGE, GREEN)
MARKS = ("o", "s", "^")
PARTS = {"weights": GREY, "gradients": PURPLE, "adam": INK}


def finetuning_chart(
    steps: Sequence[int],
    learned: Mapping[str, Sequence[float]],
    kept: Mapping[str, Sequence[float]],
    memory: Mapping[str, Mapping[str, float]],
) -> bytes:
    """Held-out loss by step on the new text (top) and the old (middle); memory in MB by part (bottom), all by method."""
    figure, (top, middle, bottom) = new_figure(rows=3, height=2.9)
    for axis, curves in ((top, learned), (middle, kept)):
        for (name, losses), color, mark in zip(curves.items(), COLORS, MARKS, strict=True):
            axis.plot(steps, losses, marker=mark, color=color, label=name, linewidth=2)
        axis.set(xlabel="fine-tuning step", ylabel="loss (nats)")
    top.legend(frameon=False, fontsize=12)
    top.set_title("New text, without vowels (lower is better)")
    middle.set_title("Old text, with vowels: a rise is forgetting")

    names = list(memory)
    totals = [sum(memory[name].values()) for name in names]
    left = [0.0] * len(names)
    for part, color in PARTS.items():
        values = [memory[name][part] for name in names]
        label = "Adam's running values" if part == "adam" else part
        bottom.barh(names, values, left=left, color=color, height=0.55, label=label)
        left = [a + b for a, b in zip(left, values, strict=True)]
    for row, total in enumerate(totals):
        bottom.annotate(
            f"{total:.2f}", (total, row), (6, 0), textcoords="offset points", va="center", fontsize=12, color=INK
        )
    bottom.invert_yaxis()
    bottom.set(xlim=(0, 1.15 * max(totals)), xlabel="memory while training (MB)")
    bottom.legend(frameon=False, fontsize=12, loc="lower right")
    bottom.set_title("Memory, without activations")
    return to_png(figure)
