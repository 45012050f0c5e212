"""Follow-up questions that are worth asking."""

from __future__ import annotations

from knowledge.passages import Knowledge
from tests.conftest import hits_of
from tutor.suggestions import suggest


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
