"""What the classifying language model is trained on, and towards."""

from __future__ import annotations

import math

import pytest
import torch

from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from tutor.distill.causal_classifier import (
    Asked,
    _loss,
    load_asked,
    load_keyed_asked,
    load_strange,
    load_switches,
)


def test_the_first_point_counts_most_and_of_a_point_any_sentence_will_do() -> None:
    """Protects: the target; a passage's own question does not want all of its sentences at once, and two requests want both."""
    shares = torch.tensor([[0.5, 0.25, 0.25]]).log()
    in_order = _loss(shares, [Asked("why?", ((1,), (0,)))])
    assert float(in_order) == pytest.approx(-0.6 * math.log(0.25) - 0.4 * math.log(0.5))
    assert float(_loss(shares, [Asked("why?", ((1, 0),))])) == pytest.approx(-math.log(0.75))
    both = _loss(shares.repeat(2, 1), [Asked("cats?", ((2,),)), Asked("why, and cats?", ((0, 1), (2,)))])
    assert float(both) == pytest.approx((-math.log(0.25) - 0.6 * math.log(0.75) - 0.4 * math.log(0.25)) / 2)


def test_a_follow_up_is_read_in_full_and_behind_what_it_goes_on_from() -> None:
    """Protects: both forms in which answers read a follow-up, and what the notes do not answer has a place of its own."""
    knowledge = load_knowledge()
    asked = load_asked(knowledge)
    none = sum(len(passage.sentences) for passage in knowledge.passages)
    strange = load_strange(knowledge)
    assert {one.points for one in strange} == {((none,),)} and [one.text for one in strange] == elsewhere_questions()
    assert sum("\nQuestion: " in one.text for one in asked) > 10_000
    assert {place for one in asked for point in one.points for place in point} == set(range(none))


def test_a_change_of_subject_keeps_its_own_answer() -> None:
    """Protects: every question behind another is read behind it, so one that stands alone must be learned there too."""
    knowledge = load_knowledge()
    switches = load_switches(knowledge)
    taught = {(one.text, one.points) for one in load_asked(knowledge)}
    alone = [(one.text.rpartition("\nQuestion: ")[2], one.points) for one in switches]
    assert len(switches) > 5_000 and sum(pair in taught for pair in alone) > 0.7 * len(alone)


def test_of_two_requests_each_is_also_asked_alone_the_second_behind_the_first() -> None:
    """Protects: a second request that leans on the story is learned as answers have it read (tutor/compound.py)."""
    asked = {one.text: one.points for one in load_keyed_asked(load_knowledge())}
    whole = next(
        text
        for text in asked
        if text.startswith("I'm a ward nurse, and our IT man") and "?" in text[:-1] and "\n" not in text
    )
    first = whole[: whole.index("?") + 1]
    second = next(text for text in asked if text.startswith(f"{first}\n"))
    assert asked[whole] == (*asked[first], *asked[second]) and second.endswith(
        f"Question: {whole[len(first) :].strip()}"
    )
