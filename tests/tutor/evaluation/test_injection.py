"""Errors that are put into right sentences are errors, and of the kind that they are called."""

from __future__ import annotations

import json
from pathlib import Path

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from tutor.evaluation.finding import Finding
from tutor.evaluation.injection import REPORTED, TUNING, inject, keep_check, kept_check


def injected(sentence: str, knowledge: Knowledge) -> dict[str, str]:
    return dict(inject(sentence, Mentions(knowledge.concepts)))


def test_each_kind_of_error(knowledge: Knowledge) -> None:
    """One concept for its neighbour, another number, the opposite."""
    found = injected("A cat is asleep 16 hours a day.", knowledge)
    assert found["number"] != "A cat is asleep 16 hours a day." and "6 hours" in found["number"]
    assert found["negation"] == "A cat is not asleep 16 hours a day."
    assert "dog" in found["swap"].lower() and "cat" not in found["swap"].lower()


def test_two_concepts_change_places(knowledge: Knowledge) -> None:
    """What was said of one is said of the other."""
    assert injected("Cats purr, and dogs bark.", knowledge)["swap"].lower() == "dogs purr, and cats bark."


def test_a_negation_is_taken_back(knowledge: Knowledge) -> None:
    """A negated sentence loses its negation instead of gaining a second one."""
    assert injected("Cats do not bark.", knowledge)["negation"] == "Cats do bark."
    assert injected("Cats cannot bark.", knowledge)["negation"] == "Cats can bark."


def test_a_sentence_without_room_for_an_error_has_none(knowledge: Knowledge) -> None:
    """No number, no concept, no auxiliary: nothing is made up."""
    assert injected("Warm cushions help.", knowledge) == {}


def test_what_is_reported_is_not_what_was_tuned_on() -> None:
    """Protects: the check's figures. No answer to a question stands in both parts, and each part has its own 200."""

    def ids(path: Path) -> set[str]:
        return {json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()}

    assert len(ids(REPORTED)) > 200 and len(ids(TUNING)) > 200
    assert not ids(REPORTED) & ids(TUNING)


def test_the_kept_check_is_of_these_notes_and_readers() -> None:
    """Protects: the report card, which tells the check's figures without taking them again."""
    kept = kept_check()
    assert kept is not None, "run `make report`, which measures the check of written sentences anew"
    assert kept[0].figures["check_right_sentences"] > 200 and kept[0].failures


def test_a_check_of_another_state_is_not_kept(tmp_path: Path) -> None:
    """Protects: figures of notes that were edited since; and a repository whose check was never measured."""
    path = tmp_path / "check.json"
    assert kept_check(path) is None
    keep_check(Finding({"check_right_sentences": 1}, ["a"]), path)
    kept = kept_check(path)
    assert kept is not None and kept[0] == Finding({"check_right_sentences": 1}, ["a"])
    path.write_text(path.read_text().replace('"state": "', '"state": "0'))
    assert kept_check(path) is None
