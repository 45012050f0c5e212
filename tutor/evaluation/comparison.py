"""Four ways to answer, on questions never trained on: `python -m tutor.evaluation.comparison ANSWERS.jsonl [--free ADAPTER]`.

Writes every answer; readers who do not see the way judged those in comparison/answers.jsonl into
comparison/labels.jsonl ({"id", "way", "held_out", "right", "false", "needless"}), and
`figures` counts. The result and the reason for what ships stand in docs/report-card.md.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from knowledge.search import Hit, Search
from tutor.answers import stream_answer
from tutor.distill.examples import HELD_OUT_SETS
from tutor.engines.base import Message
from tutor.engines.local import LocalEngine
from tutor.engines.weights import ensure_tutor_model
from tutor.events import Checked
from tutor.grounding import Grounding, all_sentences
from tutor.open import open_search
from tutor.prompts import NO_ANSWER, choice_prompt, written_prompt
from tutor.settings import Settings

log = logging.getLogger(__name__)

_FOLDER = Path(__file__).parent / "comparison"
ANSWERS, LABELS = _FOLDER / "answers.jsonl", _FOLDER / "labels.jsonl"
WAYS = ("shipped", "freely trained", "copy-trained, free and checked", "copy-trained, constrained")
_MOST = 120  # tokens


def questions() -> list[dict[str, str]]:
    """The 150 questions that were judged: nothing was tuned on them then; they are for tuning now."""
    rows = map(json.loads, ANSWERS.read_text(encoding="utf-8").splitlines())
    return [{"id": name, "query": query} for name, query in sorted({(row["id"], row["query"]) for row in rows})]


def answer_all(search: Search, settings: Settings, free: Path | None) -> Iterator[dict[str, Any]]:
    """A row for each way and question, the notes being the same for all ways."""
    asked = [(row, search.search(row["query"], 4).hits) for row in questions()]
    base = LocalEngine.load(ensure_tutor_model(settings.cache, adapter=None), "shipped")
    yield from (_row(row, hits, WAYS[0], _plain(base, written_prompt(row["query"], hits))) for row, hits in asked)
    if free is not None:
        freely = LocalEngine.load(ensure_tutor_model(settings.cache, adapter=free), "free")
        yield from (_row(row, hits, WAYS[1], _plain(freely, written_prompt(row["query"], hits))) for row, hits in asked)
    ours = LocalEngine.load(ensure_tutor_model(settings.cache), "ours")
    for row, hits in asked:
        yield _row(row, hits, WAYS[2], _checked(ours, row["query"], hits, search))
        events = stream_answer(ours, False, row["query"], hits, search)
        yield _row(row, hits, WAYS[3], " ".join(event.text for event in events if isinstance(event, Checked)))


def figures(labels: Path = LABELS) -> dict[str, dict[str, float]]:
    """Shares by way, and by whether the question's set was held out of training."""
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    found: dict[str, dict[str, float]] = {}
    for way in WAYS:
        mine = [row for row in rows if row["way"] == way]
        if mine:
            counts = Counter(key for row in mine for key in ("right", "false", "needless") if row[key])
            held = [row for row in mine if row["held_out"]]
            found[way] = {
                "answers": len(mine),
                **{key: round(counts[key] / len(mine), 3) for key in ("right", "false", "needless")},
                "right_on_held_out_sets": round(sum(row["right"] for row in held) / max(1, len(held)), 3),
            }
    return found


def _row(row: dict[str, str], hits: Sequence[Hit], way: str, answer: str) -> dict[str, Any]:
    return {
        **row,
        "way": way,
        "held_out": hits[0].passage.concept in HELD_OUT_SETS,
        "notes": [hit.passage.id for hit in hits],
        "answer": answer,
    }


def _plain(engine: LocalEngine, messages: Sequence[Message]) -> str:
    return "".join(engine.write(messages, max_new_tokens=_MOST)).strip()


def _checked(engine: LocalEngine, query: str, hits: Sequence[Hit], search: Search) -> str:
    """What the copy-trained model writes freely, each sentence checked as any written one is."""
    text = _plain(engine, choice_prompt(query, hits))
    if text.startswith(NO_ANSWER):
        return NO_ANSWER
    grounding = Grounding(hits, search.embedder, search.mentions)
    checked = [grounding.check(sentence) for sentence in all_sentences(text) if sentence.endswith((".", "!", "?"))]
    return " ".join(sentence.text for sentence in checked if sentence is not None)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--free", type=Path, help="the freely trained adapter: `python -m tutor.distill.train --free --out FOLDER`"
    )
    parsed = parser.parse_args()
    settings = Settings.from_environ()
    rows = list(chain(answer_all(open_search(settings), settings, parsed.free)))
    # Shuffled, so that a reader cannot tell the way from the place.
    random.Random(0).shuffle(rows)
    parsed.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    log.info("%d answers in %s", len(rows), parsed.out)


if __name__ == "__main__":
    main()
