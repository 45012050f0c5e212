"""Quiz turns: which question, which answer, which verdict."""

from __future__ import annotations

import pytest

from knowledge.passages import Knowledge, QuizItem
from tutor.events import Exchange
from tutor.quiz import chosen, next_item, pending_item, verdict, worded

ITEM = QuizItem("Who barks?", ("Cats", "Dogs", "Nobody"), 1, "Dogs bark at the postman.")


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        *(("b", 1), ("B", 1), ("(c)", 2), ("I think A.", 0), ("option b", 1), ("dogs", 1), ("Nobody.", 2)),
        *(("D", None), ("", None), ("what is a dog?", None), ("b or c", None), ("🙂", None), ("B" * 10_000, None)),
    ],
)
def test_replies(reply: str, index: int | None) -> None:
    """A letter or a choice's words pick it; anything else is no reply."""
    assert chosen(ITEM, reply) == index


def test_the_verdict_explains_either_way() -> None:
    """Right and wrong replies both hear why, and a wrong one hears the right choice."""
    right, wrong = verdict(ITEM, 1), verdict(ITEM, 0)
    assert right != wrong and ITEM.because in right and ITEM.because in wrong and "Dogs" in wrong


def test_the_wording_gives_nothing_away() -> None:
    """The learner sees the question and all choices, not the reason or the answer's mark."""
    text = worded(ITEM)
    assert (
        all(part in text for part in (ITEM.question, *ITEM.choices)) and ITEM.because not in text and "[x]" not in text
    )


def test_each_question_once_then_the_next_set(knowledge: Knowledge) -> None:
    """Questions of the set come in order, no question comes twice while there are fresh ones."""
    concept = knowledge.by_id["cats-vs-dogs"]
    history: tuple[Exchange, ...] = ()
    asked = []
    for _ in range(3):
        found = next_item(knowledge, concept, history)
        assert found is not None
        asked.append(found[1].question)
        history += (Exchange("quiz me", worded(found[1])),)
    assert asked == ["Who barks?", "Who purrs?", "Who barks?"]


def test_a_set_without_questions_hands_over(knowledge: Knowledge) -> None:
    """Where the set in play has no quiz, another set's question comes; without any, none."""
    found = next_item(knowledge, knowledge.by_id["tea-vs-coffee"], ())
    assert found is not None and found[0].id == "cats-vs-dogs"
    assert next_item(Knowledge(()), None, ()) is None


def test_only_the_last_turn_can_wait_for_a_reply(knowledge: Knowledge) -> None:
    """A question is pending right after it was asked, not later and not for someone else."""
    item = knowledge.by_id["cats-vs-dogs"].quiz[0]
    asked = Exchange("quiz me", worded(item))
    pending = pending_item(knowledge, (asked,))
    assert pending is not None and pending[1] == item
    assert pending_item(knowledge, (asked, Exchange("b", verdict(item, 1)))) is None
    assert pending_item(knowledge, ()) is None
