"""Which sentences a note that is told whole has for a question."""

from __future__ import annotations

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from knowledge.search import Search
from tests.conftest import FakeEmbedder, hits_of
from tutor.composition import Composition
from tutor.whole import sentences_told_whole


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


def test_a_whole_note_is_told_in_its_order_and_then_the_answer_ends(knowledge: Knowledge) -> None:
    """The grammar leaves the model no choice, unless all of it has just been told."""
    mentions, notes = Mentions(knowledge.concepts), hits_of(*knowledge.passages[:4])
    side_by_side = next(p for p in knowledge.passages if p.kind == "contrast")
    for told, whole in (((), True), ([(side_by_side.id, 0), (side_by_side.id, 1)], False)):
        composition = Composition(
            "cats vs dogs", notes, FakeEmbedder(), (), mentions=mentions, told=told, wish="contrast"
        )
        taken, said = (), []
        while len(allowed := composition.allowed(taken)) == 1 and allowed[0].text:
            taken += (allowed[0],)
            said.append(composition.pieces[allowed[0].key].sentence)
        assert (said == list(side_by_side.sentences)) == whole
