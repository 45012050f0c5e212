"""What a chosen answer may hold: the notes' own sentences, each at most once, in their order."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge, Polarity
from knowledge.sentences import cited
from tests.conftest import FakeEmbedder, hits_of
from tutor.choosing.composition import LONGEST_ANSWER, Composition
from tutor.choosing.evidence import Piece
from tutor.choosing.outputs import Behind
from tutor.choosing.taught import Votes
from tutor.choosing.weighing import END, FIRST, LATER, OPENING, UNSURE_BESIDE_WORDS, least_lead, load_weighing
from tutor.context.lately import Lately
from tutor.engines.base import Branch
from tutor.verdict.polarity import contradicts


def compose(knowledge: Knowledge, *openings: Polarity) -> Composition:
    """The grammar over the first four notes."""
    return Composition("What are cats?", hits_of(*knowledge.passages[:4]), FakeEmbedder(), openings)


def walk(composition: Composition, *wanted: str) -> tuple[tuple[Branch, ...], list[Piece]]:
    """Take the branches whose pieces begin with the wanted words; returns them and what may follow."""
    taken: tuple[Branch, ...] = ()
    for start in wanted:
        taken += (next(b for b in composition.allowed(taken) if b.text.startswith(start)),)
    return taken, [composition.pieces[branch.key] for branch in composition.allowed(taken)]


def test_sentences_are_the_notes_own(knowledge: Knowledge) -> None:
    """Everything offered first is a note's sentence with its citation, word for word."""
    _, pieces = walk(compose(knowledge))
    own = {cited(s, n) for n, p in enumerate(knowledge.passages[:4], 1) for s in p.sentences}
    assert pieces and {piece.text for piece in pieces} <= own and all(piece.kind == "sentence" for piece in pieces)


def test_nothing_is_said_twice_and_a_note_keeps_its_order(knowledge: Knowledge) -> None:
    """After a note's second sentence neither it nor the first may follow."""
    _, pieces = walk(compose(knowledge), "Cats sleep")
    offered = {piece.text for piece in pieces}
    assert not any(text.startswith(("Cats sleep", "Cats purr")) for text in offered)
    assert "" in offered


def test_an_answer_cannot_be_empty(knowledge: Knowledge) -> None:
    """The end is offered only once something was said."""
    for openings in ((), ("yes",), ("yes", "no")):
        assert all(piece.kind != "end" for piece in walk(compose(knowledge, *openings))[1])
    _, after = walk(compose(knowledge, "yes"), "Yes.")
    assert after and all(piece.kind == "sentence" for piece in after)


@pytest.mark.parametrize("opening", ["yes", "no"])
def test_a_settled_opening_is_the_only_beginning(knowledge: Knowledge, opening: Polarity) -> None:
    """Where the author settled Yes or No, the answer begins with it and says it once."""
    composition = compose(knowledge, opening)
    assert [composition.pieces[b.key].text for b in composition.allowed(())] == [opening.capitalize() + "."]
    assert all(piece.kind != "opening" for piece in walk(composition, opening.capitalize())[1])


def test_an_open_polarity_is_chosen_once(knowledge: Knowledge) -> None:
    """Where both openings are possible the answer begins with one of them, and neither follows."""
    sure = replace(load_weighing(), yes=1.1 * least_lead(0.0, False, 0))
    composition = Composition(
        "Do cats purr?", hits_of(*knowledge.passages[:4]), FakeEmbedder(), ("yes", "no"), weighing=sure
    )
    assert [piece.text for piece in walk(composition)[1]] == ["Yes.", "No."]
    assert all(piece.kind != "opening" for piece in walk(composition, "No.")[1])


def test_an_opening_must_be_surer_where_words_are_asked_for_or_another_sentence_may_answer_or_much_was_said() -> None:
    """Protects: "Yes." before the answer to "… and why?", before a sentence that hardly leads, or late in a talk rests on more."""
    assert least_lead(40.0, False, 1) < least_lead(40.0, False, 2) < least_lead(10.0, False, 1)
    assert least_lead(80.0, True, 0) == UNSURE_BESIDE_WORDS > least_lead(80.0, False, 0)
    assert least_lead(10.0, True, 5) == least_lead(10.0, False, 5)


