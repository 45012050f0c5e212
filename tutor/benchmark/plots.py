"""The benchmark's plots, in the look of the experiments' figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from demos.figures import BLUE, GREEN, INK, ORANGE, new_figure, to_png


def draw(result: Mapping[str, Any], folder: Path) -> dict[str, tuple[str, str]]:
    """Write the plots; returns file name and alternative text by plot."""
    return {
        "contenders": _contenders(result["contenders"], folder),
        "class": _class(result["class"], folder),
        "growth": _growth(result, folder),
    }


def _contenders(contenders: Mapping[str, Any], folder: Path) -> tuple[str, str]:
    names = list(contenders)[::-1]
    times = [median(row["total_s"] for row in contenders[name]["rows"]) for name in names]
    figure, (axis,) = new_figure(height=0.5 + 0.38 * len(names))
    colours = [ORANGE if name.startswith("embedded") else GREEN if name.startswith("free") else BLUE for name in names]
    axis.barh(names, times, color=colours)
    for i, value in enumerate(times):
        axis.annotate(f"{value:.2f}", (value, i), (4, -4), textcoords="offset points", fontsize=12, color=INK)
    axis.set(xlabel="seconds for a whole answer (median)")
    axis.margins(x=0.12)
    return _save(figure, folder, "contenders.png"), "Seconds for a whole answer: " + ", ".join(
        f"{name} {value:.2f}" for name, value in zip(names[::-1], times[::-1], strict=True)
    )


def _class(found: Mapping[str, Any], folder: Path) -> tuple[str, str]:
    figure, (top, bottom) = new_figure(rows=2, height=3.0)
    for name, colour in (("free", GREEN), ("free, one by one", BLUE), ("embedded", ORANGE)):
        learners = [row["learners"] for row in found[name]]
        alone = found[name][0]["answers_per_s"]
        top.plot(learners, [row["answers_per_s"] / alone for row in found[name]], "o-", color=colour, label=name)
        bottom.plot(learners, [row["first_p95_s"] for row in found[name]], "o-", color=colour)
    top.set(xlabel="learners at once", ylabel="answers a second,\none learner = 1")
    bottom.set(xlabel="learners at once", ylabel="first token, p95 (s)")
    top.legend(frameon=False, fontsize=12)
    eight = ", ".join(
        f"{name} {row['answers_per_s'] / found[name][0]['answers_per_s']:.2f}"
        for name in ("free", "free, one by one", "embedded")
        for row in found[name]
        if row["learners"] == 8
    )
    return _save(figure, folder, "class.png"), f"Throughput of 8 learners at once against one: {eight}"


def _growth(result: Mapping[str, Any], folder: Path) -> tuple[str, str]:
    figure, (top, bottom) = new_figure(rows=2, height=3.0)
    passages = result["growth"]["passages"]
    top.plot([row["passages"] for row in passages], [row["query_ms"] for row in passages], "o-", color=BLUE)
    top.set(xscale="log", yscale="log", xlabel="passages (synthetic)", ylabel="index query (ms)")
    memory = result["class"]["memory_mb"]
    bottom.plot([turn for turn, _ in memory], [size for _, size in memory], "o-", color=ORANGE)
    bottom.set(xlabel="turns", ylabel="resident memory (MB)", ylim=(0, None))
    queries = ", ".join(f"{row['query_ms']:.2f} ms at {row['passages']:,}" for row in passages)
    return _save(
        figure, folder, "growth.png"
    ), f"Index query: {queries}; resident memory over {memory[-1][0]} turns ends at {memory[-1][1]:.0f} MB"


def _save(figure: Any, folder: Path, name: str) -> str:
    (folder / name).write_bytes(to_png(figure))
    return name
