"""The figure of the run through the stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demos.figures import BLUE, GREEN, GREY, INK, ORANGE, new_figure, to_png
from demos.stage_words import WORDED, key


def stages_chart(
    stages: Sequence[str], curve: Sequence[tuple[float, Mapping[str, float]]], metrics: Mapping[str, float]
) -> bytes:
    """Held-out loss by stage, each stage equally wide however many steps it has; below, the shares after each stage.

    `curve` holds (place, losses in nats a token by kind of text); place 1.5 is the middle of the second stage.
    """
    figure, (top, bottom) = new_figure(rows=2, height=3.9)
    for i in range(0, len(stages), 2):
        top.axvspan(i, i + 1, color=GREY, alpha=0.15, linewidth=0)
    places = [place for place, _ in curve]
    for kind, color in (("stories", GREEN), ("sums", BLUE), ("answers", ORANGE)):
        top.plot(places, [losses[kind] for _, losses in curve], "o-", color=color, markersize=4, label=kind)
    top.set_xticks([i + 0.5 for i in range(len(stages))], [WORDED[stage] for stage in stages])
    top.tick_params(axis="x", length=0)
    top.set(xlim=(0, len(stages)), ylabel="loss (nats a token)")
    top.set_title("Held-out loss along the stages (lower is better)")
    top.legend(frameon=False, fontsize=12, ncols=3, loc="upper right")
    highest = max(max(losses.values()) for _, losses in curve)
    top.set_ylim(0, 1.2 * highest)

    shares = (
        ("text_accuracy", BLUE, "sums as text"),
        ("best_of_8", GREY, "one of 8 answers"),
        ("accuracy", ORANGE, "answers"),
    )
    for j, (what, color, label) in enumerate(shares):
        heights = [100 * metrics[f"{what}_{key(stage)}"] for stage in stages]
        at = [i + 0.28 * (j - 1) for i in range(len(stages))]
        bottom.bar(at, heights, width=0.26, color=color, label=label)
        for x, height in zip(at, heights, strict=True):
            bottom.annotate(
                f"{height:.0f}", (x, height), (0, 3), textcoords="offset points", ha="center", fontsize=12, color=INK
            )
    bottom.set_xticks(range(len(stages)), [WORDED[stage] for stage in stages])
    bottom.set(ylim=(0, 130), yticks=range(0, 101, 25), ylabel="right (%)", xlabel="after this stage")
    bottom.set_title(f"{metrics['questions']:.0f} sums never asked in training")
    bottom.legend(frameon=False, fontsize=12, ncols=3, loc="upper center")
    return to_png(figure)
