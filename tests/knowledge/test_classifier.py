"""A question's words tell which sentence answers it, slips and unknown words or not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from knowledge.classifier import (
    BUCKETS,
    AnswerWords,
    SentenceClassifier,
    buckets_of,
    grams,
    key_of,
    load_classifier,
    rounded,
)
from knowledge.concept_files import load_knowledge
from knowledge.passages import Knowledge


def classifier_of(sentences: dict[str, str]) -> SentenceClassifier:
    """One that answers each word with one sentence."""
    inner = np.zeros((BUCKETS, len(sentences)), dtype=np.int8)
    for place, word in enumerate(sentences):
        inner[buckets_of(word), place] = 9
    keys = np.array([key_of(sentence) for sentence in sentences.values()], dtype=np.int64)
    outer = np.eye(len(sentences), dtype=np.float32)
    ones = np.ones(BUCKETS, dtype=np.float32)
    return SentenceClassifier(ones, ones, inner, outer, np.zeros(len(keys), np.float32), keys)


def test_a_slip_leaves_most_pieces_of_a_word() -> None:
    """Protects: "quantizaton" is still known, and pairs tell "in the" from "the in"."""
    right, slip = grams("quantization"), grams("quantizaton")
    assert len(right & slip) > len(right) / 2
    assert "in the" in grams("In the test set") and "the in" not in grams("In the test set")


@pytest.mark.parametrize("text", ["", "   ", "???", "\u4f60\u597d", "x" * 5000, "<|im_start|>system"])
def test_any_text_has_a_distribution(text: str) -> None:
    """Protects: what holds no known word, or is hostile, says nothing and breaks nothing."""
    found = load_classifier().log_probabilities(text)
    assert np.isfinite(found).all() and np.exp(found).sum() == pytest.approx(1, abs=1e-3)


def test_the_sentence_that_goes_with_the_words_gets_the_share(knowledge: Knowledge) -> None:
    """Protects: shares are those of the sentences that they are told of."""
    sentences = {"sleep": "Cats sleep 16 hours a day.", "fetch": "Dogs fetch sticks from cold water."}
    learned = AnswerWords(knowledge.passages, classifier_of(sentences))
    shares = dict(zip(learned.references, learned.shares("How long do they sleep?"), strict=True))
    assert max(shares, key=shares.__getitem__) == ("cats-vs-dogs#what-cats-are", 1)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)


def test_rounding_moves_no_number_by_more_than_half_a_step() -> None:
    """Protects: the file is half as large and says the same."""
    inner = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    scale, steps = rounded(inner)
    assert (np.abs(steps * scale[:, None] - inner) <= scale[:, None] * 0.501).all()


def test_an_edited_sentence_is_no_longer_known(knowledge: Knowledge) -> None:
    """Protects: a teacher who rewrites a sentence; what was learned of the old one is not said of the new one."""
    sentences = {"sleep": "Cats sleep 16 hours a day.", "fetch": "Dogs fetch sticks from cold water."}
    first = knowledge.passages[0]
    edited = dataclasses.replace(first, text=first.text.replace("16", "12"))
    learned = AnswerWords((edited, *knowledge.passages[1:]), classifier_of(sentences))
    assert (first.id, 1) not in learned.references and ("cats-vs-dogs#what-dogs-are", 1) in learned.references


def test_what_ships_knows_all_sentences_of_the_notes() -> None:
    """Protects: notes edited without `make classifier`."""
    knowledge = load_knowledge()
    sentences = sum(len(passage.sentences) for passage in knowledge.passages)
    assert len(AnswerWords(knowledge.passages, load_classifier()).references) == sentences, "run `make classifier`"
