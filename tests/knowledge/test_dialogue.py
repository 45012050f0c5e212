"""Follow-ups are read with what came before them."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.dialogue import in_context, in_dialogue
from knowledge.search import Search

ASKED = "What is the difference between pruning and quantization?"
ANSWERED = "Pruning removes weights, while quantization stores every weight with fewer bits [1]."


def test_the_question_stands_first_and_citations_are_left_out() -> None:
    """Protects: a long answer costs its end, never the question; marks of notes say nothing."""
    read = in_dialogue("and which is faster?", ASKED, ANSWERED)
    assert read.startswith("and which is faster? [SEP] What is") and read.endswith("with fewer bits.")


def test_a_reader_gets_the_question_last_however_long_the_rest_is() -> None:
    """Protects: it says Yes or No behind the question itself, which no long turn before may push out."""
    read = in_context("is it faster?", " ".join(f"word{n}" for n in range(500)), f"{ANSWERED} " * 50)
    assert read.endswith("\nQuestion: is it faster?") and len(read.split()) < 110 and "[1]" not in read
    assert read.startswith("word460 ") and "word499\n" in read  # a story ends with what it asks


def test_a_follow_up_lies_near_the_same_asked_in_full(real_search: Search) -> None:
    """Protects: it is read for what it means behind these words, and not for its own."""
    assert real_search.dialogue is not None
    read = real_search.dialogue.embed([in_dialogue("and which is faster?", ASKED, ANSWERED)])[0]
    full, bare = real_search.tuned.embed(["Is pruning or quantization faster?", "and which is faster?"])
    assert read @ full > read @ bare
    best = int(np.argmax(real_search._index.similarities(read).asks))
    assert real_search.knowledge.passages[best].id == "pruning-vs-quantization#which-one-is-faster"


@pytest.mark.parametrize("question", ["What is LoRA?", "How does beam search differ from greedy decoding?"])
def test_a_question_of_its_own_stays_where_it_lies(real_search: Search, question: str) -> None:
    """Protects: a change of subject is not drawn back to the old one."""
    assert real_search.dialogue is not None
    read = real_search.dialogue.embed([in_dialogue(question, ASKED, ANSWERED)])[0]
    assert read @ real_search.tuned.embed([question])[0] > 0.7
