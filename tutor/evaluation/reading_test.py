"""What a good teacher makes of the tutor's answers: four plain questions about every set (`python -m tutor.evaluation.reading_test OUT.jsonl`).

For each set: what is the difference, something untrue, a follow-up after the first answer, and a wish to have it told to a layman. They were written by readers of
the notes who saw neither the tutor nor its answers, and the answers were judged by others: reading_test/questions.jsonl and reading_test/judged.jsonl, a line
{"id", "answer", "right", "false", "needless", "stiff", "why"} each. Without OUT, docs/reading-test.md is written: the figures, and every answer that somebody found wanting.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from tutor.chat import Tutor
from tutor.events import Answered, Exchange
from tutor.open import open_tutor
from tutor.settings import Settings

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "reading_test"
DOCUMENT = Path(__file__).parents[2] / "docs" / "reading-test.md"
KINDS = {
    "difference": "What is the difference?",
    "untrue": "Is it true that …? (it is not)",
    "followup": "A follow-up",
    "five": "Told to a layman",
}
_MARKS = ("right", "false", "needless", "stiff")


@dataclass(frozen=True)
class Said:
    """A question with its answer; `before` is what a follow-up goes on from."""

    id: str
    kind: str
    question: str
    answer: str
    before: tuple[str, str] | None = None


def questions(folder: Path = FOLDER) -> list[dict[str, str]]:
    """A line for each set: its id, and a question of each kind."""
    return [json.loads(line) for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


def ask_all(tutor: Tutor, rows: Sequence[Mapping[str, str]]) -> Iterator[Said]:
    """Every question's answer; the follow-up is asked behind the first answer."""
    for row in rows:
        first = _answer(tutor, row["difference"])
        for kind in KINDS:
            follows = kind == "followup"
            history = (Exchange(row["difference"], first),) if follows else ()
            answer = first if kind == "difference" else _answer(tutor, row[kind], history)
            before = (row["difference"], first) if follows else None
            yield Said(f"{row['set']}/{kind}", kind, row[kind], answer, before)


def document(said: Sequence[Said], judged: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    """The figures by kind, of the answers that were judged as they stand, and those found wanting."""
    rows, wanting = [], []
    for kind, title in (*KINDS.items(), ("", "All")):
        labels = [judged[s.id, s.answer] for s in said if kind in ("", s.kind) and (s.id, s.answer) in judged]
        shares = " | ".join(f"{mean(bool(label[mark]) for label in labels):.2f}" if labels else "" for mark in _MARKS)
        rows.append(f"| {title} | {len(labels)} | {shares} |")
    for s in said:
        label = judged.get((s.id, s.answer))
        if label and (not label["right"] or label["false"] or label["stiff"] or label["needless"]):
            found = ", ".join(name for name in ("not right", *_MARKS[1:]) if label.get(name, not label["right"]))
            wanting.append(f"- **{s.id}** ({found}): {s.question!r} got {s.answer!r} {label.get('why', '')}".rstrip())
    unread = sum((s.id, s.answer) not in judged for s in said)
    return (
        "# Reading test\n\nMade by `python -m tutor.evaluation.reading_test`. Four questions about each of the sets, by a reader of the notes who saw neither the tutor nor its answers; the "
        "answers were read by others, as a good teacher would. Stiff: right, but a newcomer stumbles.\n\n"
        f"| Asked | Answers judged | Right | False | Needless | Stiff |\n|---|---|---|---|---|---|\n{chr(10).join(rows)}\n\n"
        f"Answers that have changed since they were judged, or were not: {unread}.\n\n## Found wanting ({len(wanting)})\n\n"
        + "\n".join(wanting)
        + "\n"
    )


def _answer(tutor: Tutor, question: str, history: Sequence[Exchange] = ()) -> str:
    events = tutor.turn(question, history, run_demos=False)
    return [event for event in events if isinstance(event, Answered)][-1].text


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?")
    out = parser.parse_args().out
    said = list(ask_all(open_tutor(Settings.from_environ()), questions()))
    if out:
        out.write_text("".join(json.dumps(asdict(s), ensure_ascii=False) + "\n" for s in said), encoding="utf-8")
        return
    lines = (FOLDER / "judged.jsonl").read_text(encoding="utf-8").splitlines()
    judged = {(row["id"], row["answer"]): row for row in map(json.loads, lines)}
    DOCUMENT.write_text(document(said, judged), encoding="utf-8")
    log.info("%s", DOCUMENT)


if __name__ == "__main__":
    main()
