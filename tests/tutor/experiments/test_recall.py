"""Which runs a question is about, and what joins the notes for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demos.base import Demo, DemoResult, Table
from knowledge.search import Search
from tests.conftest import ScriptedEngine
from tutor.chat import Tutor
from tutor.events import Answered, Exchange
from tutor.experiments.experiment import WHY
from tutor.experiments.recall import aimed, recall, runs_of, topical, with_reasons
from tutor.experiments.runs import Run, RunNote, make_run
from tutor.followup import Standalone

DEMO = Demo("fake", "Feed the dogs", ("cats-vs-dogs",), (), lambda lab, params: iter(()), words="fake")
RESULT = DemoResult(
    "Feeding shrinks the bowl from 269 to 116 MB. Perplexity goes from 31.0 to 40.8: clearly worse. Barking ran at 42 instead of 20 tokens/s. Both ran in fp32, which is faster than bf16.",
    Table(("Measure", "Before", "After"), (("Size (MB)", "269.0", "116.4"),)),
    {"perplexity": 40.8},
)


def made(name: str = "fake") -> Run:
    """A run of the fake."""
    return make_run(name, DEMO.title, {"bits": 4}, 0, "Tiny", RESULT, "")


RAN = (Exchange("What are cats?", "Cats purr [1]."), Exchange("show me the fake", "It ran.", made()))


@pytest.fixture(autouse=True)
def demos(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake is the only experiment."""
    monkeypatch.setattr("tutor.chat.DEMOS", (DEMO,))


@pytest.mark.parametrize(
    ("question", "lead"),
    [
        ("why did it get worse?", "Perplexity"),
        ("why?", "Perplexity"),
        (WHY, "Perplexity"),
        ("how much smaller is it?", "Feeding"),
        ("and the speed?", "Barking"),
        ("why did R1 get slower?", "Barking"),
        ("so why did it not get faster?", "Barking"),
        ("is 40.8 bad?", "Perplexity"),
    ],
)
def test_a_question_about_the_run_leads_with_what_was_measured(search: Search, question: str, lead: str) -> None:
    """Its measure, its words, a pronoun right after it or its label make a question one about the run."""
    found = recall(question, RAN, (DEMO,), search)
    assert found.strongly and [note.label for note in found.notes] == ["R1"]
    told, *_ = found.notes[0].leads
    assert told.startswith(lead)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("what is the 116.4 for?", "In the table, Size (MB): Before 269.0; After 116.4."),
        ("hm, your run wrote 42, is that much for a poodle?", "Barking ran at 42 instead of 20 tokens/s."),
    ],
)
def test_a_number_of_the_run_is_told_where_it_stands(search: Search, question: str, told: str) -> None:
    """Protects: who asks about a cell of the table that was just shown is not told that no note holds it."""
    found = recall(question, RAN, (DEMO,), search)
    assert found.strongly and told in found.notes[0].leads and told in found.notes[0].passage.sentences


@pytest.mark.parametrize("question", ["did 42 postmen run?", "how much is a poodle of 1,164 kg?"])
def test_a_number_that_stands_there_by_chance_is_none_of_the_runs(search: Search, question: str) -> None:
    """Protects: a short number alone, or a part of a longer one, does not make a question one about the run."""
    assert not recall(question, RAN, (DEMO,), search).strongly


@pytest.mark.parametrize("question", ["so was it worth it?", "did it pay off?", "is that a good trade-off?"])
def test_whether_it_was_worth_it_is_told_by_all_that_was_measured(search: Search, question: str) -> None:
    """Protects: the first sentence on size, on quality and on speed; to tell of one alone would be half an answer. What was not measured, or is told once more, stays out."""
    summary = RESULT.summary.replace("Perplexity", "A smaller bowl is faster to clean. Perplexity").replace(
        "Barking", "Accuracy goes from 31 to 40. Barking"
    )
    ran = (RAN[0], replace(RAN[1], run=replace(made(), summary=summary)))
    found = recall(question, ran, (DEMO,), search)
    assert found.strongly and [told.split()[0] for told in found.notes[0].leads] == ["Feeding", "Perplexity", "Barking"]


def test_two_runs_leave_each_other_room(search: Search) -> None:
    """Protects: an answer has five sentences, and each of two runs is told of."""
    found = recall("was it worth it compared to R1?", (*RAN, Exchange("again", "It ran.", made())), (DEMO,), search)
    both = recall("were R1 and R2 worth it?", (*RAN, Exchange("again", "It ran.", made())), (DEMO,), search)
    assert len(found.notes[0].leads) == 3 and [len(note.leads) for note in both.notes] == [2, 2]


def test_where_nothing_is_weighed_something_is_told(search: Search) -> None:
    """Protects: a run that measured neither size, quality nor speed still answers "was it worth it?" itself."""
    run = replace(made(), summary="The bowl broke into 7 pieces. Nobody was hurt at all.")
    found = recall("was it worth it?", (Exchange("show me the fake", "It ran.", run),), (DEMO,), search)
    assert found.notes[0].leads == ("The bowl broke into 7 pieces.",)


