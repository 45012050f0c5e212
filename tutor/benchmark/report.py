"""All of it in one run: each contender in a process of its own, then the class, then growth; ratios first. `make bench`."""

from __future__ import annotations

import json
import logging
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tutor.benchmark import plots
from tutor.benchmark.contenders import THREADS
from tutor.benchmark.start import start_seconds
from tutor.benchmark.worker import CONTENDERS
from tutor.errors import TutorError

log = logging.getLogger(__name__)

DOCS = Path(__file__).parents[2] / "docs"
_RATIOS = (
    ("first token, first turns, embedded", "embedded", "llama.cpp", "first", "first_s", 0.33),
    (
        "first token, first turns, notes not read ahead",
        "embedded, notes not read ahead",
        "llama.cpp",
        "first",
        "first_s",
        0.33,
    ),
    ("first token, follow-ups, embedded", "embedded", "llama.cpp", "followup", "first_s", 0.15),
    ("whole answer, embedded", "embedded", "llama.cpp", "", "total_s", 0.25),
    ("whole answer, embedded", "embedded", "generate, bf16", "", "total_s", 0.1),
    ("whole answer, embedded", "embedded", "generate, fp32", "", "total_s", None),
    ("whole answer, free", "free", "llama.cpp", "", "total_s", 0.7),
    ("first token, free", "free", "llama.cpp", "", "first_s", None),
    ("whole answer, free", "free", "generate, bf16", "", "total_s", None),
    ("whole answer, free, without drafts", "free, no drafts", "llama.cpp", "", "total_s", None),
)
"""What is compared, with whom, on which prompts, and the target."""


_NEED_BF16 = {
    "generate, bf16": "this CPU has no instructions for bf16, and a prompt takes it a minute to read in emulation",
    "free, no int8": "int8 stands in for bf16, and this CPU's engine is in fp32",
    "int8": "it is only used beside bf16",
}
"""What is only measured where bf16 is faster than fp32, and why."""


def measure_all(runs: int, raw: Path | None = None) -> dict[str, Any]:
    """Every figure, kept in the file `raw` as it comes; contenders that cannot run here are named with the reason."""
    result: dict[str, Any] = {"machine": _machine(), "runs": runs, "contenders": {}, "skipped": {}}
    lengths: dict[str, int] = {}
    for name in sorted(CONTENDERS, key=lambda name: name != "embedded"):
        if name == "llama.cpp" and not _has_llama_cpp():
            result["skipped"][name] = (
                "llama-cpp-python is not installed: pip install -e '.[bench]' (compiles for about 10 minutes)"
            )
            log.warning("%s", result["skipped"][name])
            continue
        if name in _NEED_BF16 and not _has_bf16():
            result["skipped"][name] = _NEED_BF16[name]
            log.warning("%s: %s", name, result["skipped"][name])
            continue
        log.info("%s", name)
        found = _python("tutor.benchmark.worker", name, "--runs", str(runs), "--lengths", json.dumps(lengths))
        result["contenders"][name] = found
        _keep(result, raw)
        if name == "embedded":  # the others write as many tokens as it chose
            lengths = {row["id"]: max(8, row["tokens"]) for row in found["rows"]}
    later: dict[str, Callable[[], Any]] = {
        "class": lambda: _python("tutor.benchmark.crowd", str(runs)),
        "growth": lambda: _python("tutor.benchmark.growth"),
        "int8": lambda: _python("tutor.benchmark.divergence"),
        "start_s": lambda: [start_seconds() for _ in range(3)],
    }
    for name, measure in later.items():
        if name in _NEED_BF16 and not _has_bf16():
            result["skipped"][name] = _NEED_BF16[name]
            continue
        log.info("%s", name)
        result[name] = measure()
        _keep(result, raw)
    return result


def _keep(result: Mapping[str, Any], raw: Path | None) -> None:
    if raw is not None:
        raw.parent.mkdir(exist_ok=True)
        raw.write_text(json.dumps(result) + "\n", encoding="utf-8")


