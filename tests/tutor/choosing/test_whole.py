"""Which sentences a note that is told whole has for a question."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from knowledge.search import Search
from tests.conftest import FakeEmbedder, hits_of
from tutor.choosing.composition import Composition
from tutor.choosing.evidence import Piece
from tutor.choosing.whole import sentences_told_whole
from tutor.engines.base import Branch


def test_only_sides_that_are_asked_about_are_told(real_search: Search) -> None:
    """Of a picture of three, the sentences about the two in question, and what introduces them."""
    query = "eli5 pruning and quantization"
    told = sentences_told_whole("analogy", query, real_search.search(query).hits, real_search.mentions)
    assert [number for _, number in told] == [0, 1, 2]


def test_each_pair_of_sides_is_told_from_its_own_note(real_search: Search) -> None:
    """Protects: the note about exactly these two comes before one about three."""
    query = "What is the difference between pruning and quantization?"
    told = sentences_told_whole("contrast", query, real_search.search(query).hits, real_search.mentions)
    (name,) = {name for name, _ in told}
    passage = next(passage for passage in real_search.knowledge.passages if passage.id == name)
    assert passage.about == ("pruning", "quantization")
    assert len(told) == len(passage.sentences)


def test_all_of_a_set_is_told_where_no_name_is(real_search: Search) -> None:
    """Protects: "the three training phases" are the three of the set that is found."""
    query = "Explain the three training phases of a chatbot to my sister who runs a flower stall"
    hits = real_search.search(query, wanted="analogy").hits
    told = sentences_told_whole("analogy", query, hits, real_search.mentions)
    assert {name.partition("#")[0] for name, _ in told} == {"pretraining-vs-midtraining-vs-posttraining"}
    assert len(told) >= 3


@pytest.mark.parametrize(("told", "left"), [((), 2), ((0,), 1)])
def test_a_whole_note_is_told_in_its_order_and_then_the_answer_ends(
    knowledge: Knowledge, told: tuple[int, ...], left: int
) -> None:
    """The grammar leaves the model no choice, and what the turn before has told is not told again."""
    note = next(passage for passage in knowledge.passages if passage.kind == "contrast")
    said = [piece.sentence for piece in _forced(knowledge, [(note.id, number) for number in told])]
    assert said == [*note.sentences[-left:], ""]


def test_who_has_been_told_all_of_it_wants_something_else(knowledge: Knowledge) -> None:
    """Asked again, the answer is chosen."""
    note = next(passage for passage in knowledge.passages if passage.kind == "contrast")
    assert _forced(knowledge, [(note.id, 0), (note.id, 1)]) == []


def _forced(knowledge: Knowledge, told: Sequence[tuple[str, int]]) -> list[Piece]:
    """What the grammar lets follow as long as that is one thing only."""
    mentions, notes = Mentions(knowledge.concepts), hits_of(*knowledge.passages[:4])
    composition = Composition("cats vs dogs", notes, FakeEmbedder(), (), mentions=mentions, told=told, wish="contrast")
    taken: tuple[Branch, ...] = ()
    while len(allowed := composition.allowed(taken)) == 1:
        taken += (allowed[0],)
    return [composition.pieces[branch.key] for branch in taken]


def test_a_wanted_kind_is_among_the_notes(real_search: Search) -> None:
    """Protects: the picture is there to be told though other notes are nearer, and where there is none no note is lost."""
    query = "Which reward model does RLHF train first?"
    plain = real_search.search(query).hits
    assert all(hit.passage.kind != "analogy" for hit in plain)
    found = real_search.search(query, wanted="analogy").hits
    assert found[-1].passage.kind == "analogy" and "rlhf" in found[-1].passage.about and found[:-1] == plain[:-1]
    assert real_search.search(query, wanted="no such kind").hits == plain
