"""What the reader learns from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.concept_files import load_knowledge
from knowledge.passages import Knowledge
from knowledge.sentences import split_sentences
from tutor.distill import pairs
from tutor.distill.pairs import load_pairs
from tutor.evaluation.injection import REPORTED, TUNING
from tutor.evaluation.items import load_items


@pytest.fixture(scope="module")
def own() -> Knowledge:
    """The notes that ship."""
    return load_knowledge()


def test_yes_and_no_are_about_as_many(own: Knowledge) -> None:
    """Protects: a reader that leans to one side."""
    found = load_pairs(own)
    assert len(found) > 20_000
    assert 0.45 < sum(pair.yes for pair in found) / len(found) < 0.55


def test_nothing_that_is_reported_is_learned(own: Knowledge) -> None:
    """Protects: the report card's figures, which would be worth nothing."""
    learned = {pair.question.lower() for pair in load_pairs(own)}
    assert not [item.id for item in load_items() if item.half == "report" and item.question.lower() in learned]
    for path in (REPORTED, TUNING):
        written = [json.loads(line)["answer"] for line in path.read_text(encoding="utf-8").splitlines()]
        assert not [
            answer for answer in written for s in split_sentences(answer) if len(s) > 8 and s.lower() in learned
        ]


def test_a_claim_about_no_sentence_is_named(own: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: notes that changed under the statements."""
    (tmp_path / "a.jsonl").write_text(
        json.dumps({"passage": "no#where", "sentences": [0], "true": "A.", "false": "B."})
    )
    monkeypatch.setattr(pairs, "CLAIMS", tmp_path)
    with pytest.raises(ValueError, match=r"a\.jsonl:1: the notes have no no#where"):
        load_pairs(own)
