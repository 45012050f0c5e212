"""What a learner asks of a report beside its numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from demos import DEMOS
from demos.base import DemoResult, Prediction, Table
from demos.terms import TERMS, Term
from knowledge.concept_files import load_knowledge
from knowledge.search import Search
from tutor.events import Exchange
from tutor.experiments.explained import guess_told, meaning_of, of_bigger
from tutor.experiments.predictions import UNSURE_WHICH
from tutor.experiments.recall import recall
from tutor.experiments.runs import Run, make_run

SUMMARY = (
    "Rounding in groups of 64 shrinks the model from 269 to 103 MB. Perplexity goes from 30.9 to 220 (lower is better; KL 2.00 nats a token). "
    "Its favourite gets 16 %, and it is as undecided as among 115 tokens (entropy 6.8 bits)."
)
TABLE = Table(("Measure", "Original", "Rounded"), (("Perplexity", "30.9", "220"), ("KL (nats a token)", "0", "2.00")))


def made(name: str = "quantize") -> Run:
    """A run as a report tells it."""
    return make_run(name, "Round", {"bits": 3, "group-size": 64}, 0, "Tiny", DemoResult(SUMMARY, TABLE, {"n": 1}), "")


@pytest.mark.parametrize(
    ("question", "begins", "ends"),
    [
        ("what does group size 64 mean there?", "The group size tells", "in groups of 64"),
        ("what does the KL column mean?", "KL, the Kullback-Leibler", "Original 0; Rounded 2.00"),
        ("what is entropy please?", "Entropy tells", "(entropy 6.8 bits)"),
        ("is that entropy a lot?", "Entropy tells", "(entropy 6.8 bits)"),
        ("what is perplexity there?", "Perplexity tells", "Original 30.9; Rounded 220"),
        ("what is that word, favourite?", "The favourite is", "Its favourite gets 16 %"),
    ],
)
def test_a_word_of_the_report_is_explained(question: str, begins: str, ends: str) -> None:
    """Protects: who asks what a column means is told what it means, then its value, and not the value alone."""
    told = meaning_of(question, made(), False)
    assert told[0].startswith(begins) and ends in told[-1] and len(told) in (2, 3)


@pytest.mark.parametrize(
    "question",
    [
        "why did the perplexity rise?",
        "what is a ridge?",
        "show me entropy",
        "which one is better?",
        "what is a cosine there?",
    ],
)
def test_what_the_report_does_not_say_or_nobody_asks_is_not_explained(question: str) -> None:
    """Protects: a question for a reason or of another report stays what it is."""
    assert meaning_of(question, made(), False) == ()


def test_what_the_notes_tell_is_left_to_them() -> None:
    """Protects: "what is perplexity?" behind a run is answered from the set on perplexity, unless it points at the run."""
    assert meaning_of("what is perplexity?", made(), True) == ()
    assert meaning_of("what is perplexity in that table?", made(), True)


@pytest.mark.parametrize(
    ("question", "row", "reads"),
    [
        ("is 2.00 high or low?", "In the table, Rounded of KL (nats a token) is 2.00.", "A KL of 0"),
        ("and is 6.8 good or bad?", "Its favourite gets", "An entropy of 0 bits"),
    ],
)
def test_whether_a_value_is_much_is_told_by_how_it_is_read(question: str, row: str, reads: str) -> None:
    """Protects: a quoted number is placed on the scale of the measure that it belongs to."""
    told = meaning_of(question, made(), False)
    assert told[0].startswith(row) and told[1].startswith(reads)


@pytest.mark.parametrize(
    "question",
    [
        "was my guess right?",
        "so was my guess right?",
        "was I right?",
        "and was i right??",
        "did I guess right?",
        "so what about my guess?",
    ],
)
def test_what_came_of_a_guess_is_told_again(question: str) -> None:
    """Protects: the verdict, and not some sentence of the report that may read as its opposite."""
    said = "You expected “Fewer bits”; measured: just that [R1]. Perplexity goes from 30.9 to 220 [R1].\n\nMore."
    assert guess_told((Exchange("go", said, made()),), DEMOS, question) == (
        "You expected “Fewer bits”; measured: just that.",
    )


def test_an_unclear_guess_hears_which_choice_came_true() -> None:
    """Protects: who was not understood can still tell whether it was right; without a guess nothing is made up."""
    prediction = Prediction("What?", ("More", "Less"), lambda metrics: "More" if metrics["n"] > 0 else "Less")
    demos = [replace(DEMOS[0], name="quantize", prediction=prediction)]
    unclear = Exchange("go", f"{UNSURE_WHICH}, so set this beside what you expected.\n\nDone.", made())
    assert guess_told((unclear,), demos, "was my guess right?") == (
        "It was not clear which of the choices you meant; measured: “More”.",
    )
    assert guess_told((Exchange("go", "Done.", made()),), demos, "was my guess right?") == ()
    assert guess_told((Exchange("go", "Done."),), demos, "was my guess right?") == ()


@pytest.mark.parametrize(
    "question",
    [
        "am I right that pruning makes a model as small as quantization does, whatever it is?",
        "why is the guess of a drafter right?",
        "is the right model mine?",
    ],
)
def test_other_questions_do_not_ask_for_a_guess(question: str) -> None:
    """Protects: a check-back on the subject is no question about the guess."""
    assert (
        guess_told((Exchange("go", "You expected “Fewer bits”; measured: just that [R1].", made()),), DEMOS, question)
        == ()
    )


@pytest.mark.parametrize(
    "question",
    [
        "would a bigger model show the same?",
        "would a larger model survive 70% better?",
        "does that carry over to our 13b?",
        "is it like this in real models too?",
    ],
)
def test_what_another_model_would_show_was_not_measured(question: str) -> None:
    """Protects: the run says on what it was measured, and a sentence of the notes tells what is known of size."""
    assert of_bigger(question, made(), DEMOS).startswith("This was measured on SmolLM2-135M-Instruct")
    assert "trained for this run" in of_bigger(question, made("qat"), DEMOS)
    assert of_bigger(question, made("hardware"), DEMOS) == ""


@pytest.mark.parametrize("question", ["how much smaller is the model?", "is a bigger batch better?", "why?"])
def test_the_size_of_something_else_asks_for_no_other_model(question: str) -> None:
    assert of_bigger(question, made(), DEMOS) == ""


@pytest.mark.parametrize(
    "question", ["what does the KL column mean?", "was my guess right?", "would a bigger model show the same?"]
)
def test_it_is_a_question_about_the_run(search: Search, question: str) -> None:
    """Protects: what is told is the run's note, said first and in order, before any number of it."""
    ran = (Exchange("go", "You expected “Fewer bits”; measured: just that [R1].", made()),)
    found = recall(question, ran, DEMOS, search)
    assert (
        found.strongly and found.notes[0].leads and set(found.notes[0].leads) <= set(found.notes[0].passage.sentences)
    )


def test_the_sentence_on_size_exists() -> None:
    """Protects: what is known of bigger models is a sentence of the notes that speaks of size."""
    passages = {passage.id: passage for passage in load_knowledge().passages}
    for demo in DEMOS:
        if (named := demo.because.get("bigger")) is not None:
            assert re.search(r"small|large|1B", passages[named[0]].sentences[named[1]], re.IGNORECASE)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.words[:12])
def test_terms_are_explained_in_sentences(term: Term) -> None:
    """Protects: each is one sentence that stands alone, as what is cited must."""
    for said in (term.means, *([term.reads] if term.reads else ())):
        assert said.endswith(".") and said.count(". ") == 0 and not said.startswith(("It ", "This "))
