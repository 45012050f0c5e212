"""What is looked up for a question before it is answered."""

from __future__ import annotations

from typing import Any, cast

import pytest

from knowledge.search import Search
from tutor.choosing.taught import Taught, Votes
from tutor.choosing.whole import sentences_told_whole
from tutor.events import Exchange
from tutor.followup import make_standalone
from tutor.lookup import NOTES, look_up

QUESTION = "What does pruning remove from a model?"
FAR = "mha-vs-mqa-vs-gqa#what-multi-query-attention-is"


class Voting:
    """Votes for a sentence of a passage that the question has nothing to do with."""

    def votes(self, *asked: Any) -> Votes:
        return Votes(read={(FAR, 0): 0.9, ("pruning-vs-quantization#what-pruning-is", 0): 0.8})


def test_the_passage_that_the_language_model_names_is_among_the_notes(real_search: Search) -> None:
    """Protects: the second request of a story, whose passage no other kind of search finds; the best note stays first."""
    standalone = make_standalone(QUESTION, (), real_search)
    plain = look_up(standalone, real_search, None).retrieval.hits
    read = look_up(standalone, real_search, cast(Taught, Voting())).retrieval.hits
    assert len(plain) == len(read) == NOTES and plain[0] == read[0]
    assert FAR not in {hit.passage.id for hit in plain} and FAR in {hit.passage.id for hit in read}


def test_one_more_note_where_two_things_are_asked(real_search: Search) -> None:
    """Protects: an answer to two requests that one set of four notes would not hold."""
    standalone = make_standalone(f"{QUESTION} And how does quantization round the weights?", (), real_search)
    assert len(look_up(standalone, real_search, None).retrieval.hits) == NOTES + 1


def test_a_named_passage_leaves_no_side_without_a_note(real_search: Search) -> None:
    """Protects: of three sides that are compared each keeps its note, though the language model names another passage."""
    standalone = make_standalone("What is the difference between PPO, DPO and GRPO?", (), real_search)
    hits = look_up(standalone, real_search, cast(Taught, Voting())).retrieval.hits
    sides = {"ppo", "dpo", "grpo"}
    assert len(hits) == NOTES and sides <= {side for hit in hits for side in hit.passage.about}


def test_what_says_little_names_no_passage() -> None:
    """Protects: the notes on a question about a class's own notes, which nobody taught."""
    assert not Votes(read={(FAR, 0): 0.5}).passages_read()


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("what do people usually get wrong here?", {"pruning", "quantization", "distillation"}),
        ("myths about pruning?", {"pruning"}),
    ],
)
def test_misconceptions_are_those_of_the_set_in_play(question: str, about: set[str], real_search: Search) -> None:
    """Protects: "what do people get wrong here?" behind a talk of quantization; of a named side its own."""
    said = Exchange("What is the difference between pruning and quantization?", "")
    standalone = make_standalone(question, (said,), real_search)
    found = look_up(standalone, real_search, None, "misconception").retrieval
    assert found.hits and found.covered
    for passage in (hit.passage for hit in found.hits):
        assert (passage.concept, passage.kind) == ("pruning-vs-quantization", "misconception")
        assert about & set(passage.about)
    told = sentences_told_whole("misconception", standalone.query, found.hits, real_search.mentions)
    assert told == [(hit.passage.id, 0) for hit in found.hits]
