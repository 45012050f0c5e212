"""A question's words tell which sentence answers it, slips and unknown words or not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from knowledge.classifier import FITTED, AnswerWords, grams, load_classifier, read_classifier, rounded
from knowledge.concept_files import load_knowledge
from knowledge.passages import Knowledge
from tests.conftest import classifier_of
from tutor.errors import WeightsError


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


def test_what_no_sentence_answers_is_told(knowledge: Knowledge) -> None:
    """Protects: "none of these" speaks for strange words, and against what is known; it takes nothing from the shares."""
    sentences = {"sleep": "Cats sleep 16 hours a day.", "fetch": "Dogs fetch sticks from cold water."}
    learned = AnswerWords(knowledge.passages, classifier_of(sentences, none="hamster"))
    assert learned.strangeness("How long do hamsters sleep in a hamster wheel?") > 0 > learned.strangeness("sleep")
    assert learned.shares("hamster").sum() == pytest.approx(1, abs=1e-3)


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


def test_what_ships_knows_the_notes() -> None:
    """Protects: notes rewritten without `make classifier`; a new set may wait for its taught questions."""
    knowledge = load_knowledge()
    sentences = sum(len(passage.sentences) for passage in knowledge.passages)
    known = len(AnswerWords(knowledge.passages, load_classifier()).references)
    assert known > 0.9 * sentences, "run `make classifier`"


def test_a_missing_or_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    """Protects: a start that ends in a traceback, or a question that does."""
    damaged, other = tmp_path / "damaged.npz", tmp_path / "other.npz"
    damaged.write_bytes(FITTED.read_bytes()[:1000])
    with np.load(FITTED) as fitted:
        np.savez(other, **{**fitted, "bias": fitted["bias"][:-1]})
    for path in (tmp_path / "none.npz", damaged, other):
        with pytest.raises(WeightsError, match="make classifier"):
            read_classifier(path)