@pytest.mark.parametrize(
    "question", ["How fast is a cheetah?", "Who won in 1998?", "Are cats faster?", "What is tea?", "", "🙂", "R7"]
)
def test_other_questions_are_left_alone(search: Search, question: str) -> None:
    """Another subject, another side or a run that never was brings no run in."""
    assert recall(question, RAN, (DEMO,), search).notes == ()
    assert recall("why did it get worse?", (Exchange(question, "…"),), (DEMO,), search).notes == ()


def test_the_last_run_is_meant_unless_another_is_named(search: Search) -> None:
    """ "It" is the latest run, [R1] the first, "than before" both."""
    history = (*RAN, Exchange("again", "It ran.", made()))
    labels = {
        question: [note.label for note in recall(question, history, (DEMO,), search).notes]
        for question in ("why did it get worse?", "why did R1 get worse?", "is it worse than before?")
    }
    assert list(labels.values()) == [["R2"], ["R1"], ["R1", "R2"]] and len(runs_of(history)) == 2


def test_two_runs_are_compared_where_the_question_is_read_so(search: Search) -> None:
    """Protects: "which one came out better?" hears both runs' numbers, and a question that is read as one about the run hears it whatever its words."""
    other = replace(made(), params={"bits": 8}, table=Table(RESULT.table.columns, (("Size (MB)", "269.0", "169.5"),)))
    history = (Exchange("show me the fake with 8 bits", "It ran.", other), *RAN[1:])
    found = recall("which filesize came out better?", history, (DEMO,), search, lambda question: "both")
    assert found.strongly and [note.label for note in found.notes] == ["R1", "R2"]
    assert found.notes[1].leads == (
        "Compared with the run with bits 8, the one with bits 4 has, in the column “After”, Size (MB) 116.4 instead of 169.5.",
    )
    named = recall("4 bits or 8 bits, what changed in size?", history, (DEMO,), search)
    assert named.notes[1].leads[0].startswith("Compared with")
    alone = recall("who filled that bowl?", history, (DEMO,), search, lambda question: "run")
    assert alone.strongly and [note.label for note in alone.notes] == ["R2"]
    assert not recall("who filled that bowl?", history, (DEMO,), search).strongly


def test_a_number_of_an_earlier_run_is_found_there(search: Search) -> None:
    """Protects: a quoted number is told from the run that holds it, although another ran since."""
    other = replace(made(), summary="The bowl shrank to 169.5 MB.")
    history = (Exchange("show me the fake with 8 bits", "It ran.", other), *RAN[1:])
    found = recall("where does the 169.5 come from?", history, (DEMO,), search)
    assert found.strongly and [note.label for note in found.notes] == ["R1"]


def test_numbers_are_quoted_as_people_type_them(search: Search) -> None:
    """Protects: "61374" is the table's 61,374; a setting's own value quotes nothing that came out."""
    run = replace(made(), summary="Perplexity goes from 31.0 to 61,374.", params={"temperature": 1.5})
    history = (Exchange("show me the fake", "It ran.", run),)
    assert recall("61374?? and our vocabulary?", history, (DEMO,), search).strongly
    assert not recall("whatever for cats, 0.5 or 1.5 of milk?", history, (DEMO,), search).strongly


def test_whether_it_is_luck_is_told(search: Search) -> None:
    """Protects: "is that just luck?" hears what the run says of chance, or that it was measured once; behind two runs, of both."""
    alone = recall("is that just luck?", RAN, (DEMO,), search)
    assert alone.notes[0].leads == ("It was measured once, with seed 0; how much of it is chance was not measured.",)
    tested = replace(made(), summary="It fell. So it helped, by more than chance would.")
    (note,) = recall("is it real?", (Exchange("show me the fake", "It ran.", tested),), (DEMO,), search).notes
    assert note.leads == ("So it helped, by more than chance would.",)
    other = replace(made(), params={"bits": 8}, table=Table(RESULT.table.columns, (("Size (MB)", "269.0", "169.5"),)))
    two = recall(
        "4 bits or 8 bits, is it real or luck?", (Exchange("fake", "It ran.", other), *RAN[1:]), (DEMO,), search
    )
    assert [lead.partition(",")[0] for lead in two.notes[-1].leads] == [
        "Compared with the run with bits 8",
        "Each of the two was measured once",
    ]


def test_words_of_the_run_alone_find_its_sentence(search: Search) -> None:
    """Protects: "which dogs, which bowl?" has only words of the run, so its sentence answers, without a word that points or measures."""
    found = recall("which dogs, feeding from which bowl?", RAN, (DEMO,), search)
    assert found.strongly and found.notes[0].leads[0].startswith("Feeding")
    assert not recall("what is feeding dogs?", RAN, (DEMO,), search).strongly


def test_a_run_sets_the_topic(search: Search) -> None:
    """However a run was asked for, follow-ups are about what ran."""
    assert "dogs" in topical(RAN, (DEMO,), search)[1].user and topical(RAN, (DEMO,), search)[0] == RAN[0]
    found = recall("why did it get worse?", RAN, (DEMO,), search)
    query = aimed(Standalone("x", False, None), "and why did it get worse?", found, (DEMO,), search)
    assert query.query == "Dogs: why did it get worse?" and query.rewritten


