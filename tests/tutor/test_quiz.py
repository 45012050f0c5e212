"""Quiz turns: which question, which answer, which verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from knowledge.passages import Knowledge, QuizItem
from tutor.events import Exchange
from tutor.quiz import Marked, marked, next_item, wants_more, worded
from tutor.requests.replies import Reply, read_words

ITEM = QuizItem("Who barks?", ("Cats", "Dogs", "Nobody"), 1, "Dogs bark at the postman.")


def test_the_verdict_explains_either_way(knowledge: Knowledge) -> None:
    """Right and wrong replies both hear why, and a wrong one hears the right choice, as does who gives up."""
    concept = knowledge.by_id["cats-vs-dogs"]
    right, wrong, none = (
        Marked(concept, ITEM, reply).text for reply in (Reply("choice", 1), Reply("choice", 0), Reply("skip"))
    )
    assert len({right, wrong, none}) == 3 and all(ITEM.because in said for said in (right, wrong, none))
    assert "Dogs" in wrong.replace(ITEM.because, "") and "Dogs" in none.replace(ITEM.because, "")


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


def test_a_question_waits_for_a_reply(knowledge: Knowledge) -> None:
    """Protects: a right answer in own words that is lectured at; a letter given one turn late; a question that is marked twice."""
    item = knowledge.by_id["cats-vs-dogs"].quiz[0]
    asked = Exchange("quiz me", worded(item))

    def understands(question: str, choices: Sequence[str], text: str) -> Reply:
        return Reply("choice", 1) if "bone" in text else read_words(question, choices, text)

    own = marked(knowledge, (asked,), "those with the bone", understands)
    assert own is not None and own.text.startswith("Right!")
    talked = Exchange("hm, b! like mine", "Dogs bark [1].")
    late = marked(knowledge, (asked, talked), "sorry, b was my answer to the quiz", understands)
    assert late is not None and late.text.startswith("Right!")
    assert marked(knowledge, (asked, talked), "those with the bone", understands) is None
    assert marked(knowledge, (asked, Exchange("b", late.text)), "my answer was b", understands) is None
    assert marked(knowledge, (), "b", understands) is None
    assert marked(knowledge, (asked,), "what is a dog?", understands) is None


def test_an_unclear_reply_is_asked_back(knowledge: Knowledge) -> None:
    """Protects: an answer is neither dropped nor guessed at, and the question still waits."""
    item = knowledge.by_id["cats-vs-dogs"].quiz[0]
    unsure = marked(knowledge, (Exchange("quiz me", worded(item)),), "one of the first two", lambda *_: Reply("choice"))
    assert unsure is not None
    after = marked(knowledge, (Exchange("one of the first two", unsure.text),), "b")
    assert after is not None and after.text.startswith("Right!")


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("b, another one please", True),
        ("A but you told me that already. something harder", True),
        ("c. next", True),
        ("b, one more", True),
        ("b, because one dog barks more", False),
        ("a", False),
        ("the next token, as it is likelier", False),
    ],
)
def test_a_reply_may_ask_for_more(text: str, more: bool) -> None:
    """Protects: the next question comes with the mark where it is wished for, and only there."""
    assert wants_more(text) is more


def test_who_asks_whether_it_was_right_is_told_again(knowledge: Knowledge) -> None:
    """Protects: "was that right?" behind a mark that is answered with some sentence of the notes."""
    item = knowledge.by_id["cats-vs-dogs"].quiz[0]
    asked = Exchange("quiz me", worded(item))
    first = marked(knowledge, (asked,), "a")
    assert first is not None and first.reply.choice == 0
    answered = Exchange("a", first.text)
    for text in ("was that right?", "sorry, did i get it right or wrong?", "So was I right?"):
        assert marked(knowledge, (asked, answered), text) == first
    assert marked(knowledge, (asked, answered), "is it right that cats bark?") is None
    assert marked(knowledge, (Exchange("What are cats?", "Cats purr [1]."),), "was that right?") is None
