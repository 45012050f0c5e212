"""Retrieval: the passage that answers stands first, and both sides of a contrast are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from knowledge.classifier import AnswerWords
from knowledge.coverage import FEATURES
from knowledge.passages import Ask, Knowledge, Passage
from knowledge.search import Part, Search
from tests.conftest import classifier_of, coverage_of, make_search


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("What are cats?", "what-cats-are"),
        ("dogs definition", "what-dogs-are"),
        ("difference between cats and dogs", "cats-and-dogs-side-by-side"),
        ("Are cats small dogs?", "cats-are-small-dogs"),
        ("Define espresso", "what-coffee-is"),
    ],
)
def test_the_answering_passage_is_first(search: Search, query: str, first: str) -> None:
    """Authored questions, aliases and contrasts lead to their passage."""
    assert search.search(query).hits[0].passage.id.endswith(f"#{first}")


def test_k_hits_best_first(search: Search) -> None:
    """k passages come back, each once, in falling order; k beyond the notes gives all."""
    hits = search.search("What are cats?", 3).hits
    assert len(hits) == 3 == len({hit.passage.id for hit in hits})
    assert [hit.fused for hit in hits] == sorted((hit.fused for hit in hits), reverse=True)
    assert len(search.search("What are cats?", 100).hits) == 6


def test_each_part_has_its_passage(search: Search) -> None:
    """What answers the second question of a message is among the notes, however strongly the first draws them."""
    whole = "What are cats, what are cats, what are cats, and what is tea?"
    parts = (Part("What are cats?"), Part("What is tea?"))
    found = search.search(whole, 2, parts=parts).hits
    assert [hit.passage.id.partition("#")[2] for hit in found] == ["what-cats-are", "what-tea-is"]
    assert len(search.search(whole, 1, parts=parts).hits) == 1


def test_a_part_is_found_as_it_was_read(search: Search) -> None:
    """Protects: "and when is it ready?" finds what its vector, read in context, lies near, not what its words do."""
    read = Part("and when is it ready?", search.tuned.embed(["What is tea?"])[0], "tea")
    found = search.search("What are cats, and when is it ready?", 2, parts=(Part("What are cats?"), read)).hits
    assert "what-tea-is" in [hit.passage.id.partition("#")[2] for hit in found]


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_an_error(search: Search, k: int) -> None:
    """A senseless k is refused with its value."""
    with pytest.raises(ValueError, match=str(k)):
        search.search("cats", k)


def test_a_far_question_is_not_covered(search: Search) -> None:
    """The nearest passages come back with the finding that they do not answer."""
    found = search.search("zebra migration in Kenya")
    assert not found.covered and found.confidence < 0 and len(found.hits) == 4


def test_every_named_side_has_a_passage(knowledge: Knowledge) -> None:
    """However strongly one side draws the hits, each named side is among them."""
    cats = knowledge.by_id["cats-vs-dogs"].passages[0]
    crowd = tuple(
        replace(cats, id=f"cats-vs-dogs#{i}", asks=(Ask("cats or tea or coffee, which?"),), text=f"Cats cats {i}.")
        for i in range(6)
    )
    concepts = (replace(knowledge.by_id["cats-vs-dogs"], passages=crowd), knowledge.by_id["tea-vs-coffee"])
    hits = make_search(Knowledge(concepts)).search("cats or tea or coffee, which?", 4).hits
    assert len(hits) == 4
    assert {"cats", "tea", "coffee"} <= {side for hit in hits for side in hit.passage.about}


@pytest.mark.parametrize("query", ["", " ", "🙂", "\x00", "<b>cats</b>", "汉字", "cats " * 20_000])
def test_any_text_can_be_searched(search: Search, query: str) -> None:
    """Nothing that can be typed makes search fail or give a number that is none."""
    found = search.search(query)
    assert (
        len(found.hits) == 4 and np.isfinite([hit.fused for hit in found.hits]).all() and np.isfinite(found.confidence)
    )


def test_searching_changes_nothing(search: Search) -> None:
    """The same query gives the same hits, whatever was searched in between."""
    before = search.search("What are cats?")
    search.search("tea and coffee")
    assert search.search("What are cats?") == before


@pytest.mark.parametrize(
    ("query", "concept"),
    [
        ("What is the difference between pruning and quantization?", "pruning-vs-quantization"),
        ("LoRA vs QLoRA", "full-fine-tuning-vs-lora-vs-qlora"),
        ("what does top-p do", "temperature-vs-top-k-vs-top-p"),
    ],
)
def test_the_shipped_notes_are_found(real_search: Search, query: str, concept: str) -> None:
    """With the real embedder a plain question finds its set."""
    assert real_search.search(query).hits[0].passage.concept == concept


def test_a_set_that_is_talked_of_comes_before_its_neighbours(search: Search) -> None:
    """Protects: a follow-up whose words fit another set as well is answered from the one in play."""
    query = "quokka?"
    for concept in ("cats-vs-dogs", "tea-vs-coffee"):
        assert search.search(query, 1, concept).hits[0].passage.concept == concept


def test_a_vector_stands_for_the_query(search: Search) -> None:
    """Protects: a follow-up is found by what it meant, however little its words say."""
    meant = search.tuned.embed(["How long do cats sleep?"])[0]
    near, nothing = (search.search("and that?", vector=vector).hits[0] for vector in (meant, None))
    assert near.score > 0.5 > nothing.score
    nearest, full = search.features("and that?", vector=meant)[0], search.features("How long do cats sleep?")[0]
    assert nearest == full


SLEEP, FETCH = "Cats sleep 16 hours a day.", "Dogs fetch sticks from cold water."


def taught(passages: Sequence[Passage], words: Mapping[str, str]) -> Mapping[str, str]:
    """The words, and one that nobody types for each other sentence of the passages."""
    others = (sentence for passage in passages for sentence in passage.sentences if sentence not in words.values())
    return {**words, **{f"zzz{place}": sentence for place, sentence in enumerate(others)}}


def test_what_was_learned_of_words_raises_the_passage(knowledge: Knowledge) -> None:
    """Protects: a question in words that no note has, of which teaching knows what they ask."""
    dogs = next(passage for passage in knowledge.passages if FETCH in passage.sentences)
    learned = AnswerWords(knowledge.passages, classifier_of(taught(knowledge.passages, {"retrieving": FETCH})))
    found = make_search(knowledge, learned=learned).search("retrieving?")
    assert found.hits[0].passage.id == dogs.id
    assert found.hits[0].fused > make_search(knowledge).search("retrieving?").hits[0].fused


def test_notes_that_nobody_taught_are_found_as_before(knowledge: Knowledge) -> None:
    """Protects: a class's own notes beside those that ship, whatever the classifier makes of a question about them."""
    dogs = next(passage for passage in knowledge.passages if FETCH in passage.sentences)
    learned = AnswerWords(knowledge.passages, classifier_of(taught([dogs], {"cats": FETCH})))
    search, query = make_search(knowledge, learned=learned), "What are cats?"
    assert SLEEP in search.search(query).hits[0].passage.sentences
    assert len(search.features(query)) == len(FEATURES) - 1, "nor are they called strange"
    assert AnswerWords((), classifier_of({"cats": FETCH})).references == ()


