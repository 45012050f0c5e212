"""Figure of the RAG experiment: right answers by prompt, and how often each search puts the right note first."""

from __future__ import annotations

from collections.abc import Mapping

from demos.figures import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, new_figure, to_png

_PROMPTS = {"none": "no notes", "retrieved": "retrieved\nnotes", "wrong": "a wrong\nnote"}
_SEARCHES = {
    "words": "shared words\n(BM25)",
    "embedding": "embeddings\n(bi-encoder)",
    "together": "read together\n(cross-encoder)",
}


def rag_chart(metrics: Mapping[str, float]) -> bytes:
    """Counts of questions; the first panel has 95 % intervals."""
    questions = int(metrics["questions"])
    figure, (top, bottom) = new_figure(rows=2, height=3.9)
    figure.set_layout_engine("constrained", h_pad=0.12)
    for x, (name, colour) in enumerate(zip(_PROMPTS, (GREY, BLUE, ORANGE), strict=True)):
        right = metrics[f"{name}_right"]
        low, high = (questions * metrics[f"{name}_{end}"] for end in ("low", "high"))
        top.bar(x, right, 0.55, color=colour)
        # At 0 and at all right, the interval's end is the count itself, less or more a rounding error.
        errors = [[max(0.0, right - low)], [max(0.0, high - right)]]
        top.errorbar(x, right, errors, color=INK, capsize=7, linewidth=1.5)
        top.annotate(f"{right:.0f}", (x, right), (30, 4), textcoords="offset points", fontsize=14, color=INK)
    top.set_xticks(range(3), list(_PROMPTS.values()))
    top.set(ylim=(0, questions + 0.5), ylabel="right answers")
    top.set_title(f"{questions} questions, with 95 % intervals")

    for x, (name, colour) in enumerate(zip(_SEARCHES, (GREY, PURPLE, GREEN), strict=True)):
        first = metrics[f"first_{name}"]
        bottom.bar(x, first, 0.55, color=colour)
        bottom.annotate(f"{first:.0f}", (x, first), (0, 4), textcoords="offset points", ha="center", fontsize=14)
    bottom.set_xticks(range(3), list(_SEARCHES.values()))
    bottom.set(ylim=(0, questions + 1.5), ylabel="right note first")
    bottom.set_title(f"Which search finds the right one of {metrics['notes']:.0f} notes?")
    return to_png(figure)
