"""Teacher examples: a question and the sentences that a good teacher would answer with, as references to passages.

The notes of an example are what retrieval returns for its question, so that training sees the same distractors as a
learner's question will. Where a referenced passage was not retrieved it replaces the last note.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.coverage import elsewhere_questions
from knowledge.dialogue import in_context
from knowledge.mentions import Mentions
from knowledge.passages import Knowledge, Polarity
from knowledge.search import Hit, Search
from tutor.context.topic import named_topic
from tutor.engines.base import Message
from tutor.followup import fill_in
from tutor.prompts import NO_ANSWER, choice_prompt, written_prompt
from tutor.verdict.polarity import claim_of

FOLDER = Path(__file__).parent / "examples"
FREE = Path(__file__).parent / "free.jsonl"
FILLED = Path(__file__).parent / "filled.json"
"""Follow-ups as tutor/followup.py fills them in, by the example's id; a start would spend half a second on it, so `make vectors` does."""
HELD_OUT_SETS = frozenset(
    {
        "mha-vs-mqa-vs-gqa",
        "agent-vs-workflow",
        "hallucination-vs-outdated-knowledge",
        "speculative-decoding-vs-distillation",
    }
)
"""Sets that the adapter is not trained on: what it does there shows whether it learned a craft or a text."""


def read_behind(question: str, asked: str, answered: str) -> str:
    """The text in which models read a follow-up behind the exchange that it goes on from, as tutor/followup.py has it."""
    return in_context(claim_of(question), asked, answered)


@dataclass(frozen=True)
class Example:
    """`answer` holds (passage id, sentence number); empty means that the notes do not answer."""

    id: str
    query: str
    opening: Polarity | None
    answer: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Lesson:
    """An example as the model sees it: the prompt, its notes, and the answer to learn."""

    example: Example
    hits: tuple[Hit, ...]
    messages: tuple[Message, ...]
    target: str


def sets_of(example: Example) -> frozenset[str]:
    """The sets whose passages answer it."""
    return frozenset(name.partition("#")[0] for name, _ in example.answer)


def load_examples(knowledge: Knowledge, folder: Path = FOLDER, strict: bool = True) -> list[Example]:
    """Every example, a follow-up twice: as the teacher and as the tutor makes it standalone (as FILLED has it, or now).

    One whose sentence does not exist raises ValueError with its line, or is left out if not `strict`.
    """
    known = {passage.id: len(passage.sentences) for passage in knowledge.passages}
    mentions = Mentions(knowledge.concepts)
    filled: Mapping[str, str] = json.loads(FILLED.read_text(encoding="utf-8")) if folder == FOLDER else {}
    examples: list[Example] = []
    missing: set[str] = set()
    referred: dict[str, tuple[str, int]] = {}  # tens of thousands of answers share a few thousand sentences
    for path in sorted(folder.glob("*.jsonl")):
        # As one list: a start reads some 125,000 lines.
        rows = json.loads(f"[{','.join(path.read_text(encoding='utf-8').splitlines())}]")
        for number, row in enumerate(rows, 1):
            for ref in row["answer"]:
                if ref not in referred:
                    name, _, place = ref.rpartition(":")
                    referred[ref] = (name, int(place))
                    if not 0 <= int(place) < known.get(name, 0):
                        missing.add(ref)
            if missing and not missing.isdisjoint(row["answer"]):
                if strict:
                    raise ValueError(f"{path}:{number}: expected a sentence of a passage, got {min(missing)}")
                continue
            answer = tuple(referred[ref] for ref in row["answer"])
            name, query, opening = row["id"], row["standalone"], row["opening"]
            examples.append(Example(name, query, opening, answer))
            if row["history"]:
                again = filled[name] if name in filled else _filled_in(row, knowledge, mentions)
                if again and again != query:
                    examples.append(Example(name, again, opening, answer))
    # A fifth of the questions that the notes do not answer, so that refusing is learned beside answering.
    strangers = elsewhere_questions()[::5]
    return examples + [Example(f"elsewhere-{i}", question, None, ()) for i, question in enumerate(strangers)]


def filled_in(knowledge: Knowledge, folder: Path = FOLDER) -> dict[str, str]:
    """What FILLED holds: each follow-up with its topic before it, or nothing where no topic is known."""
    mentions = Mentions(knowledge.concepts)
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.jsonl")))
    rows = (json.loads(line) for text in texts for line in text.splitlines())
    return {row["id"]: _filled_in(row, knowledge, mentions) for row in rows if row["history"]}


def _filled_in(row: Mapping[str, Any], knowledge: Knowledge, mentions: Mentions) -> str:
    topic = None
    for user, tutor in row["history"]:
        topic = named_topic(user, tutor, topic, knowledge, mentions) or topic
    return fill_in(row["question"], topic, mentions) if topic is not None else ""


def lessons(examples: Sequence[Example], search: Search, seed: int = 0) -> Iterator[Lesson]:
    """Prompt and target of each example, with the two to four notes that retrieval returns for it."""
    passages = {passage.id: passage for passage in search.knowledge.passages}
    rng = random.Random(seed)
    for example in examples:
        notes = max(rng.choice((2, 3, 4)), len({name for name, _ in example.answer}))
        hits = list(search.search(example.query, notes).hits)
        for name in dict.fromkeys(name for name, _ in example.answer):
            if name not in {hit.passage.id for hit in hits}:
                needed = {name for name, _ in example.answer}
                spare = max(i for i, hit in enumerate(hits) if hit.passage.id not in needed)
                hits[spare] = Hit(passages[name], 0.0, 0.0)
        parts = [example.opening.capitalize() + "."] if example.opening else []
        parts += [passages[name].sentences[i] for name, i in example.answer]
        yield Lesson(example, tuple(hits), tuple(choice_prompt(example.query, hits)), " ".join(parts) or NO_ANSWER)


def free_lessons(examples: Sequence[Example], search: Search, seed: int = 0, path: Path = FREE) -> Iterator[Lesson]:
    """The same craft taught with a teacher's free wordings, and refusals as they are: for the comparison only.

    tutor/evaluation/comparison.py tells what came of it.
    """
    said = {row["id"]: row["answer"] for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}
    refused = [example for example in examples if not example.answer][: len(said) // 8]
    for lesson in lessons([e for e in examples if e.id in said] + refused, search, seed):
        target = said.get(lesson.example.id, NO_ANSWER)
        yield Lesson(lesson.example, lesson.hits, tuple(written_prompt(lesson.example.query, lesson.hits)), target)
