"""The classifier learns from questions what answers them."""

from __future__ import annotations

import numpy as np

from knowledge.classifier import buckets_of
from tutor.distill.classifier import Asked, train


def test_what_was_asked_often_is_learned() -> None:
    """Protects: training ends with the questions' own answers likeliest, in other words of theirs too."""
    taught = (("How long do cats sleep at night?", 0), ("Who brings back the sticks we throw?", 1))
    asked = [Asked(buckets_of(question), (place,)) for question, place in taught] * 600
    fitted = train(asked, ["Cats sleep 16 hours a day.", "Dogs fetch sticks."])
    told = [int(np.argmax(fitted.log_probabilities(text))) for text in ("cats sleeping?", "throwing sticks")]
    assert told == [0, 1]
