"""Which sides a text names."""

from __future__ import annotations

import pytest

from knowledge.concept_files import load_knowledge
from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from knowledge.search import Search


def test_names_and_aliases_in_any_case(knowledge: Knowledge) -> None:
    """A side is found under its name, an alias, in capitals, with hyphens or blanks, each once and in order."""
    mentions = Mentions(knowledge.concepts)
    assert mentions.sides("DOGS, felines and a watch dogs show; dogs again") == ["dogs", "cats"]


def test_only_whole_words_count(knowledge: Knowledge) -> None:
    """`category` names no cat and `steam` no tea."""
    assert Mentions(knowledge.concepts).sides("a category of steam") == []


def test_longer_names_win(knowledge: Knowledge) -> None:
    """A name inside a longer name is not found a second time."""
    assert [mention.words for mention in Mentions(knowledge.concepts).find("green tea")] == ["green tea"]


def test_one_set_can_be_asked_for(knowledge: Knowledge) -> None:
    """Sides of other sets are left out when one set is wanted."""
    mentions = Mentions(knowledge.concepts)
    assert mentions.sides("cats drink coffee", "tea-vs-coffee") == ["coffee"]
    assert mentions.sides("cats drink coffee") == ["cats", "coffee"]


def test_names_are_masked_however_they_are_typed() -> None:
    """Protects: a model of words that takes "Post-Training" for other words than "pruning"."""
    mentions = Mentions(load_knowledge().concepts)
    assert mentions.masked("Is Post-Training quantization faster, or QLoRA?") == "is NAME faster, or NAME?"


def test_no_sides_no_mentions() -> None:
    """Knowledge without concepts finds nothing instead of everything."""
    assert Mentions(()).find("cats") == []


def test_starts_point_into_the_text(knowledge: Knowledge) -> None:
    """`start` is a position in the text as given, also after letters whose lower case is longer."""
    for text in ("see CATS", "İİ and cats"):
        (mention,) = Mentions(knowledge.concepts).find(text)
        assert text[mention.start : mention.start + len(mention.words)].lower() == "cats"


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("what structured, unstructured and 2:4 pruning do", ["structured", "unstructured", "semi-structured"]),
        ("zero-, one- and few-shot", ["zero-shot", "one-shot", "few-shot"]),
        ("pre-, mid- and post-training", ["pretraining", "midtraining", "posttraining"]),
        ("bi- and cross-encoders", ["bi-encoder", "cross-encoder"]),
        ("I feed cats, dogs and pruning", ["pruning"]),
        ("one more thing and few-shot", ["few-shot"]),
    ],
)
def test_names_in_a_list_share_their_last_word(real_search: Search, text: str, sides: list[str]) -> None:
    """Protects: who lists sides in the short way asks about each of them."""
    assert real_search.mentions.sides(text) == sides
