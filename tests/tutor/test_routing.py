"""Requests for each experiment, and questions that look like requests, in many learners' words."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from demos import DEMOS, find_demo
from tutor.events import Exchange
from tutor.intent import route
from tutor.requests.manner import unjudged

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "routing.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " / ".join([*row.get("history", []), row["say"]]))
def test_each_request_reaches_its_experiment_with_what_was_said(
    row: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """What was not said stays at its default or as the last run had it; a question is answered in words. Patterns suffice, but for a row that is "meant"."""
    history = [Exchange(text, "…") for text in row.get("history", [])]
    judge = request.getfixturevalue("real_tutor").manner.judge if row.get("meant") else unjudged
    routed = route(row["say"], history, DEMOS, None, judge)
    if "demo" not in row:
        assert routed.intent == "ask", routed
        return
    assert routed.demo is not None and routed.demo.name == row["demo"], routed
    assert dict(routed.demo.params) == find_demo(row["demo"]).settings(row["params"])


def test_every_experiment_is_asked_for_in_several_ways() -> None:
    """A new experiment brings requests of its own, and look-alikes stay a third of the set."""
    counts = Counter(row.get("demo", "") for row in ROWS)
    assert all(counts[demo.name] >= 4 for demo in DEMOS)
    assert counts[""] >= 40 and sum(counts.values()) - counts[""] >= 80
