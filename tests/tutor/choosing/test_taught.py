"""What was taught votes for what an answer says next, the nearest question loudest."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge.classifier import AnswerWords
from knowledge.passages import Ask, Knowledge, Reference
from knowledge.search import Hit, Part, Search
from tests.conftest import FakeEmbedder, classifier_of
from tutor.choosing.composition import Composition
from tutor.choosing.outputs import Behind, Named
from tutor.choosing.taught import NO_VOTES, SHARPNESS, SILENCE, Taught, Votes
from tutor.distill.examples import Example

CATS, DOGS = "cats-vs-dogs#what-cats-are", "cats-vs-dogs#what-dogs-are"
EXAMPLES = (
    Example("1", "How long do cats sleep?", None, ((CATS, 1), (CATS, 0))),
    Example("2", "Do dogs bark at postmen?", "yes", ((DOGS, 0),)),
    Example("3", "Who wins the cup?", None, ()),
)


def test_the_same_question_votes_with_one_and_only_its_first_sentence_leads() -> None:
    """Protects: what an answer begins with is told from what follows in it."""
    votes = Taught(EXAMPLES, FakeEmbedder()).votes("How long do cats sleep?")
    assert votes.first[CATS, 1] == pytest.approx(1.0, abs=1e-3)
    assert (CATS, 0) not in votes.first
    assert votes.first[DOGS, 0] == SILENCE


def test_after_a_sentence_its_own_answers_vote() -> None:
    """Protects: the teacher's answer goes on as she wrote it, and ends where she ended."""
    votes = Taught(EXAMPLES, FakeEmbedder()).votes("How long do cats sleep?")
    more, end = votes.after([(CATS, 1)])
    assert more == {(CATS, 0): pytest.approx(1.0, abs=1e-3)} and end == SILENCE
    more, end = votes.after([(CATS, 1), (CATS, 0)])
    assert more == {} and end == pytest.approx(1.0, abs=1e-3)
    assert votes.after([(CATS, 1), (DOGS, 0)]) == ({}, SILENCE)
    assert votes.after([("unknown", 0)]) == ({}, SILENCE)


def test_what_was_learned_votes_beside_and_an_edited_sentence_keeps_its_vote(knowledge: Knowledge) -> None:
    """Protects: the classifier's say in an answer, and a sentence that it does not know."""
    learned = AnswerWords(knowledge.passages, classifier_of({"postmen": "Dogs bark loudly at every postman."}))
    votes = Taught(EXAMPLES, FakeEmbedder(), learned=learned).votes("How long do cats sleep?")
    assert votes.learned[DOGS, 0] == pytest.approx(1.0, abs=1e-3)  # it knows no other
    assert votes.learned[CATS, 1] == votes.first[CATS, 1] == pytest.approx(1.0, abs=1e-3)
    assert Taught(EXAMPLES, FakeEmbedder()).votes("How long do cats sleep?").learned.keys() == votes.first.keys()


class Reads:
    """Takes each text for what the script says, and remembers what it was given."""

    def __init__(self, **shares: float) -> None:
        self.given: list[str] = []
        self._shares = {(CATS, 1): shares["cats"]}

    def load(self) -> None: ...

    def named(self, texts: Sequence[str]) -> list[Named]:
        self.given += texts
        return [Named(self._shares, -1.5)] * len(texts)

    def behind(self, text: str, said: Sequence[Reference]) -> Behind | None:
        self.given.append(f"{text} behind {len(said)}")
        return None


def test_what_is_read_votes_beside_and_a_follow_up_is_read_behind_what_it_goes_on_from() -> None:
    """Protects: the language model's say, for the whole and for each part; what it does not know keeps its vote."""
    reads = Reads(cats=0.5)
    taught = Taught(EXAMPLES, FakeEmbedder(), reads=reads)
    parts = [Part("how long?"), Part("Cats: why?", context="how long?\nQuestion: why?")]
    votes = taught.votes("Cats or dogs: how long?", parts, context="Cats sleep. how long?")
    assert reads.given == ["Cats sleep. how long?", "how long?", "how long?\nQuestion: why?"]
    half = 1 + SHARPNESS * np.log(0.5)
    assert votes.read[CATS, 1] == pytest.approx(half) == votes.parts[1].read[CATS, 1]
    assert votes.read[DOGS, 0] == votes.first[DOGS, 0]
    assert votes.passages_read() == {CATS} and NO_VOTES.passages_read() == frozenset()
    for _ in range(2):
        assert votes.behind(((CATS, 0),)) is NO_VOTES.behind(((CATS, 0),)) is None
    assert reads.given[3:] == ["Cats sleep. how long? behind 1"]  # asked once, as the question was read


