"""The house rules find what a passage must not do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from demos import DEMOS
from knowledge.check import check_knowledge
from knowledge.concept_files import load_knowledge
from knowledge.passages import Ask, Knowledge


def changed(knowledge: Knowledge, **fields: object) -> list[str]:
    """The check's findings once the first passage's fields are replaced."""
    concept = knowledge.by_id["cats-vs-dogs"]
    first = replace(concept.passages[0], **fields)  # type: ignore[arg-type]
    altered = replace(concept, passages=(first, *concept.passages[1:]))
    return check_knowledge(Knowledge((altered, *(c for c in knowledge.concepts if c is not concept))))


def test_the_shipped_notes_keep_the_rules() -> None:
    """Nothing that ships breaks a house rule."""
    assert check_knowledge(load_knowledge(), frozenset(demo.name for demo in DEMOS)) == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"text": "It purrs. Cats sleep."}, "leans on another"),
        ({"text": "Pruning is nice. Cats sleep."}, "names no side or term"),
        ({"text": "Cats purr."}, "1 sentences"),
        ({"text": "Cats " + "really " * 45 + "purr. Cats sleep."}, "sentence of 47 words"),
        ({"text": "Cats purr so very well today. " * 30}, "180 words"),
        ({"about": ()}, "about nothing"),
        ({"asks": (Ask("What are cats?"),)}, "1 asks"),
        ({"asks": (Ask("what are dogs"), Ask("cats a"), Ask("cats b"))}, "also stands in"),
    ],
)
def test_each_rule_of_a_passage(knowledge: Knowledge, fields: dict[str, object], says: str) -> None:
    """A passage that breaks one rule is named with that rule."""
    before = check_knowledge(knowledge)
    found = [problem for problem in changed(knowledge, **fields) if problem not in before]
    assert any(says in problem for problem in found)


def test_rules_of_a_set(knowledge: Knowledge) -> None:
    """Missing kinds, unknown relations, unregistered demos and a foreign file name are found."""
    concept = replace(knowledge.by_id["cats-vs-dogs"], related=("nothing",), demos=("magic",), path=Path("x/other.md"))
    found = "\n".join(check_knowledge(Knowledge((concept,)), frozenset({"quantize"})))
    for says in ("'nothing' is no known set", "'magic' is not registered", "differs from the file's name", "'analogy'"):
        assert says in found


def test_load_problems_come_first(knowledge: Knowledge) -> None:
    """What could not be loaded is not lost among the house rules."""
    assert check_knowledge(Knowledge(knowledge.concepts, ("x.md:1: broken; mend it",)))[0] == "x.md:1: broken; mend it"