def test_what_was_learned_to_be_strange_counts_against_an_answer(knowledge: Knowledge) -> None:
    """Protects: a question in the notes' own words that nothing answers, of which teaching knows that nothing does."""
    learned = AnswerWords(knowledge.passages, classifier_of(taught(knowledge.passages, {}), none="hamsters"))
    search = make_search(knowledge, coverage_of(near=1.0, bias=-0.5, strange=-1.0), learned)
    query = "What are cats to hamsters?"
    assert search.features(query)[-1] == pytest.approx(learned.strangeness(query)) and learned.strangeness(query) > 0
    assert not search.search(query).covered and make_search(knowledge).search("What are cats?").covered


def test_what_a_reader_doubts_is_not_answered(knowledge: Knowledge) -> None:
    """Protects: a question near the notes' own of which the language model finds that nothing answers it; of notes that it was not taught its doubt tells nothing."""
    learned = AnswerWords(knowledge.passages, classifier_of(taught(knowledge.passages, {})))
    for knows, answered in ((learned, False), (None, True)):
        search = make_search(knowledge, coverage_of(near=1.0, bias=-0.5), knows)
        assert search.search("What are cats?", doubt=(-2.0, -0.1)).covered
        assert search.search("What are cats?", doubt=(2.0, -3.0)).covered is answered


def test_a_question_almost_as_near_to_untaught_notes_is_not_called_strange(knowledge: Knowledge) -> None:
    """Protects: a class's own notes, which have few questions, where a taught one lies a hair nearer."""
    cats, dogs = (next(p for p in knowledge.passages if said in p.sentences) for said in (SLEEP, FETCH))
    learned = AnswerWords((cats, dogs), classifier_of(taught([cats], {})))
    alike = replace(dogs, asks=cats.asks)
    concept = knowledge.by_id["cats-vs-dogs"]
    for theirs, known in ((alike, len(FEATURES) - 1), (dogs, len(FEATURES))):
        notes = Knowledge((replace(concept, passages=(cats, theirs)),))
        assert len(make_search(notes, learned=learned).features(cats.asks[0].text)) == known
