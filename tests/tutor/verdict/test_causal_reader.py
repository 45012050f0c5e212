"""Yes or No, as the language model reads it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import change_without
from tutor.engines.weights import ensure_tutor_model
from tutor.errors import WeightsError
from tutor.settings import Settings
from tutor.verdict.causal_reader import CHANGE, CausalReader

SENTENCE = "Quantization keeps every weight, but rounds it to one of the few values that the smaller number format can express."


@pytest.fixture(scope="module")
def folder() -> Path:
    """The model as published."""
    return ensure_tutor_model(Settings.from_environ({}).cache, adapter=None)


@pytest.fixture(scope="module")
def reader(folder: Path) -> CausalReader:
    return CausalReader(lambda: folder)


def test_the_same_sentence_means_yes_to_one_question_and_no_to_another(reader: CausalReader) -> None:
    """Protects: question and sentence are both read."""
    reader.load()
    assert reader.log_odds("Does a quantized model still have all of its weights?", SENTENCE) > 0
    assert reader.log_odds("Does quantization throw some of the weights away?", SENTENCE) < 0


def test_who_reads_along_changes_nothing(reader: CausalReader) -> None:
    """Protects: texts read as one see only themselves, what two share included, and an overlong one is cut before its question."""
    long = SENTENCE + " It keeps." * 200
    asked = ("Does a quantized model still have all of its weights?", "Is it?")
    pairs = [
        ("Is it?", "Yes."),
        ("Does quantization throw some of the weights away?", long),
        *((q, SENTENCE) for q in asked),
    ]
    together, alone = reader.read(pairs), [reader.log_odds(*pair) for pair in pairs]
    assert together == pytest.approx(alone, abs=0.3) and abs(alone[0] - alone[1]) > 0.5


@pytest.mark.parametrize(("lost", "told"), [("lora", "no LoRA weights"), ("head", "make causal-reader")])
def test_a_foreign_change_is_refused(folder: Path, tmp_path: Path, lost: str, told: str) -> None:
    """Protects: weights of something else, or half of them, are not used in silence; the error says what to run, each time."""
    reader = CausalReader(lambda: folder, change_without(lost, CHANGE, tmp_path))
    for _ in range(2):
        with pytest.raises(WeightsError, match=told):
            reader.log_odds("Is it?", "It is.")


def test_a_failure_is_not_tried_again() -> None:
    """Protects: a class that asks while it is being loaded waits for one attempt, and all are told why it failed."""
    tried = []

    def nowhere() -> Path:
        tried.append(1)
        raise WeightsError("no room")

    reader = CausalReader(nowhere)
    with ThreadPoolExecutor(4) as learners:
        told = [str(learners.submit(reader.load).exception()) for _ in range(4)]
    assert told == ["no room"] * 4 and len(tried) == 1
