"""Follow-up questions that are worth asking."""

from __future__ import annotations

import pytest

from knowledge.passages import Knowledge
from tests.conftest import hits_of
from tutor.choosing.taught import Votes
from tutor.events import Checked, Source
from tutor.suggestions import alike, left_out, nearest_sets, suggest


def test_suggestions_are_new_authored_questions(knowledge: Knowledge) -> None:
    """They are the set's own well-formed questions, neither asked nor just answered."""
    concept = knowledge.by_id["cats-vs-dogs"]
    authored = {ask.text: passage for passage in concept.passages for ask in passage.asks}
    found = suggest(concept, "what are CATS?", hits_of(concept.passages[0]))
    assert found and len(found) == len(set(found)) <= 3
    assert all(question in authored and question[0].isupper() and question.endswith("?") for question in found)
    assert all(authored[question] is not concept.passages[0] for question in found)


def test_the_query_is_not_offered_again(knowledge: Knowledge) -> None:
    """Whatever was found, the question that was asked does not come back."""
    concept = knowledge.by_id["cats-vs-dogs"]
    for question in suggest(concept, "x", ()):
        assert question not in suggest(concept, question.upper(), ())


def test_count_is_kept(knowledge: Knowledge) -> None:
    """No more than asked for, and none where none is wanted."""
    concept = knowledge.by_id["cats-vs-dogs"]
    assert [len(suggest(concept, "x", (), n)) for n in (0, 1, 2)] == [0, 1, 2]


def test_the_contrast_comes_first(knowledge: Knowledge) -> None:
    """After a definition the difference helps most."""
    concept = knowledge.by_id["cats-vs-dogs"]
    assert (
        suggest(concept, "What are cats?", hits_of(concept.passages[0]))[0]
        == "What is the difference between cats and dogs?"
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("What is the difference between cats and dogs?", "What's the difference between the cats and a dog?", True),
        ("Which is faster, pruning or quantization?", "Which is faster at inference, pruning or quantization?", True),
        ("What are cats?", "What is the difference between cats and dogs?", False),
        ("What is pruning?", "What is quantization?", False),
        ("why?", "WHY?", True),
        ("", "What are cats?", False),
    ],
)
def test_near_duplicates(one: str, other: str, same: bool) -> None:
    """Questions of nearly the same words are the same; those that name another thing are not."""
    assert alike(one, other) == alike(other, one) == same


def test_no_follow_up_repeats_the_question(knowledge: Knowledge) -> None:
    """What was just asked in other words is not offered as the next question."""
    query = "what's the difference between the cat and dogs"
    found = suggest(knowledge.by_id["cats-vs-dogs"], query, ())
    assert found and not any(alike(query, question) for question in found)


def test_the_nearest_sets_come_first(knowledge: Knowledge) -> None:
    """Off-topic questions are led to what lies near them, then to the first sets."""
    tea = knowledge.by_id["tea-vs-coffee"]
    assert nearest_sets(knowledge, hits_of(*tea.passages)) == (tea.question, knowledge.concepts[0].question)
    assert nearest_sets(knowledge, (), 1) == (knowledge.concepts[0].question,)


def test_what_was_left_out_is_offered_again(knowledge: Knowledge) -> None:
    """Protects: of two questions in one message the one that got no answer is a click away; one that was answered does not come back."""
    (hit,) = hits_of(knowledge.by_id["cats-vs-dogs"].passages[0])
    reference, text = (hit.passage.id, 0), hit.passage.sentences[0]
    said = Checked(f"{text} [1]", (1,), "supported", 1.0)
    parts = tuple(
        Votes(query=query, read={reference: vote})
        for query, vote in (("What are cats?", 0.95), ("And is it a problem?", 0.3))
    )
    both, sources = Votes(parts=parts), (Source(1, hit, True),)
    assert left_out(both, sources, (said,)) == ("And is it a problem?",)
    assert left_out(Votes(parts=parts[:1]), sources, (said,)) == ()
    assert left_out(both, (Source(1, hit, False),), (said,)) == left_out(Votes(), sources, (said,)) == ()


@pytest.mark.parametrize(
    ("part", "offered"),
    [
        ("GRPO: what do you lose by that?", True),
        ("does it cost more memory?", True),
        ("so rag not enough?", False),
        ("why, model has 128k context", False),
        ("Perfect. Completely different question: what is a token?", False),
        ("mean bot say ship norway", False),
    ],
)
def test_only_what_reads_as_a_question_is_offered_again(knowledge: Knowledge, part: str, offered: bool) -> None:
    """Protects: a learner's fragment does not come back as a button."""
    (hit,) = hits_of(knowledge.by_id["cats-vs-dogs"].passages[0])
    reference, text = (hit.passage.id, 0), hit.passage.sentences[0]
    parts = (Votes(query="What are cats?", read={reference: 0.95}), Votes(query=part, read={reference: 0.3}))
    said = Checked(f"{text} [1]", (1,), "supported", 1.0)
    assert bool(left_out(Votes(parts=parts), (Source(1, hit, True),), (said,))) is offered
