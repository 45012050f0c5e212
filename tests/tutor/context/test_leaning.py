"""Whether a question leans on what was said before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.passages import Knowledge
from knowledge.search import Search
from tests.conftest import coverage_of, make_search
from tutor.context.leaning import FEATURES, Leaning, features, load_leaning
from tutor.events import Exchange
from tutor.followup import read_in_dialogue, topic_of

NOTHING = dict.fromkeys(FEATURES, 0.0)


def weighing(**weights: float) -> Leaning:
    """Only the named features count; blanks are written as underscores."""
    named = {name.replace("_", " "): weight for name, weight in weights.items()}
    return Leaning(tuple({**NOTHING, **named}.values()), 0.0)


def of(question: str, search: Search, filled_in: str = "") -> dict[str, float]:
    """The features by name, after talk of cats."""
    return dict(
        zip(FEATURES, features(question, filled_in or f"Cats: {question}", "cats-vs-dogs", search), strict=True)
    )


def test_what_retrieval_finds_with_and_without_the_topic_counts(search: Search) -> None:
    """A question that finds more with its topic leans; one that finds as much without it does not."""
    leaning = weighing(best_with_topic=1.0, best_alone=-1.0)
    assert leaning.leans("how long do they sleep", "How long do cats sleep?", "cats-vs-dogs", search)
    assert not leaning.leans("How long do cats sleep?", "How long do cats sleep?", "cats-vs-dogs", search)


def test_wording_counts(search: Search) -> None:
    """A pronoun and a joint speak for what came before, unknown words and names of other sets against it."""
    assert of("and do they purr?", search)["pronoun"] == 1 and of("and do they purr?", search)["joint"] == 1
    assert of("do cats purr?", search)["pronoun"] == 0 and of("do cats purr?", search)["names the set"] == 1
    assert of("is green tea bitter?", search)["names other sets"] == 1
    assert of("zyzzyva quokka?", search)["strange words"] == 2
    assert of("is it true that cats purr?", search)["pronoun for something else"] == 1


def test_what_the_notes_surely_do_not_cover_is_another_subject(knowledge: Knowledge) -> None:
    """Protects: after talk of cats, "who won the world cup?" is not answered with cats; what points back may be about them."""
    foreign = make_search(knowledge, coverage_of(0.0, -5.0))
    leaning = Leaning(weighing().weights, 1.0)
    assert not leaning.leans("who won the big world cup?", "Cats: who won the big world cup?", "cats-vs-dogs", foreign)
    assert leaning.leans(
        "and who won the big cup for it?", "Cats: who won the big cup for it?", "cats-vs-dogs", foreign
    )


def test_what_names_another_set_and_points_nowhere_is_asked_of_that(search: Search) -> None:
    """Protects: after talk of cats, "is green tea really very bitter?" is not asked of cats, however the weights stand."""
    leaning = Leaning(weighing().weights, 1.0)
    assert not leaning.leans("is green tea really very bitter?", "Cats: is green tea …?", "cats-vs-dogs", search)
    assert leaning.leans("and is it as bitter as green tea?", "Cats: is it as bitter …?", "cats-vs-dogs", search)


@pytest.mark.parametrize("question", ["", "?", "and", "🙂" * 300, "it " * 600, "((("])
def test_any_text_has_features(search: Search, question: str) -> None:
    """Whatever is typed can be weighed."""
    assert len(of(question, search)) == len(FEATURES)


def test_a_file_that_does_not_fit_is_named(tmp_path: Path) -> None:
    """Weights of another version are refused, with the command that makes new ones."""
    path = tmp_path / "leaning.json"
    path.write_text(json.dumps({"weights": {"pronoun": 1.0}, "bias": 0.0}))
    with pytest.raises(ValueError, match="make calibrate"):
        load_leaning(path)


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("does that hurt the answers much?", True),
        ("has anybody actually measured that?", True),
        ("What is LoRA?", False),
        ("how do I prune my roses in spring?", False),
        ("what does the router in a mixture of experts do?", False),
    ],
)
def test_the_fitted_weights_tell_them_apart(real_search: Search, question: str, leans: bool) -> None:
    """After "What is pruning?", with the shipped notes."""
    topic = topic_of([Exchange("What is pruning?", "Pruning removes weights [1].")], real_search)
    assert topic is not None
    read = read_in_dialogue(question, topic, "Pruning removes weights [1].", real_search)
    found = load_leaning().leans(question, f"Pruning: {question}", "pruning-vs-quantization", real_search, read)
    assert found is leans