def test_several_questions_speak_louder_than_one() -> None:
    """Protects: two like questions with one answer outvote one as near with another."""
    twice = (EXAMPLES[1], Example("4", "Do dogs bark at postmen?", "yes", ((DOGS, 0),)), EXAMPLES[0])
    votes = Taught(twice, FakeEmbedder()).votes("Do dogs bark at postmen?")
    assert votes.first[DOGS, 0] == pytest.approx(1 + SHARPNESS * np.log(2), abs=1e-3)


def test_only_yes_no_questions_lean() -> None:
    """Protects: Yes and No are voted for by questions that were answered so."""
    votes = Taught(EXAMPLES, FakeEmbedder()).votes("Do dogs bark at postmen?")
    assert votes.passages == {CATS, DOGS}
    assert votes.polarity == {"yes": pytest.approx(1.0, abs=1e-3)}


def test_parts_and_a_class_are_counted_at_once_as_each_alone() -> None:
    """Protects: what is multiplied in one go belongs to whoever asked."""
    taught = Taught(EXAMPLES, FakeEmbedder(), [Ask("Are dogs cats?", "no")])
    questions = [f"{example.query} {i}" for i in range(8) for example in EXAMPLES]
    alone = [taught.votes(question) for question in questions]
    with ThreadPoolExecutor(8) as learners:
        together = list(learners.map(taught.votes, questions))
    for one, other in zip(alone, together, strict=True):
        assert one.first == pytest.approx(other.first, abs=1e-5)
        assert one.polarity == pytest.approx(other.polarity, abs=1e-5)
    vectors = taught._tuned.embed(questions)
    lots = [vectors[:1], vectors[1:4], vectors[4:6]]
    for joined, lot in zip(taught._cosines(lots), lots, strict=True):
        np.testing.assert_allclose(joined, taught._cosines([lot])[0], atol=1e-6)
    whole = taught.votes(questions[0], [Part(question) for question in questions[1:3]])
    assert [part.query for part in whole.parts] == questions[1:3]
    assert [part.first for part in whole.parts] == [pytest.approx(votes.first, abs=1e-5) for votes in alone[1:3]]
    assert taught.votes("Are dogs cats?").polarity["no"] == pytest.approx(1.0, abs=1e-3)


def test_nothing_taught_votes_for_nothing(search: Search) -> None:
    """Protects: a class's own notes, for which no teacher wrote examples."""
    assert Taught((), search.embedder).votes("What are cats?") is NO_VOTES


def test_untaught_notes_are_not_outvoted(search: Search) -> None:
    """Protects: a class's own notes beside ours, for which no teacher wrote examples; the passage's own questions vote there."""
    cats, _, both = search.knowledge.passages[:3]
    hits = (Hit(both, 0.9, 1.0), Hit(cats, 0.2, 0.5))
    votes = Votes(first={(cats.id, 0): 0.4}, passages=frozenset({cats.id}))
    composition = Composition("cats or dogs", hits, FakeEmbedder(), (), votes=votes)
    best = max(composition.allowed(()), key=lambda branch: branch.bias)
    assert composition.pieces[best.key].n == 1


def test_a_vector_votes_in_the_place_of_its_question() -> None:
    """Protects: a follow-up gets the votes of what it meant."""
    embedder = FakeEmbedder()
    votes = Taught(EXAMPLES, embedder).votes("and how long?", vector=embedder.embed(["How long do cats sleep?"])[0])
    assert votes.first[CATS, 1] == pytest.approx(1.0, abs=1e-3) and votes.query == "and how long?"
