"""Figures of routing, rewriting, retrieval and abstention. Nothing is written, but the language model that votes reads each question."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from demos import DEMOS
from demos.base import Demo
from demos.levels import Levels, read_levels
from knowledge.search import Search
from tutor.choosing.compound import read_parts
from tutor.choosing.taught import Taught
from tutor.errors import DemoError
from tutor.evaluation.items import Item
from tutor.followup import make_standalone
from tutor.intent import route
from tutor.lookup import look_up
from tutor.requests.manner import Manner

_STANDALONE = ("standalone", "contrast", "yesno")


@dataclass
class Finding:
    """Figures by name, and one line a failure."""

    figures: dict[str, float | int | None] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def evaluate_finding(items: Sequence[Item], search: Search, taught: Taught | None, manner: Manner) -> Finding:
    """Everything up to the answer, for the given items; what is found with what was `taught`, as an answer has it."""
    finding = Finding()
    _retrieval([item for item in items if item.kind in _STANDALONE], search, taught, finding, "standalone")
    _retrieval([item for item in items if item.kind == "followup"], search, taught, finding, "followup")
    _switches([item for item in items if item.kind == "switch"], search, finding)
    _abstention([item for item in items if item.intent == "ask"], search, taught, finding)
    _routing(items, search, manner, finding)
    return finding


def _retrieval(items: Sequence[Item], search: Search, taught: Taught | None, finding: Finding, name: str) -> None:
    ranks: list[int | None] = []
    unrewritten = unread = 0
    took: list[float] = []
    for item in items:
        standalone = make_standalone(item.question, item.history, search)
        query = standalone.query
        start = time.perf_counter()
        plain = search.search(query, 4, standalone.concept, read_parts(query, search), standalone.vector).hits
        took.append(time.perf_counter() - start)
        unread += any(hit.passage.id in item.relevant for hit in plain)
        hits = look_up(standalone, search, taught).retrieval.hits[:4]
        rank = next((r for r, hit in enumerate(hits, 1) if hit.passage.id in item.relevant), None)
        ranks.append(rank)
        if item.history:
            unrewritten += any(hit.passage.id in item.relevant for hit in search.search(item.question, 4).hits)
        if rank is None:
            found = ", ".join(hit.passage.id for hit in hits[:3])
            finding.failures.append(
                f"{item.id} recall: {item.question!r} as {query!r} wants {sorted(item.relevant)}, found {found}"
            )
    for k in (1, 3, 4):
        finding.figures[f"{name}_recall@{k}"] = share(sum(rank is not None and rank <= k for rank in ranks), len(ranks))
    finding.figures[f"{name}_recall@4_without_the_language_model"] = share(unread, len(ranks))
    finding.figures[f"{name}_mrr"] = round(sum(1 / rank for rank in ranks if rank) / max(1, len(ranks)), 4)
    if name == "followup":
        finding.figures["followup_recall@4_without_rewrite"] = share(unrewritten, len(ranks))
    else:
        finding.figures["query_median_ms"] = round(1000 * median(took), 1) if took else None
    finding.figures[f"{name}_items"] = len(items)


def _switches(items: Sequence[Item], search: Search, finding: Finding) -> None:
    kept = 0
    for item in items:
        standalone = make_standalone(item.question, item.history, search)
        kept += not standalone.rewritten
        if standalone.rewritten:
            finding.failures.append(f"{item.id} rewritten needlessly: {item.question!r} as {standalone.query!r}")
    finding.figures["switches_left_alone"] = share(kept, len(items))


def _abstention(items: Sequence[Item], search: Search, taught: Taught | None, finding: Finding) -> None:
    right_refusals = wrong_refusals = missed = 0
    for item in items:
        standalone = make_standalone(item.question, item.history, search)
        query = standalone.query
        found = look_up(standalone, search, taught).retrieval
        if item.covered and not found.covered:
            wrong_refusals += 1
            finding.failures.append(f"{item.id} refused ({found.confidence:+.2f}): {item.question!r} as {query!r}")
        elif not item.covered and not found.covered:
            right_refusals += 1
        elif not item.covered:
            missed += 1
            finding.failures.append(
                f"{item.id} not refused ({found.confidence:+.2f}): {item.question!r}, found {found.hits[0].passage.id}"
            )
    finding.figures["refusal_precision"] = share(right_refusals, right_refusals + wrong_refusals)
    finding.figures["refusal_recall"] = share(right_refusals, right_refusals + missed)
    finding.figures["not_covered_items"] = right_refusals + missed


def _routing(items: Sequence[Item], search: Search, manner: Manner, finding: Finding) -> None:
    right = params_right = params_all = 0
    for item in items:
        standalone = make_standalone(item.question, item.history, search)
        try:
            concept = standalone.topic.concept.id if standalone.topic else None
            routed = route(item.question, item.history, DEMOS, concept, manner.judge)
            intent, call = routed.intent, routed.demo
        except DemoError as error:
            intent, call = "demo", None
            finding.failures.append(f"{item.id} demo: {item.question!r}: {error}")
        right += intent == item.intent
        if intent != item.intent:
            finding.failures.append(f"{item.id} intent {intent} instead of {item.intent}: {item.question!r}")
        if item.demo is not None:
            params_all += 1
            if call is not None and _fits(call.name, dict(call.params), item.demo):
                params_right += 1
            else:
                got = (call.name, dict(call.params)) if call else None
                finding.failures.append(f"{item.id} demo: {item.question!r} wants {dict(item.demo)}, got {got}")
    finding.figures["intent_accuracy"] = share(right, len(items))
    finding.figures["demo_parameter_accuracy"] = share(params_right, params_all)
    finding.figures["intent_items"] = len(items)


def _fits(name: str, params: dict[str, Any], wanted: Any) -> bool:
    """The right experiment, the named parameters as wanted and every other one at its default."""
    demo = next((demo for demo in DEMOS if demo.name == wanted["name"]), None)
    return demo is not None and name == demo.name and _run(demo, params) == _run(demo, demo.settings(wanted["params"]))


def _run(demo: Demo, params: Mapping[str, Any]) -> dict[str, Any]:
    """What is run: 8 bits with 4 and 2 beside them are the same run as 8, 4 and 2 bits compared."""
    run = dict(params)
    for param in demo.params:
        if isinstance(param, Levels) and param.of is not None and run[param.name]:
            run[param.name] = tuple(dict.fromkeys((float(run[param.of.name]), *read_levels(run[param.name]))))
    return run


def share(part: int, whole: int) -> float | None:
    """A share rounded to four places, or None of nothing."""
    return round(part / whole, 4) if whole else None
