"""Reward and KL over updates, one line a method."""

from __future__ import annotations

from collections.abc import Mapping

from demos import words
from demos.figures import BLUE, GREEN, GREY, ORANGE, new_figure, to_png
from demos.policy_methods import Learning
from demos.policy_words import KEYS

COLOURS = (BLUE, ORANGE, GREEN)
DASHES = ("-", "--", "-.")


def curves_chart(learned: Mapping[str, Learning], teacher: float) -> bytes:
    """Above, the share of right answers, with the teacher's; below, KL to the teacher."""
    figure, (top, bottom) = new_figure(rows=2, height=3.4)
    for (method, learning), colour, dash in zip(learned.items(), COLOURS, DASHES, strict=True):
        at = list(learning.curve)
        for axis, values in (
            (top, [100 * point.reward for point in learning.curve.values()]),
            (bottom, [point.kl for point in learning.curve.values()]),
        ):
            axis.plot(at, values, dash, color=colour, linewidth=2.2, label=method)
    top.axhline(100 * teacher, color=GREY, linestyle=":", linewidth=2, label="the teacher")
    top.set(ylim=(0, 103), ylabel="right answers (%)", title="How often each policy is right")
    bottom.set(xlabel="updates (128 answers each)", ylabel="KL (nats an answer)")
    bottom.set_title("How far each is from the teacher (0: the same)")
    bottom.set_ylim(bottom=0)
    figure.legend(*top.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=12)
    return to_png(figure)


def curves_alt(metrics: Mapping[str, float]) -> str:
    """What the two charts show, in numbers."""
    ends = "; ".join(
        f"{method} {100 * metrics[f'reward_{key}_quarter']:.0f} % right after a quarter of the updates and "
        f"{100 * metrics[f'reward_{key}']:.0f} % at the end, with KL {words.number(metrics[f'kl_{key}'])}"
        for method, key in KEYS.items()
    )
    return (
        f"Two line charts over {int(metrics['updates'])} updates. From {100 * metrics['reward_start']:.0f} % right and KL "
        f"{words.number(metrics['kl_start'])} to the teacher: {ends}. The teacher is right in "
        f"{100 * metrics['reward_teacher']:.0f} %."
    )
