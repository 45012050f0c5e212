"""Which sentence answers, as the language model reads the question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.concept_files import load_knowledge
from tests.conftest import change_without
from tutor.causal_classifier import CHANGE, CausalClassifier
from tutor.engines.weights import ensure_tutor_model
from tutor.errors import WeightsError
from tutor.settings import Settings

PASSAGES = load_knowledge().passages


@pytest.fixture(scope="module")
def folder() -> Path:
    """The model as published."""
    return ensure_tutor_model(Settings.from_environ({}).cache, adapter=None)


@pytest.fixture(scope="module")
def classifier(folder: Path) -> CausalClassifier:
    return CausalClassifier(lambda: folder, PASSAGES)


def test_what_is_described_is_recognised(classifier: CausalClassifier) -> None:
    """Protects: what the model knows of the world comes in; neither is named, and no word of the notes is there."""
    (shares,) = classifier.shares(
        ["the thing that gamers buy beside the one that Google builds for itself, which runs more kinds of program?"]
    )
    assert sum(share for (name, _), share in shares.items() if name.startswith("cpu-vs-gpu-vs-tpu#")) > 0.5


def test_who_reads_along_changes_nothing(classifier: CausalClassifier) -> None:
    """Protects: texts read as one see only themselves, and of an overlong one the end counts, where a follow-up stands."""
    question = "What does pruning remove?"
    texts = [question, "Why?", "It goes on. " * 300 + question]
    together, alone = classifier.shares(texts), [classifier.shares([text])[0] for text in texts]
    for some, one in zip(together, alone, strict=True):
        assert some == pytest.approx(one, abs=0.05)
    likeliest = [max(shares, key=shares.__getitem__)[0] for shares in (alone[0], alone[2])]
    assert all("pruning" in name.partition("#")[0] for name in likeliest)


def test_an_edited_sentence_is_not_taken_for_what_was_trained_on(folder: Path) -> None:
    """Protects: a note that says something else since has no share, and all others keep theirs."""
    first = PASSAGES[0]
    edited = replace(first, text=f"{first.sentences[0]} Something else now.")
    (shares,) = CausalClassifier(lambda: folder, (edited, *PASSAGES[1:])).shares(["What is it?"])
    assert (first.id, 0) in shares and (first.id, 1) not in shares and (PASSAGES[1].id, 0) in shares


@pytest.mark.parametrize(("lost", "told"), [("lora", "no LoRA weights"), ("head", "make causal-classifier")])
def test_a_foreign_change_is_refused(folder: Path, tmp_path: Path, lost: str, told: str) -> None:
    """Protects: weights of something else, or half of them, are not used in silence; the error says what to run, each time."""
    classifier = CausalClassifier(lambda: folder, PASSAGES, change_without(lost, CHANGE, tmp_path))
    for _ in range(2):
        with pytest.raises(WeightsError, match=told):
            classifier.shares(["Is it?"])
