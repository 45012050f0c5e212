"""What the reader learns from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.concept_files import load_knowledge
from knowledge.passages import Knowledge
from knowledge.sentences import split_sentences
from tutor.distill import pairs
from tutor.distill.keyed import load_keyed
from tutor.distill.pairs import keyed_questions, load_pairs
from tutor.evaluation.injection import REPORTED, TUNING
from tutor.evaluation.items import load_items
from tutor.verdict.polarity import claim_of


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


def test_of_a_keyed_question_further_sentences_say_the_same(own: Knowledge) -> None:
    """Protects: what learners ask for Yes or No is learned with several of the sentences that settle it, each once and none of the point's best."""
    sentences = {(passage.id, i): text for passage in own.passages for i, text in enumerate(passage.sentences)}
    found = list(keyed_questions(own))
    said = {(pair.question, pair.sentence): pair.yes for pair in found}
    assert len(found) > 1_000 and len(said) > 0.98 * len(found)
    one = next(one for one in load_keyed() if one.opening == "no" and len(one.points[0]) > 1)
    mine = [said.get((claim_of(one.standalone), sentences[reference])) for reference in one.points[0]]
    assert mine[0] is None and False in mine and True not in mine


def test_a_claim_about_no_sentence_is_named(own: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: notes that changed under the statements."""
    (tmp_path / "a.jsonl").write_text(
        json.dumps({"passage": "no#where", "sentences": [0], "true": "A.", "false": "B."})
    )
    monkeypatch.setattr(pairs, "CLAIMS", tmp_path)
    with pytest.raises(ValueError, match=r"a\.jsonl:1: the notes have no no#where"):
        load_pairs(own)
