"""What the classifying language model is trained on."""

from __future__ import annotations

import pytest

from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from knowledge.passages import Knowledge
from tutor.distill.asked import (
    load_asked,
    load_keyed_asked,
    load_keyed_continued,
    load_strange,
    load_switches,
    load_taught_continued,
)
from tutor.distill.keyed import load_keyed


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def test_a_follow_up_is_read_in_full_and_behind_what_it_goes_on_from(knowledge: Knowledge) -> None:
    """Protects: both forms in which answers read a follow-up, and what the notes do not answer has a place of its own."""
    asked = load_asked(knowledge)
    none = sum(len(passage.sentences) for passage in knowledge.passages)
    strange = load_strange(knowledge)
    assert {one.points for one in strange} == {((none,),)} and [one.text for one in strange] == elsewhere_questions()
    assert sum("\nQuestion: " in one.text for one in asked) > 10_000
    assert {place for one in asked for point in one.points for place in point} == set(range(none))


def test_a_change_of_subject_keeps_its_own_answer(knowledge: Knowledge) -> None:
    """Protects: every question behind another is read behind it, so one that stands alone must be learned there too."""
    switches = load_switches(knowledge)
    taught = {(one.text, one.points) for one in load_asked(knowledge)}
    alone = [(one.text.rpartition("\nQuestion: ")[2], one.points) for one in switches]
    assert len(switches) > 5_000 and sum(pair in taught for pair in alone) > 0.7 * len(alone)


def test_of_two_requests_each_is_also_asked_alone_the_second_behind_the_first(knowledge: Knowledge) -> None:
    """Protects: a second request that leans on the story is learned as answers have it read (tutor/choosing/compound.py)."""
    asked = {one.text: one.points for one in load_keyed_asked(knowledge)}
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


def test_behind_a_point_what_is_left_is_learned_and_behind_all_of_them_the_end(knowledge: Knowledge) -> None:
    """Protects: an answer goes on to the second thing that was asked, in either order, and then stops."""
    sentences = [sentence for passage in knowledge.passages for sentence in passage.sentences]
    end = ((len(sentences) + 1,),)
    continued = load_keyed_continued(knowledge)
    two = next(one for one in load_keyed() if len(one.points) == 2)
    of_it = [one for one in continued if one.text == two.text and one.text == two.standalone]
    made = [
        {sentences.index(next(p for p in knowledge.passages if p.id == n).sentences[i]) for n, i in p}
        for p in two.points
    ]
    for one in of_it:
        said = {n for n, point in enumerate(made) for place in one.said if place in point}
        left = set().union(*(point for n, point in enumerate(made) if n not in said))
        assert {place for point in one.points for place in point} == (left or {end[0][0]})
    assert {len(one.said) for one in of_it} == {1, 2} and sum(one.opens for one in of_it) == 1
    single = next(one for one in load_keyed() if len(one.points) == 1 and one.opening == "no")
    assert any(one.points == end and one.opening == "no" for one in continued if one.text == single.text)


def test_the_teachers_answers_are_learned_sentence_by_sentence(knowledge: Knowledge) -> None:
    """Protects: most answers end after one sentence, and the word that an answer begins with is only learned behind its first."""
    continued = load_taught_continued(knowledge, 3_000)
    end = ((sum(len(passage.sentences) for passage in knowledge.passages) + 1,),)
    assert len(continued) == 3_000 and 0.7 < sum(one.points == end for one in continued) / 3_000 < 0.99
    assert sum("\nQuestion: " in one.text for one in continued) > 500  # behind what was talked of before
    assert {one.opening for one in continued if one.opens} == {"yes", "no", None}
