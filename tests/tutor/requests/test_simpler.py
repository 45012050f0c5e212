"""Who did not understand is told in another way."""

from __future__ import annotations

import pytest

from tutor.events import Exchange
from tutor.requests.simpler import AS_A_PICTURE, BY_EXAMPLE, simplified

ANSWERED = (Exchange("What is a token?", "A token is a piece of text [1]."),)
LOST = (
    "I do not understand, again please, more simple",
    "I don't understand",
    "Again please, more simple",
    "Sorry again, I do not understood. Simpler please",
    "I dont get it, can you say it easier?",
    "say it in other words please",
    "too technical",
)


@pytest.mark.parametrize("said", LOST)
def test_who_did_not_understand_gets_the_picture_then_an_example(said: str) -> None:
    """Protects: the most frequent words of a beginner keep the talk on its subject instead of starting anew."""
    assert simplified(said, ANSWERED) == AS_A_PICTURE
    assert simplified(said, (*ANSWERED, Exchange(said, "Tokens are bricks [1]."))) == BY_EXAMPLE


@pytest.mark.parametrize("said", LOST[:2])
def test_there_must_be_an_answer_that_was_not_understood(said: str) -> None:
    """Protects: at the start of a talk, or behind a run, there is no picture to ask for."""
    assert simplified(said, ()) == simplified(said, (Exchange("hi", "Hello."),)) == said


@pytest.mark.parametrize(
    "said",
    [
        "why?",
        "I don't understand embeddings",
        "is it easy?",
        "give me another example",
        "ok thanks",
        "explain it",
        "huh?",
    ],
)
def test_whoever_says_more_is_heard(said: str) -> None:
    """Protects: a question that names something, or is another one, stays as it is."""
    assert simplified(said, ANSWERED) == said
