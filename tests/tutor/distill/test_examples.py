"""Teacher examples as they are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.concept_files import load_knowledge
from knowledge.passages import Knowledge
from tutor.distill.examples import FILLED, FOLDER, filled_in, load_examples


def write(folder: Path, **row: object) -> Path:
    """A folder with one example."""
    passage = "cats-vs-dogs#what-cats-are"
    whole = {
        "id": "a",
        "question": "",
        "history": [],
        "standalone": "",
        "opening": None,
        "answer": [f"{passage}:0"],
        **row,
    }
    (folder / "a.jsonl").write_text(json.dumps(whole) + "\n")
    return folder


def test_a_follow_up_is_taught_as_teacher_and_tutor_make_it_standalone(knowledge: Knowledge, tmp_path: Path) -> None:
    """Protects: the encoder learns the very form that a learner's follow-up gets."""
    folder = write(
        tmp_path, question="and how long?", history=[["Do cats sleep?", "Yes."]], standalone="How long do cats sleep?"
    )
    queries = [example.query for example in load_examples(knowledge, folder) if example.answer]
    assert queries == ["How long do cats sleep?", "Cats: how long?"]


def test_a_question_without_history_is_taught_once(knowledge: Knowledge, tmp_path: Path) -> None:
    """Nothing is put before what stands by itself."""
    folder = write(tmp_path, question="What are cats?", standalone="What are cats?")
    assert [example.query for example in load_examples(knowledge, folder) if example.answer] == ["What are cats?"]


def test_a_reference_to_nothing_is_named(knowledge: Knowledge, tmp_path: Path) -> None:
    """A note that changed leaves no example that answers with another sentence; lenient readers leave it out."""
    folder = write(tmp_path, question="x", standalone="x", answer=["cats-vs-dogs#nowhere:0"])
    with pytest.raises(ValueError, match=r"a\.jsonl:1.*nowhere:0"):
        load_examples(knowledge, folder)
    assert not [example for example in load_examples(knowledge, folder, strict=False) if example.answer]


def test_the_shipped_follow_ups_are_filled_in_as_the_tutor_does_it() -> None:
    """Protects: what a start reads ready-made is what it would make; `make vectors` writes it anew."""
    assert json.loads(FILLED.read_text(encoding="utf-8")) == filled_in(load_knowledge()), "run `make vectors`"


def test_no_taught_question_is_lost() -> None:
    """Protects: the teacher's files, of which a script once wrote new ones over old ones; each is of one set."""
    sets = {concept.id for concept in load_knowledge().concepts}
    paths = list(FOLDER.glob("*.jsonl"))
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths) >= 119_608
    keyed = {path.stem.removeprefix("key-") for path in paths if path.stem.startswith("key-")}
    assert keyed == sets | {f"learner-{name}" for name in sets}
