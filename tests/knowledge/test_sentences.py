"""Sentence boundaries: the unit that answers are made of."""

from __future__ import annotations

import pytest

from knowledge.concept_files import load_knowledge
from knowledge.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One thing. Two things.", ["One thing.", "Two things."]),
        ("Yes. It takes 2.5 bits. Llama 3.1 uses GQA.", ["Yes.", "It takes 2.5 bits.", "Llama 3.1 uses GQA."]),
        ("See e.g. GPTQ for details. More.", ["See e.g. GPTQ for details.", "More."]),
        ("Hu et al. 2021 proposed LoRA. Fine.", ["Hu et al. 2021 proposed LoRA.", "Fine."]),
        ("Really? 4 bits! Yes.", ["Really?", "4 bits!", "Yes."]),
        ('He said "stop." Then all stopped.', ['He said "stop."', "Then all stopped."]),
        ("Folded\n   white  space. Next", ["Folded white space.", "Next"]),
        ("", []),
        ("   \n ", []),
        ("no end", ["no end"]),
    ],
)
def test_boundaries(text: str, sentences: list[str]) -> None:
    """Versions, decimals and abbreviations do not cut a sentence; real ends do."""
    assert split_sentences(text) == sentences


def test_nothing_is_lost_in_the_shipped_notes() -> None:
    """The sentences of every shipped passage put together are the passage."""
    for passage in load_knowledge().passages:
        assert " ".join(passage.sentences) == passage.text
