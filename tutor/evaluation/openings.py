"""How often Yes and No are right in learners' talks. `python -m tutor.evaluation.openings` says it of the tutor as it is now.

openings/judged.jsonl holds 225 turns of the talks that fifteen strangers had with earlier versions in December 2026, those that the tutor began with Yes or No, each with
the three turns before it. A reader who knows the field judged the word: right; wrong, or refuted by the sentences behind it; not borne out by them, though it may be true;
or not wanted. tutor/choosing/weighing.py was set on them, so what is counted here is no figure of the reported part.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from tutor.chat import Tutor
from tutor.events import Answered, Exchange
from tutor.open import open_tutor
from tutor.settings import Settings

log = logging.getLogger(__name__)

Judgement: TypeAlias = Literal["right", "wrong", "not borne out", "not wanted"]
_OPENINGS = Path(__file__).parent / "openings" / "judged.jsonl"


@dataclass(frozen=True)
class Opened:
    """A turn that began with `opening`, Yes or No, and what a reader made of that word."""

    question: str
    history: tuple[Exchange, ...]
    opening: str
    judged: Judgement


def load_openings(path: Path = _OPENINGS) -> list[Opened]:
    """The judged turns; raises ValueError for a judgement that is none."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row["judged"] not in get_args(Judgement) or row["opening"] not in ("Yes", "No"):
            raise ValueError(f"a row needs Yes or No and one of {get_args(Judgement)}, got {row!r}")
    return [
        Opened(row["question"], tuple(Exchange(*turn) for turn in row["history"]), row["opening"], row["judged"])
        for row in rows
    ]


def measure(tutor: Tutor, turns: Sequence[Opened]) -> Counter[Judgement]:
    """The judgements of those turns that still begin with the word that was judged."""
    return Counter(turn.judged for turn in turns if _text(tutor, turn).startswith(f"{turn.opening}."))


def _text(tutor: Tutor, turn: Opened) -> str:
    *_, last = tutor.turn(turn.question, turn.history, run_demos=False)
    assert isinstance(last, Answered)
    return last.text


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    turns = load_openings()
    found = measure(open_tutor(Settings.from_environ()), turns)
    log.info("%d of %d still begin so: %s", found.total(), len(turns), dict(found))


if __name__ == "__main__":
    main()
