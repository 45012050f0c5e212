"""The labelled set: what is reported was never tuned on."""

from __future__ import annotations

import re

from knowledge.concept_files import load_knowledge
from tutor.distill.examples import load_examples
from tutor.evaluation.items import load_items
from tutor.requests.manner import utterances


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def test_no_reported_question_was_tuned_on_or_taught() -> None:
    """Protects the report card: a question asked word for word in tuning or teaching would report what was learned by heart."""
    items = load_items()
    known = {_words(item.question) for item in items if item.half == "tune"}
    known |= {_words(text) for *_, text in utterances()}
    known |= {_words(example.query) for example in load_examples(load_knowledge())}
    fresh = [item for item in items if item.half == "report" and not item.history]
    assert fresh and [item.id for item in fresh if _words(item.question) in known] == []
