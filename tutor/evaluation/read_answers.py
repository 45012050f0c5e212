"""The answers to the reported part as readers judge them, beside what key points tell: `python -m tutor.evaluation.read_answers OUT.jsonl`.

A key lists every sentence that its writer thought of, so an answer that makes the point by another one counts as wrong there. Here two readers judged each answer
by itself, from question, conversation and notes, and saw neither key nor each other: reading/labels-*.jsonl, a line
{"id", "answer", "right", "false", "needless", "why"} each. `figures` counts those whose answer is still the one that was read.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

from tutor.chat import Tutor
from tutor.evaluation.items import load_items
from tutor.events import Answered
from tutor.open import open_tutor
from tutor.settings import Settings

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "reading"


def answers_of(tutor: Tutor) -> dict[str, str]:
    """The answer to each item of the reported part that wants one, by the item's id."""
    found: dict[str, str] = {}
    for item in load_items():
        if item.half == "report" and item.must:
            events = tutor.turn(item.question, item.history, run_demos=False)
            found[item.id] = [event for event in events if isinstance(event, Answered)][-1].text
    return found


def figures(answers: Mapping[str, str], folder: Path = FOLDER) -> dict[str, float]:
    """Shares over the answers that were read as they stand, each reader counted alike; empty where none was."""
    rows = [
        json.loads(line)
        for path in sorted(folder.glob("labels-*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    rows = [row for row in rows if answers.get(row["id"]) == row["answer"]]
    if not rows:
        return {}
    judged: dict[str, list[bool]] = {}
    for row in rows:
        judged.setdefault(row["id"], []).append(row["right"])
    pairs = [labels for labels in judged.values() if len(labels) == 2]
    return {
        "read_answers": len(judged),
        "read_by_two": len(pairs),
        **{f"read_{key}": round(mean(row[key] for row in rows), 4) for key in ("right", "false", "needless")},
        "read_right_by_both": round(mean(all(labels) for labels in pairs), 4) if pairs else 0.0,
        "read_alike": round(mean(labels[0] == labels[1] for labels in pairs), 4) if pairs else 0.0,
    }


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    answers = answers_of(open_tutor(Settings.from_environ()))
    lines = []
    for item in load_items():
        if item.half == "report" and item.id in answers:
            said = [[turn.user, turn.tutor] for turn in item.history]
            row = {"id": item.id, "history": said, "question": item.question, "answer": answers[item.id]}
            lines.append(json.dumps(row, ensure_ascii=False))
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    log.info("%d answers in %s", len(lines), out)


if __name__ == "__main__":
    main()