def answer(tutor: Tutor, question: str) -> Answered:
    """How the turn after the run ends."""
    last = list(tutor.turn(question, RAN))[-1]
    assert isinstance(last, Answered)
    return last


def test_why_is_answered_from_the_run_and_a_note(tutor: Tutor) -> None:
    """The measured sentence first, cited by label; then at least one reason from the notes."""
    last = answer(tutor, "why did it get worse?")
    assert last.text.startswith("Perplexity goes from 31.0 to 40.8: clearly worse [R1].")
    assert last.sentences[0].sources == ("R1",) and isinstance(last.sentences[1].sources[0], int)
    assert [source.n for source in last.sources][-1] == "R1" and last.sources[-1].cited


def test_no_more_of_a_run_is_told_than_answers(tutor: Tutor) -> None:
    """Protects: who has just read a report hears the sentence that answers, and at most one of the notes, not the report again."""
    last = answer(tutor, "and the speed?")
    assert last.sentences[0].text.startswith("Barking")
    assert [sentence.sources for sentence in last.sentences].count(("R1",)) == 1 and len(last.sentences) <= 2


def test_all_that_was_measured_is_said_in_its_order(tutor: Tutor) -> None:
    """Protects: an answer to "was it worth it?" tells the gains and the price, each citing the run."""
    told = [
        sentence.text.split()[0] for sentence in answer(tutor, "was it worth it?").sentences if "R1" in sentence.sources
    ]
    assert told[:3] == ["Feeding", "Perplexity", "Barking"]


def test_why_is_answered_by_the_sentence_that_the_experiment_names(search: Search) -> None:
    """Protects: an author's reason for what was measured beats any guess; none is told of another measure, nor where it is not asked why."""
    demo = replace(
        DEMO, because={"quality": ("cats-vs-dogs#what-dogs-are", 1), "size": ("cats-vs-dogs#what-cats-are", 0)}
    )
    found = {
        question: recall(question, RAN, (demo,), search).notes[0].reason
        for question in (
            "why did it get worse?",
            "why?",
            "why is it smaller?",
            "why is it faster?",
            "did it get worse?",
        )
    }
    dogs, cats = demo.because["quality"], demo.because["size"]
    assert list(found.values()) == [dogs, dogs, cats, None, None]


def test_the_named_reason_is_said_once(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: the measured sentence, then the reason with its note's number, and then nothing more is offered."""
    demo = replace(DEMO, because={"quality": ("cats-vs-dogs#what-dogs-are", 1)})
    monkeypatch.setattr("tutor.chat.DEMOS", (demo,))
    last = answer(tutor, "why did it get worse?")
    assert last.text.startswith(
        "Perplexity goes from 31.0 to 40.8: clearly worse [R1]. Dogs fetch sticks from cold water ["
    )
    assert isinstance(tutor.engine, ScriptedEngine) and [branch.text for branch in tutor.engine.offered[2]] == [""]


def test_the_note_of_a_named_reason_is_among_the_notes(search: Search) -> None:
    """Protects: the reason can be said although the search did not find it."""
    demo = replace(DEMO, because={"quality": ("cats-vs-dogs#what-dogs-are", 1)})
    found = recall("why did it get worse?", RAN, (demo,), search)
    assert [hit.passage.id for hit in with_reasons("why?", (), found, (demo,), search)] == [
        "cats-vs-dogs#what-dogs-are"
    ]


def test_a_free_models_numbers_must_be_the_runs(tutor: Tutor) -> None:
    """What a free model quotes of a run is held to its summary, table and metrics."""
    for written, shown in (
        ("Perplexity goes from 31.0 to 40.8: clearly worse [R1].", "supported"),
        ("Perplexity goes from 31.0 to 60.8: clearly worse [R1].", "quoted"),
        ("Perplexity goes from 40.8 to 31.0: clearly worse [R1].", "quoted"),
    ):
        free = replace(tutor, engine=ScriptedEngine(pieces=[written]), free=True)
        last = answer(free, "why did it get worse?")
        assert [sentence.support for sentence in last.sentences] == [shown], written
        assert last.text == "Perplexity goes from 31.0 to 40.8: clearly worse [R1]."


def test_the_model_reads_the_run(tutor: Tutor) -> None:
    """The run's summary is in the prompt under its label, for a model that writes."""
    engine = ScriptedEngine(pieces=["Cats purr softly on warm cushions."])
    answer(replace(tutor, engine=engine, free=True), "why did it get worse?")
    assert f"[R1] {RESULT.summary}" in engine.prompts[0][-1].content


def test_notes_keep_their_numbers(search: Search) -> None:
    """A run comes after the notes, so that [1] stays the first note."""
    found = recall("why did it get worse?", RAN, (DEMO,), search)
    assert isinstance(found.notes[0], RunNote) and found.notes[0].place == 1
