"""Turns as JSON-ready values: the contract of `ask --json` and `retrieve --json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from knowledge.passages import Knowledge
from knowledge.search import Hit
from tutor.chat import Tutor
from tutor.errors import TutorError
from tutor.events import Answered, Exchange, Source
from tutor.experiments.runs import Mark, RunNote


def record(tutor: Tutor, item_id: Any, question: str, history: Sequence[Exchange], run_demos: bool) -> dict[str, Any]:
    """One whole turn. The fields are described in the README under “Command line”."""
    answered: Answered | None = None
    for event in tutor.turn(question, history, run_demos=run_demos):
        if isinstance(event, Answered):
            answered = event
    if answered is None:
        raise ValueError(f"a turn must end with Answered, got none for {question!r}")
    call, finished = answered.understood.demo, answered.finished
    runs = [run_record(s, s.hit) for s in answered.sources if isinstance(s.hit, RunNote)]
    return {
        "id": item_id,
        "question": question,
        "query": answered.understood.query,
        "intent": answered.understood.intent,
        "abstained": answered.abstained,
        "answer": answered.text,
        "sources": [
            source_record(s.n, s.hit, tutor.knowledge) | {"cited": s.cited}
            for s in answered.sources
            if not isinstance(s.hit, RunNote)
        ],
        "sentences": [
            {"text": s.text, "sources": list(s.sources), "support": s.support, "score": s.score}
            for s in answered.sentences
        ],
        "demo": None
        if call is None
        else {
            "name": call.name,
            "params": dict(call.params),
            "metrics": dict(finished.result.metrics) if finished else None,
        },
        "followups": list(answered.followups),
        "timings": {
            "first_token_s": round(answered.timings.first_token_s, 4),
            "total_s": round(answered.timings.total_s, 4),
            "prompt_tokens": answered.timings.prompt_tokens,
            "new_tokens": answered.timings.new_tokens,
        },
        # Beyond the contract's fields, so only where there is something to say.
        **({"runs": runs} if runs else {}),
    }


def run_record(source: Source, note: RunNote) -> dict[str, Any]:
    """A run as a source; `sentences` cite it by its label."""
    run = note.run
    return {
        "n": note.label,
        "name": run.name,
        "title": run.title,
        "params": dict(run.params),
        "seed": run.seed,
        "versions": dict(run.versions),
        "command": run.command,
        "cited": source.cited,
    }


def source_record(n: Mark, hit: Hit, knowledge: Knowledge) -> dict[str, Any]:
    """A passage as a source."""
    passage = hit.passage
    return {
        "n": n,
        "id": passage.id,
        "concept": knowledge.by_id[passage.concept].title,
        "title": passage.title,
        "text": passage.text,
        "score": round(hit.score, 4),
    }


def read_batch(name: str) -> Iterator[tuple[Any, str, tuple[Exchange, ...]]]:
    """Yield (id, question, history) a line; raises TutorError that names the line that is wrong."""
    try:
        lines = sys.stdin if name == "-" else Path(name).open(encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise TutorError(f"{name} cannot be read ({error.strerror}); give a file of JSON lines.") from error
    with lines:
        number = 0
        try:
            for line in lines:
                number += 1
                if not line.strip():
                    continue
                item = json.loads(line)
                if not isinstance(item["question"], str):
                    raise TypeError(f"its question is {item['question']!r}")
                history = tuple(Exchange(str(user), str(tutor)) for user, tutor in item.get("history") or ())
                yield item.get("id"), item["question"], history
        except UnicodeDecodeError as error:
            raise TutorError(f"{name}:{number + 1}: not UTF-8 text; give a file of JSON lines.") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TutorError(
                f'{name}:{number}: not a question ({error}); write {{"id": …, "question": "…", "history": [["user", "tutor"]]}}.'
            ) from error