@pytest.mark.parametrize("turns", [0, 4])
@pytest.mark.parametrize(("more", "said"), [(0.9, False), (1.1, True)])
def test_an_opening_is_said_from_its_least_lead_on(knowledge: Knowledge, more: float, said: bool, turns: int) -> None:
    """Protects: what least_lead says of the notes at hand is what counts."""
    notes = hits_of(*knowledge.passages[:4])
    plain = Composition("Do cats purr?", notes, FakeEmbedder(), ("yes", "no"))
    weighing = replace(load_weighing(), yes=more * least_lead(plain.lead_of_first(), False, turns))
    asked = Composition("Do cats purr?", notes, FakeEmbedder(), ("yes", "no"), weighing=weighing, lately=Lately(turns))
    assert (walk(asked)[1][0].kind == "opening") is said


@pytest.mark.parametrize(("read", "begins"), [(20.0, "Yes."), (-20.0, "No."), (0.0, None)])
def test_a_guess_is_not_said(knowledge: Knowledge, read: float, begins: str | None) -> None:
    """Protects: Yes and No are said where question and sentence tell which; else the sentence stands by itself."""
    readers = SimpleNamespace(log_odds=lambda question, sentence, context="": (read, read / 2))
    weighing = replace(load_weighing(), opening=(0.0, 5.0, 10.0, 0.0, 0.0), yes=0.0)
    notes = hits_of(*knowledge.passages[:4])
    composition = Composition("Do cats purr?", notes, FakeEmbedder(), ("yes", "no"), weighing=weighing, readers=readers)
    branches = composition.allowed(())
    best = composition.pieces[max(branches, key=lambda branch: branch.bias).key]
    assert best.text == begins if begins else all(composition.pieces[b.key].kind == "sentence" for b in branches)


def test_neither_a_picture_nor_another_parts_answer_confirms_a_claim(knowledge: Knowledge) -> None:
    """Protects: "Is it like a desk? My nephew says it never forgets, is he right?" gets no Yes for the desk, nor "Does it change? And how much memory?" a No before the memory."""
    readers = SimpleNamespace(log_odds=lambda question, sentence, context="": (20.0, 20.0))
    weighing = replace(load_weighing(), opening=(0.0, 5.0, 10.0, 0.0, 0.0), yes=0.0)

    def opens(query: str, kind: str, votes: Votes) -> bool:
        notes = [replace(hit, passage=replace(hit.passage, kind=kind)) for hit in hits_of(*knowledge.passages[:4])]
        asked = Composition(query, notes, FakeEmbedder(), ("yes", "no"), votes, weighing=weighing, readers=readers)
        return asked.pieces[asked.allowed(())[0].key].kind == "opening"

    nephew = "Is a cat like a dog? My nephew says that cats purr, is he right?"
    assert opens(nephew, "definition", Votes()) and not opens(nephew, "analogy", Votes())
    assert opens("Is a cat like a dog?", "analogy", Votes())
    both = "Do cats purr? And how heavy are dogs?"
    references = [
        (hit.passage.id, i) for hit in hits_of(*knowledge.passages[:4]) for i, _ in enumerate(hit.passage.sentences)
    ]
    sure, hardly = ({reference: vote for reference in references} for vote in (0.95, 0.2))
    for claimed, other, said in ((sure, hardly, True), (hardly, sure, False), (hardly, hardly, True)):
        parts = Votes(query="Do cats purr?", read=claimed), Votes(query="How heavy are dogs?", read=other)
        assert opens(both, "definition", Votes(parts=parts)) is said


def test_what_the_language_model_reads_behind_the_likeliest_sentence_counts_for_the_opening(
    knowledge: Knowledge,
) -> None:
    """Protects: the third of those that tell Yes from No is asked, in its own place."""
    readers = SimpleNamespace(log_odds=lambda question, sentence, context="": (0.0, 0.0))
    votes = Votes(reads_on=lambda said: Behind({}, 0.5, 0.8, 0.1))
    notes = hits_of(*knowledge.passages[:4])
    composition = Composition("Do cats purr?", notes, FakeEmbedder(), ("yes", "no"), votes, readers=readers)
    hints = dict(zip(OPENING, composition.opening_hints(), strict=True))
    assert hints["reads on"] == pytest.approx(np.log(8), abs=1e-2) and hints["reader"] == hints["causal reader"] == 0


