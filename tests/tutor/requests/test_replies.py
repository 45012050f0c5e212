"""Which choice a reply means, by rule and by meaning."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from demos import DEMOS
from knowledge.search import Search
from tests.conftest import FakeEmbedder
from tutor.chat import Tutor
from tutor.evaluation.fit_replies import load_labelled
from tutor.requests.manner import unjudged
from tutor.requests.replies import FITTED, Reply, load_replies, named_choice, read_words

CHOICES = ("Cats", "Dogs", "Nobody")


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        *(("b", 1), ("B", 1), ("(c)", 2), ("I think A.", 0), ("option b", 1), ("dogs", 1), ("Nobody.", 2)),
        *(
            ("b! thats my dog again", 1),
            ("sorry b was my answer to the quiz. did i get it", 1),
            ("c because of the postman", 2),
        ),
        *(("it's in the name, so B", 1), ("C. Was I right?", 2), ("the second one", 1), ("the last option, surely", 2)),
        *(("D", None), ("", None), ("what is a dog?", None), ("b or c", None), ("🙂", None), ("B" * 10_000, None)),
        *(
            ("a dog is what barks", None),
            ("not the first one", None),
            ("I guess a dog", None),
            ("the fourth one", None),
        ),
    ],
)
def test_what_is_named(reply: str, index: int | None) -> None:
    """Protects: a letter, a number or a choice's words pick it; an article is no letter."""
    assert named_choice(CHOICES, reply) == index
    assert read_words("Who barks?", CHOICES, reply) == (Reply("other") if index is None else Reply("choice", index))


@pytest.mark.parametrize("lead", ["the answer is my guess ", "i say ", "so it is ", "hm, ", "- "])
def test_endless_hesitation_freezes_nothing(lead: str) -> None:
    """Protects: no pattern takes exponential time."""
    start = time.perf_counter()
    named_choice(CHOICES, lead * 400 + "x")
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        ("a? no wait the second one", 1),
        ("A... no, sorry, C", 2),
        ("b i mean c", 2),
        ("only the time i think", 0),
        ("I'd say neither the time", 2),
        ("hmm tokens, too", 1),
        ("a but you told me that", 0),
        ("time", None),
        ("wait", None),
        ("no wait", None),
    ],
)
def test_corrections_and_beginnings(reply: str, index: int | None) -> None:
    """Protects: of two, what it was corrected to; a choice's first words stand for it."""
    choices = (
        "Only the time; the tokens stay the same",
        "The tokens, too: they change",
        "Neither the time nor the tokens",
    )
    assert read_words("What changes?", choices, reply).choice == index


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        ("two bc 60 + 25 is enough", 1),
        ("Two of course!", 1),
        ("the middle one", 1),
        ("the 2nd", 1),
        ("B ofc, that was easy", 1),
        ("the 3rd one i guess", 2),
        ("i was answering the quiz.. its c", 2),
        ("my answer was b", 1),
        ("two of them are the same", None),
        ("it is a", 0),
        ("what is a", None),
    ],
)
def test_reasons_and_late_letters(reply: str, index: int | None) -> None:
    """Protects: a choice's words before a reason pick it, and so does a letter that is called the answer."""
    assert read_words("How many does it keep?", ("One", "Two", "Three"), reply).choice == index


def test_every_labelled_reply_has_its_question(real_search: Search) -> None:
    """Protects: a prediction or quiz question that was reworded under its replies' key; a choice that nobody ever meant."""
    rows = load_labelled(real_search.knowledge)
    for demo in DEMOS:
        assert demo.prediction is not None
        meant = {row.choice for row in rows if row.question == demo.prediction.question}
        assert meant >= set(range(len(demo.prediction.choices))), demo.name


def test_a_wrong_line_is_named(tmp_path: Path, real_search: Search) -> None:
    """Protects: a label that is misspelt is found by its line."""
    path = tmp_path / "replies.tsv"
    path.write_text("# head\nprune\t7\tfaster\n")
    with pytest.raises(ValueError, match=r"replies\.tsv:2"):
        load_labelled(real_search.knowledge, path)


def test_a_file_of_another_version_is_told(tmp_path: Path) -> None:
    """Protects: weights that were fitted for other features."""
    with np.load(FITTED) as fitted:
        arrays = dict(fitted)
    np.savez(tmp_path / "replies.npz", **(arrays | {"which": np.ones(9)}))
    with pytest.raises(ValueError, match="make calibrate"):
        load_replies(FakeEmbedder(), unjudged, tmp_path / "replies.npz")


@pytest.mark.parametrize(
    ("name", "reply", "kind", "choice"),
    [
        ("quantize", "each number gets squeezed into a smaller space I'd say", "choice", 1),
        ("prune", "no change in speed whatsoever, I bet", "choice", 1),
        ("rag", "it gets more of them right with the notes, but still makes mistakes", "choice", 1),
        ("few_shot", "why would an example help?", "other", None),
        ("few_shot", "no clue, show me already", "skip", None),
        ("tokens", "thanks, that was nice", "other", None),
        # with the reason behind it the whole is unclear
        ("prune", "no change, because the zeros are still multiplied", "choice", 1),
        ("prune", "it stays just as fast I'd guess, as the zeros are still multiplied by the same kernel", "choice", 1),
    ],
)
def test_replies_in_own_words(real_tutor: Tutor, name: str, reply: str, kind: str, choice: int | None) -> None:
    """Protects: guesses that no rule knows, on the models that ship."""
    prediction = next(demo.prediction for demo in DEMOS if demo.name == name)
    assert prediction is not None and real_tutor.replies is not None
    read = real_tutor.replies.read(prediction.question, prediction.choices, reply)
    assert (read.kind, read.choice) == (kind, choice)
