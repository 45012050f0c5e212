"""What the classifying language model is trained on, and towards."""

from __future__ import annotations

import math

import pytest
import torch

from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from tutor.distill.causal_classifier import Asked, _loss, load_asked


def test_the_first_sentence_counts_most_and_of_a_passage_any_will_do() -> None:
    """Protects: both kinds of target; a passage's own question does not want all of its sentences at once."""
    shares = torch.tensor([[0.5, 0.25, 0.25]]).log()
    in_order = _loss(shares, [Asked("why?", (1, 0))])
    assert float(in_order) == pytest.approx(-0.6 * math.log(0.25) - 0.4 * math.log(0.5))
    assert float(_loss(shares, [Asked("why?", (1, 0), any_will_do=True)])) == pytest.approx(-math.log(0.75))
    assert float(_loss(shares, [Asked("cats?", (2,))])) == pytest.approx(-math.log(0.25))


def test_a_follow_up_is_read_in_full_and_behind_what_it_goes_on_from() -> None:
    """Protects: both forms in which answers read a follow-up, and what the notes do not answer has a place of its own."""
    knowledge = load_knowledge()
    asked = load_asked(knowledge)
    none = sum(len(passage.sentences) for passage in knowledge.passages)
    strange = [one.text for one in asked if one.answer == (none,)]
    assert set(strange) == set(elsewhere_questions()) and len(strange) == 2 * len(elsewhere_questions())
    assert sum("\nQuestion: " in one.text for one in asked) > 10_000
    assert {place for one in asked for place in one.answer} == set(range(none + 1))