def test_a_follow_up_is_read_with_what_it_goes_on_from(knowledge: Knowledge) -> None:
    """Protects: "and is that so for big ones?" is told Yes or No behind the question and answer before it, not as a rule words it."""
    read: list[str] = []
    readers = SimpleNamespace(log_odds=lambda question, sentence, context="": (read.append(context), (0.0, 0.0))[1])
    notes = hits_of(*knowledge.passages[:4])
    Composition(
        "Do cats purr?",
        notes,
        FakeEmbedder(),
        ("yes", "no"),
        readers=readers,
        context="Dogs?\nDogs bark.\nQuestion: cats?",
    ).allowed(())
    assert read == ["Dogs?\nDogs bark.\nQuestion: cats?"]


def test_no_opening_without_an_author(knowledge: Knowledge) -> None:
    """The model cannot say Yes or No by itself."""
    assert all(piece.text not in ("Yes.", "No.") for piece in compose(knowledge).pieces)


def test_an_answer_ends(knowledge: Knowledge) -> None:
    """Taking the first branch again and again stops at the longest answer, and the end closes it."""
    composition = compose(knowledge)
    taken: tuple[Branch, ...] = ()
    while allowed := composition.allowed(taken):
        taken += (allowed[0],)
        assert len(taken) <= LONGEST_ANSWER + 1
    end = walk(compose(knowledge), "Cats purr")[0] + (Branch("", len(composition.pieces) - 1),)
    assert composition.allowed(end) == []


@pytest.mark.parametrize(
    ("sentence", "notes", "text"),
    [
        ("Cats purr.", (1,), "Cats purr [1]."),
        ("Why?", (2,), "Why [2]?"),
        ("Cats purr", (3,), "Cats purr [3]."),
        ("Both.", (1, 2), "Both [1] [2]."),
        ('It says "meow."', (4,), 'It says "meow [4]."'),
    ],
)
def test_citations_stand_before_the_full_stop(sentence: str, notes: tuple[int, ...], text: str) -> None:
    """A citation belongs to its sentence."""
    assert cited(sentence, *notes) == text


def test_a_contradicting_sentence_is_weighed_down_after_yes(knowledge: Knowledge) -> None:
    """The same sentence costs more after Yes than after No, so that another one comes first."""
    hits = hits_of(*knowledge.passages[:4])

    def biases(opening: Polarity) -> dict[str, float]:
        composition = Composition("Do cats bark?", hits, FakeEmbedder(), (opening,))
        return {b.text: b.bias for b in composition.allowed((composition.allowed(())[0],))}

    yes, no = biases("yes"), biases("no")
    denying = [text for text in yes if contradicts("yes", "Do cats bark?", text)]
    assert denying and all(yes[text] < no[text] for text in denying)


def test_only_differences_of_biases_count(knowledge: Knowledge) -> None:
    """Whatever was said, the best that may follow, a sentence or the end, has bias 0: the model's likelihoods are not drowned."""
    composition = compose(knowledge)
    taken, _ = walk(composition, "Cats sleep")
    for chosen in ((), taken):
        assert max(b.bias for b in composition.allowed(chosen)) == 0


def test_untaught_notes_are_read_from_their_start(knowledge: Knowledge) -> None:
    """Protects: a class's own notes, where no teacher said which sentence answers: the first one is likeliest to."""
    hints = {
        piece.text: compose(knowledge).evidence.first_hints(key, "")
        for key, piece in enumerate(compose(knowledge).pieces[:2])
    }
    first, second = hints.values()
    assert first[FIRST.index("vote")] > second[FIRST.index("vote")]


