"""A sentence's rivals each say something else, and the likelier one wins."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from tutor.contrast import advantage, rivals
from tutor.engines.base import Message


class Believes:
    """A model that finds one sentence likelier than all others."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def score(self, messages: Sequence[Message], texts: Sequence[str]) -> list[float]:
        return [-1.0 if text == self.sentence else -5.0 for text in texts]


@pytest.mark.parametrize(
    ("sentence", "rival"),
    [
        ("Cats purr, dogs bark.", "dogs purr, Cats bark."),
        ("Cats purr.", "dogs purr."),
        ("Cats can swim.", "Cats can not swim."),
        ("Cats cannot bark.", "Cats can bark."),
        ("Dogs do not purr.", "Dogs do purr."),
        ("A cat doesn't bark.", "A cat does bark."),
    ],
)
def test_each_fact_is_turned_round(knowledge: Knowledge, sentence: str, rival: str) -> None:
    """Protects: the rivals that a swapped or negated sentence must lose against."""
    found = rivals(sentence, Mentions(knowledge.concepts))
    assert rival in found and sentence not in found


def test_the_sentence_wins_or_loses_against_its_likeliest_rival() -> None:
    """Protects: the sign of the advantage."""
    assert advantage("a", ["b", "c"], "note", Believes("a")) == 4.0
    assert advantage("a", ["b", "c"], "note", Believes("c")) == -4.0
    assert advantage("a", [], "note", Believes("a")) == float("inf")
