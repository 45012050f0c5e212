"""The labelled set: questions with what a right turn does with them.

Written apart from the concept files' own questions. What files named fresh-*.jsonl hold is reported and never tuned on; all else
was looked at while rules and weights were chosen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from knowledge.passages import Polarity
from tutor.events import Exchange

FOLDER = Path(__file__).parent
Half = Literal["tune", "report"]


@dataclass(frozen=True)
class Item:
    """`must` holds key points, each a set of sentence references that make it; `ok` further sentences that fit.

    A reference is `passage id:sentence number`. `standalone` is a reader's own rewrite of a follow-up. A `learner`'s was typed by who had not read the notes.
    """

    id: str
    kind: str
    half: Half
    question: str
    history: tuple[Exchange, ...]
    intent: str
    covered: bool
    relevant: frozenset[str]
    polarity: Polarity | None
    demo: Mapping[str, Any] | None
    must: tuple[frozenset[str], ...]
    ok: frozenset[str]
    standalone: str | None
    learner: bool = False


def load_items(folder: Path = FOLDER) -> list[Item]:
    """All items, in the files' order."""
    items: list[Item] = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            items.append(
                Item(
                    id=row["id"],
                    kind=row["kind"],
                    half="report" if path.name.startswith("fresh-") else "tune",
                    question=row["question"],
                    history=tuple(Exchange(user, tutor) for user, tutor in row["history"]),
                    intent=row["intent"],
                    covered=row["covered"],
                    relevant=frozenset(row["relevant"]),
                    polarity=row["polarity"],
                    demo=row["demo"],
                    must=tuple(frozenset(point) for point in row["must"]),
                    ok=frozenset(row["ok"]),
                    standalone=row.get("standalone"),
                    learner="learners" in path.name,
                )
            )
    return items