def later_hint(composition: Composition, said: str, name: str) -> dict[str, float]:
    """A hint of each sentence once the one that begins so is said, by the sentences' first words."""
    pieces = [piece for piece in composition.pieces if piece.kind == "sentence"]
    place = next(key for key, piece in enumerate(pieces) if piece.sentence.startswith(said))
    return {
        piece.sentence: composition.evidence.later_hints(key, (place,))[LATER.index(name)]
        for key, piece in enumerate(pieces)
        if key != place
    }


def test_a_sentence_for_the_part_that_is_left_counts_more(knowledge: Knowledge) -> None:
    """Protects: a question in two parts is not over when its first is answered."""
    cats, dogs = knowledge.passages[0].sentences[0], knowledge.passages[1].sentences[0]
    votes = Votes(parts=(Votes(query=cats), Votes(query=dogs)))
    composition = Composition("?", hits_of(*knowledge.passages[:4]), FakeEmbedder(), (), votes)
    gains = later_hint(composition, cats, "tuned of a part")
    assert max(gains, key=lambda sentence: gains[sentence]) == dogs
    left = END.index("parts left")
    assert composition.evidence.end_hints((0,))[left] == 1 and composition.evidence.end_hints((0, 1))[left] == 0


def test_the_first_sentence_on_a_named_side_counts_more(knowledge: Knowledge) -> None:
    """Protects: who asks about two sides hears of both."""
    hits, mentions = hits_of(*knowledge.passages[:4]), Mentions(knowledge.concepts)
    composition = Composition("What do cats and dogs do?", hits, FakeEmbedder(), (), mentions=mentions)
    new = later_hint(composition, knowledge.passages[0].sentences[0], "new side")
    assert all(value == float("dogs" in mentions.sides(sentence)) for sentence, value in new.items())
    assert set(new.values()) == {0.0, 1.0}


def test_a_list_of_sides_is_not_broken_off(knowledge: Knowledge) -> None:
    """Protects: "the difference between a, b and c" tells c, where the note tells one a sentence."""
    listed = replace(
        knowledge.passages[0],
        text="Cats, dogs and tea differ. Cats purr on the sofa. Dogs bark at the door. Tea steams in a cup.",
    )
    mentions = Mentions(knowledge.concepts)

    def may_end(question: str, *wanted: str) -> bool:
        composition = Composition(question, hits_of(listed), FakeEmbedder(), (), mentions=mentions)
        _, pieces = walk(composition, *wanted)
        return any(piece.kind == "end" for piece in pieces)

    three = "What is the difference between cats, dogs and tea?"
    assert may_end(three, "Cats purr") and not may_end(three, "Cats, dogs", "Cats purr", "Dogs")
    assert may_end("What is the difference between cats and dogs?", "Cats purr", "Dogs")


def test_what_the_answer_before_told_is_known(knowledge: Knowledge) -> None:
    """A follow-up's hints tell apart what was said a moment ago."""
    passage = knowledge.passages[0]
    composition = Composition("?", hits_of(passage), FakeEmbedder(), (), told=[(passage.id, 1)])
    told = FIRST.index("told before")
    assert [composition.evidence.first_hints(key, "")[told] for key in (0, 1)] == [0.0, 1.0]


def test_what_was_said_lately_is_not_said_first_once_more(knowledge: Knowledge) -> None:
    """Protects: who asks on and would hear the same sentence hears another one; a confirmation may rest on it again."""
    hits = hits_of(*knowledge.passages[:2])
    plain = Composition("Do cats purr?", hits, FakeEmbedder(), ())
    first = max(plain.allowed(()), key=lambda branch: branch.bias).key
    stale = plain.evidence.references[first]
    anew = Composition("Do cats purr?", hits, FakeEmbedder(), (), lately=Lately(1, frozenset({stale})))
    assert first not in {branch.key for branch in anew.allowed(())}
    other = next(reference for reference in plain.evidence.references if reference != stale)
    assert len(
        Composition("Do cats purr?", hits, FakeEmbedder(), (), lately=Lately(1, frozenset({other}))).allowed(())
    ) == len(plain.allowed(()))
    confirmed = Composition("Do cats purr?", hits, FakeEmbedder(), ("yes",), lately=Lately(1, frozenset({stale})))
    assert first in {confirmed.pieces.index(piece) for piece in walk(confirmed, "Yes.")[1]}
