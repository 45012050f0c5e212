"""The benchmark's report: ratios are of the same prompts, and what was not measured is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tutor.benchmark import report


def found(factor: float, prompts: int = 4) -> dict[str, Any]:
    """A contender whose times are `factor` times 1, 2, 3 … seconds; the second run is twice as slow."""
    rows = [
        {
            "id": f"{i}-{kind}",
            "kind": kind,
            "run": run,
            "first_s": factor * (i + 1) * (1 + run),
            "total_s": factor * (i + 1) * (1 + run) * 2,
            "tokens": 10,
        }
        for run in range(2)
        for i in range(prompts)
        for kind in ("first", "followup")
    ]
    return {"name": "x", "load_s": 1.0, "peak_mb": 500.0, "rows": rows}


def test_ratios_pair_the_same_prompts() -> None:
    """A contender that saw fewer prompts is compared on those only, so hard prompts do not count for one side."""
    contenders = {"embedded": found(1.0), "llama.cpp": found(4.0, prompts=2)}
    rows = report.ratios(contenders)
    assert {row["what"] for row in rows} >= {"first token, first turns, embedded", "whole answer, embedded"}
    assert all(row["ratio"] == pytest.approx(0.25) and row["against"] == "llama.cpp" for row in rows)
    assert next(row for row in rows if row["what"] == "first token, first turns, embedded")["prompts"] == 2


@pytest.mark.parametrize("bf16", [True, False])
def test_a_missing_baseline_is_named(
    bf16: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without llama-cpp-python or bf16 the rest is measured, and the reader learns what to install, or why nothing helps."""
    monkeypatch.setattr(report, "_has_llama_cpp", lambda: False)
    monkeypatch.setattr(report, "_has_bf16", lambda: bf16)
    monkeypatch.setattr(report, "_python", lambda module, *rest: found(1.0) if "worker" in module else {"m": module})
    monkeypatch.setattr(report, "start_seconds", lambda: (1.0, 2.0, 3.0))
    result = report.measure_all(1)
    assert "llama.cpp" not in result["contenders"] and "pip install" in result["skipped"]["llama.cpp"]
    assert "pip install" in caplog.text and "embedded" in result["contenders"]
    assert ("int8" in result) is ("generate, bf16" in result["contenders"]) is bf16
    assert ("no instructions for bf16" in caplog.text) is not bf16


def test_the_report_holds_what_was_measured(tmp_path: Path) -> None:
    """Figures reach the document, with each plot and its alternative text."""
    crowd = [
        {"learners": n, "answers_per_s": float(n), "first_p50_s": 0.1 * n, "first_p95_s": 0.2 * n}
        for n in (1, 2, 4, 8, 16)
    ]
    result = {
        "machine": "a machine",
        "runs": 2,
        "contenders": {name: found(1.0) for name in ("embedded", "free", "generate, bf16")},
        "skipped": {"llama.cpp": "not installed"},
        "class": {
            "free": crowd,
            "free, new questions": crowd,
            "free, one by one": crowd,
            "embedded": crowd,
            "idle_cpu_s": 0.0,
            "memory_mb": [(50, 900.0), (500, 912.0)],
        },
        "growth": {
            "passages": [
                {
                    "passages": 100,
                    "build_s": 0.1,
                    "vectors_mb": 1.0,
                    "query_ms": 0.04,
                    "recall@10": 1.0,
                    "kind": "IndexFlatIP",
                }
            ],
            "notes": [{"notes": 1, "first_s": 0.1, "first_read_ahead_s": 0.05}],
            "history": [{"turns": 0, "find_s": 0.01}],
        },
        "int8": {"tokens": 9, "kl": 0.001, "perplexity": 12.0, "perplexity_reference": 11.9, "same": 0.99},
        "start_s": [(4.0, 7.0, 8.0), (5.0, 8.0, 9.0), (6.0, 9.0, 10.0)],
    }
    text = report.write_report(result, tmp_path).read_text(encoding="utf-8")
    assert (
        "a machine" in text
        and "answers after 5.0 s; 8.0 s" in text
        and "after 9.0 s everything" in text
        and "912 MB at the end" in text
    )
    assert "llama.cpp: skipped. not installed" in text and "KL 0.0010" in text
    for name in ("contenders", "class", "growth"):
        assert (tmp_path / "speed" / f"{name}.png").stat().st_size > 1000 and f"](speed/{name}.png)" in text
