"""Several requests in one message, each read in the light of those before it."""

from __future__ import annotations

from knowledge.search import Search
from tutor.choosing.compound import read_parts


def test_one_question_has_no_parts(real_search: Search) -> None:
    """Protects: what asks one thing is searched as it stands."""
    assert read_parts("How much memory does QLoRA save?", real_search) == ()


def test_the_second_request_is_about_what_answers_the_first(real_search: Search) -> None:
    """Protects: "it" of the second request is what was asked about first, though it has no word in common with its answer."""
    question = (
        "Our prices change every week. Should we use RAG or fine-tuning, and will it put a stop to made-up answers?"
    )
    _, second = read_parts(question, real_search)
    assert second.concept == "rag-vs-fine-tuning" and second.vector is not None
    assert second.context.startswith(question.partition(",")[0]) and second.context.endswith("made-up answers?")
    hits = real_search.search(question, 5, parts=read_parts(question, real_search)).hits
    assert "rag-vs-fine-tuning#rag-does-not-end-hallucinations" in {hit.passage.id for hit in hits}


def test_each_side_is_asked_for_itself(real_search: Search) -> None:
    """Protects: what is asked of both sides alike goes on from nothing."""
    parts = read_parts("Pruning and quantization: what does each of them save?", real_search)
    assert [part.text.partition(":")[0] for part in parts] == ["pruning", "quantization"]
    assert all(part.concept is None for part in parts)