def ratios(contenders: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Median over the prompts that both answered of ours ÷ theirs, a prompt's time being its median over the runs."""
    rows = []
    for what, ours, theirs, kind, key, target in _RATIOS:
        if ours not in contenders or theirs not in contenders:
            continue
        one, two = (_by_prompt(contenders[name]["rows"], kind, key) for name in (ours, theirs))
        shared = sorted(one.keys() & two.keys())
        ratio = median(one[name] / two[name] for name in shared)
        rows.append({"what": what, "against": theirs, "ratio": ratio, "target": target, "prompts": len(shared)})
    return rows


def write_report(result: Mapping[str, Any], docs: Path = DOCS) -> Path:
    """docs/speed.md with its plots beside it."""
    (docs / "speed").mkdir(exist_ok=True)
    figures = plots.draw(result, docs / "speed")
    path = docs / "speed.md"
    path.write_text("\n".join(_lines(result, figures)) + "\n", encoding="utf-8")
    return path


def _lines(result: Mapping[str, Any], figures: Mapping[str, tuple[str, str]]) -> list[str]:
    contenders = result["contenders"]
    lines = [
        "# Speed",
        "",
        f"Made by `make bench` on {result['machine']}. {result['runs']} runs over the 40 prompts of `tutor/benchmark/prompts.jsonl`, a fifth of them "
        "a run, so five runs see each once. Every contender is a process of its own, on the same weights (llama.cpp: the published Q4_1 file, without the adapter), "
        "greedy, and writes as many tokens as the embedded mode chose for that prompt, at least 8.",
        "",
        "## Ratios",
        "",
        "| Measure | Against | Ours ÷ theirs | Target | Prompts |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['what']} | {row['against']} | {row['ratio']:.2f} | {'≤ ' + str(row['target']) if row['target'] else ''} | {row['prompts']} |"
        for row in ratios(contenders)
    ]
    lines += [
        *(f"\n{name}: skipped. {why}" for name, why in result["skipped"].items()),
        "",
        "## Each contender",
        "",
        "Medians; p90 tells of the questions about which the model itself is asked, where it pays that notes were read before. Memory is the process's peak; every process holds "
        "the index, only the embedded mode's also its encoder and readers. In the embedded mode the first token is a whole first sentence, or Yes or No. Retrieval is not timed.",
        "",
    ]
    lines += [
        "| | first token, first turns (s) | first token, follow-ups (s) | decode (tokens/s) | whole answer (s) | its p90 (s) | load (s) | peak (MB) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_contender_row(name, found) for name, found in contenders.items()]
    lines += [
        *("", _figure(figures, "contenders"), "", "## A class at once", ""),
        "All ask at the same moment, round after round until each of the 40 prompts was asked, notes and (in free mode) prompts having been read before; 40 tokens each in free mode, "
        "whole answers in the embedded mode. p95 is that of all first tokens of a class of that size; of a prompt asked before, whose first token is only looked up, a ratio says little. "
        "New questions are each learner's own on notes read before, so that a first token waits for the reading of the question.",
        "",
        "| | learners | answers/s | against one learner | first token p50 (s) | p95 (s) | p95 against one learner |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("free", "free, new questions", "free, one by one", "embedded"):
        alone = result["class"][name][0]
        lines += [
            f"| {name} | {row['learners']} | {row['answers_per_s']:.2f} | {row['answers_per_s'] / alone['answers_per_s']:.2f} | "
            f"{row['first_p50_s']:.3f} | {row['first_p95_s']:.3f} | {row['first_p95_s'] / alone['first_p95_s']:.1f} |"
            for row in result["class"][name]
        ]
    lines += [
        "",
        _figure(figures, "class"),
        "",
        "## Growth",
        "",
        "Synthetic vectors, one a passage.",
        "",
        "| Passages | kind | build (s) | vectors (MB) | query (ms) | recall@10 |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['passages']:,} | {row['kind']} | {row['build_s']:.2f} | {row['vectors_mb']:.0f} | {row['query_ms']:.2f} | {row['recall@10']:.2f} |"
        for row in result["growth"]["passages"]
    ]
    lines += ["", "| Notes | reading them and the question (s) | with the notes read ahead (s) |", "|---|---|---|"]
    lines += [
        f"| {row['notes']} | {row['first_s']:.3f} | {row['first_read_ahead_s']:.3f} |"
        for row in result["growth"]["notes"]
    ]
    lines += ["", "| Turns before | rewriting and searching (ms) |", "|---|---|"]
    lines += [f"| {row['turns']} | {1000 * row['find_s']:.1f} |" for row in result["growth"]["history"]]
    memory = result["class"]["memory_mb"]
    pages, answering, ready = (median(times) for times in zip(*result["start_s"], strict=True))
    lines += [
        "",
        _figure(figures, "growth"),
        "",
        "## Start, stop, memory",
        "",
        f"- Second start: the page answers after {pages:.1f} s; {answering:.1f} s after the command questions are answered whose sentences need no decoding, "
        f"and after {ready:.1f} s everything is loaded (medians of {len(result['start_s'])}).",
        f"- A stopped answer leaves {result['class']['idle_cpu_s']:.2f} s of processor time in the second after it.",
        f"- Resident memory in the embedded mode over {memory[-1][0]} turns: {memory[0][1]:.0f} MB after {memory[0][0]}, {memory[-1][1]:.0f} MB at the end.",
    ]
    if "int8" in result:
        lines.append(
            f"- int8 for single rows against bf16, {result['int8']['tokens']} tokens one by one: KL {result['int8']['kl']:.4f} nats a token, perplexity "
            f"{result['int8']['perplexity']:.2f} against {result['int8']['perplexity_reference']:.2f}, the same likeliest token {result['int8']['same']:.1%} of the time."
        )
    return lines


def _contender_row(name: str, found: Mapping[str, Any]) -> str:
    rows = found["rows"]
    first, follow = (median(row["first_s"] for row in rows if row["kind"] == kind) for kind in ("first", "followup"))
    rates = [
        (row["tokens"] - 1) / (row["total_s"] - row["first_s"])
        for row in rows
        if row["tokens"] > 4 and row["total_s"] - row["first_s"] > 1e-3
    ]
    totals = [row["total_s"] for row in rows]
    decode = "" if name.startswith("embedded") else f"{median(rates):.0f}"
    return (
        f"| {name} | {first:.3f} | {follow:.3f} | {decode} | {median(totals):.2f} | {quantiles(totals, n=10, method='inclusive')[-1]:.2f} | "
        f"{found['load_s']:.1f} | {found['peak_mb']:.0f} |"
    )


def _figure(figures: Mapping[str, tuple[str, str]], name: str) -> str:
    file, alt = figures[name]
    return f"![{alt}](speed/{file})"


def _by_prompt(rows: Sequence[Mapping[str, Any]], kind: str, key: str) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    for row in rows:
        if not kind or row["kind"] == kind:
            times.setdefault(row["id"], []).append(row[key])
    return {name: median(values) for name, values in times.items()}


def _python(module: str, *arguments: str) -> Any:
    """The JSON that a module prints."""
    run = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
    )
    if run.returncode:
        raise TutorError(f"{module} {' '.join(arguments)} failed: {run.stderr.strip().splitlines()[-1:]}")
    return json.loads(run.stdout[run.stdout.index("{") :])


def _has_llama_cpp() -> bool:
    from importlib.util import find_spec

    return find_spec("llama_cpp") is not None


@cache
def _has_bf16() -> bool:
    """As the engine finds it, once for a whole report."""
    import torch

    from tutor.engines.models import fastest_dtype

    return fastest_dtype() == torch.bfloat16


def _machine() -> str:
    import torch

    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    kind = "with bf16" if _has_bf16() else "without bf16, so that our engine multiplies in fp32"
    return f"{names[0] if names else platform.machine()} ({kind}), {THREADS} threads, torch {torch.__version__}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.is_file() else []


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    result = measure_all(runs, DOCS / "speed" / "raw.json")
    log.info("%s", write_report(result))


if __name__ == "__main__":
    main()
