"""The classifier learns from questions what answers them."""

from __future__ import annotations

import numpy as np

from knowledge.classifier import buckets_of
from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from tutor.distill.classifier import Asked, load_asked, train


def test_what_was_asked_often_is_learned() -> None:
    """Protects: training ends with the questions' own answers likeliest, in other words of theirs too, and with none where none is taught."""
    taught = (
        ("How long do cats sleep at night?", 0),
        ("Who brings back the sticks we throw?", 1),
        ("Which train goes to Basel?", 2),
    )
    asked = [Asked(buckets_of(question), (place,)) for question, place in taught] * 400
    fitted = train(asked, ["Cats sleep 16 hours a day.", "Dogs fetch sticks."])
    texts = ("cats sleeping?", "throwing sticks", "trains to Basel")
    assert [int(np.argmax(fitted.log_probabilities(text))) for text in texts] == [0, 1, 2], "the last is none of them"


def test_what_the_notes_do_not_answer_is_asked_too() -> None:
    """Protects: the place of "none of these" behind the last sentence, and its questions, which are few, asked more often."""
    knowledge = load_knowledge()
    none = sum(len(passage.sentences) for passage in knowledge.passages)
    strange = [question for question in load_asked(knowledge) if none in question.answer]
    assert [question.buckets for question in strange] == [buckets_of(text) for text in elsewhere_questions()]
    assert all(question.often > 1 for question in strange)
