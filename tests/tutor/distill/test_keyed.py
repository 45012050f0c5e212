"""Questions for teaching with all sentences that answer them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.concept_files import load_knowledge
from tutor.distill.keyed import load_keyed
from tutor.evaluation.items import load_items


def test_each_sentence_that_is_named_exists() -> None:
    """Protects: keys under which a passage was edited."""
    known = {(passage.id, i) for passage in load_knowledge().passages for i, _ in enumerate(passage.sentences)}
    keyed = load_keyed()
    assert len(keyed) > 1_800 and all(one.points and all(one.points) for one in keyed)
    named = {reference for one in keyed for part in one.points for reference in part}
    assert named <= known and len(named) > 0.5 * len(known)


def test_none_is_asked_in_the_labelled_set() -> None:
    """Protects: the report card's figures, which would be worth nothing."""
    asked = {one.text.lower() for one in load_keyed()}
    assert not [item.id for item in load_items() if not item.history and item.question.lower() in asked]


def test_a_follow_up_is_kept_behind_what_it_goes_on_from(tmp_path: Path) -> None:
    """Protects: the text that readers from left to right are given, and a key that is no reference."""
    history = [["Cats?", "Cats sleep."]]
    row = {
        "id": "a",
        "question": "so they sleep, right?",
        "history": history,
        "standalone": "Do cats sleep?",
        "opening": None,
    }
    path = tmp_path / "key-a.jsonl"
    path.write_text(json.dumps({**row, "points": [["a#b:1"]]}) + "\n")
    (one,) = load_keyed(tmp_path)
    assert one.text == "Cats?\nCats sleep.\nQuestion: so they sleep?" and one.standalone == "Do cats sleep?"
    assert one.points == ((("a#b", 1),),)
    path.write_text(json.dumps({**row, "points": [["a#b"]]}) + "\n")
    with pytest.raises(ValueError, match="a#b"):
        load_keyed(tmp_path)
