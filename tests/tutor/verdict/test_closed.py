"""Which questions want a Yes or No."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.search import Search
from tutor.verdict.closed import BUCKETS, hints, load_closed
from tutor.verdict.polarity import is_yes_no


@pytest.mark.parametrize(
    "query",
    [
        "at 8 bit do i need the second?",
        "my colleague insists that LoRA changes every weight - is she right?",
        "we halved the bits, did any weight get lost?",
        "A pruned network always runs faster.",
        "Nobody rounds weights any more, now that memory is cheap.",
    ],
)
def test_forms_that_no_rule_knows(query: str, real_search: Search) -> None:
    """Protects: Yes or No also where the question does not begin with its verb."""
    assert is_yes_no(query, real_search.embedder)


@pytest.mark.parametrize(
    "query",
    [
        "how come LoRA is so small?",
        "Which one is faster, is it pruning?",
        "lora memory",
        "Put LoRA and QLoRA side by side.",
        "I don't get mixture of experts.",
        "Name a few models that truly are open source.",
        "My laptop has 8 GB and no GPU, where do I begin with LoRA",
    ],
)
def test_questions_that_want_words(query: str, real_search: Search) -> None:
    """Protects: no Yes or No before an answer that nobody asked so."""
    assert not is_yes_no(query, real_search.embedder)


def test_a_form_that_only_its_sense_tells(real_search: Search) -> None:
    """Protects: a follow-up without a verb that waits to be confirmed; one that asks for words stays without Yes or No."""
    assert is_yes_no("Benchmarks: pointless, then, all those scores?", real_search.embedder)
    assert not is_yes_no("RAG: and the notes afterwards, where are they?", real_search.embedder)


def test_hints_are_few_and_stable() -> None:
    """Protects: the fitted weights mean the same in every process, and a subject in front of a rewritten follow-up counts nothing."""
    assert hints("Pruning: is it fast?", True) == hints("is it fast?", True) != hints("is it fast?", False)
    assert all(0 <= bucket < BUCKETS for bucket in hints("", False))


def test_another_size_is_refused(tmp_path: Path) -> None:
    """Protects: weights of another hashing are not used in silence."""
    whole, small = np.zeros(BUCKETS), np.zeros(3)
    for found in ({"weights": small}, {"weights": whole}, {"weights": whole, "sense": small}):
        np.savez(tmp_path / "closed.npz", bias=0.0, **found)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="make calibrate"):
            load_closed(tmp_path / "closed.npz")
        load_closed.cache_clear()
