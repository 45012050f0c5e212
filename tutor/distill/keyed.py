"""Those of the teacher's examples (tutor/distill/examples/key-*.jsonl) that tell not only one good answer but every sentence that makes a point, as the labelled set does: stories with two
requests, sides that are described, everyday words, short follow-ups; and (key-learner-*) what people typed who had not read the notes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.passages import Polarity, Reference
from tutor.distill.examples import FOLDER, read_behind

LEARNER = "learner-"
KEYED = ("key-", LEARNER)
"""How the names of such questions begin; a learner's was typed by who had not read the notes."""


@dataclass(frozen=True)
class Keyed:
    """`text` has what a follow-up goes on from before it, `standalone` asks it in full, and `opening` is the word that the answer begins with; each of the `points` holds the sentences that make it, in the order in which they are asked."""

    text: str
    standalone: str
    points: tuple[tuple[Reference, ...], ...]
    opening: Polarity | None


def load_keyed(folder: Path = FOLDER) -> list[Keyed]:
    """All of them. Raises ValueError for a key of another form."""
    paths = sorted(folder.glob("key-*.jsonl"))
    return [_keyed(json.loads(line)) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def _keyed(row: dict[str, Any]) -> Keyed:
    text = read_behind(row["question"], *row["history"][-1]) if row["history"] else row["question"]
    points = tuple(tuple(map(split_reference, point)) for point in row["points"])
    return Keyed(text, row["standalone"], points, row["opening"])


def split_reference(text: str) -> Reference:
    """Passage and sentence number. Raises ValueError for another form."""
    name, _, place = text.rpartition(":")
    if not (name and place.isdecimal()):
        raise ValueError(f"a reference must be 'passage id:number', got {text!r}")
    return name, int(place)
