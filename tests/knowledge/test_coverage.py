"""Whether the notes cover a question."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from knowledge.concept_files import load_knowledge
from knowledge.coverage import FEATURES, READ, coverage_features, elsewhere_questions, load_coverage
from knowledge.search import Search
from tests.conftest import coverage_of


def features(query: str = "cats purr", elsewhere: tuple[float, ...] = (0.2, 0.5, 0.8)) -> dict[str, float]:
    """The features by name."""
    cosines = (np.array(values, dtype=np.float32) for values in ((0.9, 0.1), elsewhere))
    values = coverage_features(query, *cosines, True, {"cat", "purr"}, -3.0)
    assert values.dtype == np.float32 and len(values) == len(FEATURES)
    return dict(zip(FEATURES, values.tolist(), strict=True))


def test_features_are_what_their_names_say() -> None:
    """Nearest means largest, five nearest is a mean, no neighbours is 0, strangers are counted once."""
    found = features("Cats purr at zebras and zebras")
    assert found["nearest question"] == pytest.approx(0.9)
    assert found["five nearest questions"] == pytest.approx(0.5)
    assert found["three nearest elsewhere"] == pytest.approx(0.5)
    assert found["nearest elsewhere"] == pytest.approx(0.8) and features(elsewhere=())["nearest elsewhere"] == 0
    assert found["names a side"] == 1 and found["strange words"] == 1
    assert found["share of strange words"] == pytest.approx(1 / 3) and found["learned to be strange"] == -3


def test_a_query_without_words_has_finite_features() -> None:
    """Emoji and the empty string divide nothing by zero."""
    assert all(np.isfinite(value) for value in features("🙂").values())


def test_confidence_is_linear() -> None:
    """The logit is weights times features plus bias."""
    coverage = coverage_of(near=2.0, bias=-1.0, strange=-0.1)
    values = np.zeros(len(FEATURES), dtype=np.float32)
    values[0], values[-1] = 0.75, 4.0
    assert coverage.confidence(values) == pytest.approx(0.1)
    assert coverage.confidence(values[:-1]) == pytest.approx(0.5), "nothing is said of notes that nobody taught"
    assert coverage.confidence(values, (3.0, -0.5)) == pytest.approx(-2.9), "the reader doubts it"
    assert coverage.confidence(values[:-1], (3.0, -0.5)) == pytest.approx(0.5), (
        "which it does of all that it was not taught"
    )


def test_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    """Protects: a fitted file from before a change of FEATURES is not used in silence."""
    path = tmp_path / "coverage.json"
    for fitted in ({"weights": {"nearest question": 1.0}, "bias": 0}, {"learned": {"weights": {}, "bias": 0}}):
        path.write_text(json.dumps(fitted))
        with pytest.raises(ValueError, match="make calibrate"):
            load_coverage(path)
    shipped = load_coverage()
    assert len(shipped.learned.weights) == len(FEATURES) == len(shipped.read.weights) - len(READ)


def test_elsewhere_questions_are_not_the_notes_own() -> None:
    """No question is listed both as answered and as answered elsewhere."""
    elsewhere = {text.lower().rstrip("?. ") for text in elsewhere_questions()}
    own = {ask.text.lower().rstrip("?. ") for passage in load_knowledge().passages for ask in passage.asks}
    assert len(elsewhere) > 50 and not elsewhere & own


@pytest.mark.parametrize(
    "question", ["What is quantization?", "difference between prefill and decode", "Is DPO reinforcement learning?"]
)
def test_what_the_notes_teach_is_covered(real_search: Search, question: str) -> None:
    """Plain questions on shipped sets are answered."""
    assert real_search.search(question).covered


@pytest.mark.parametrize(
    "question",
    ["Who won the world cup in 2018?", "How do I trim a hedge?", "How do you distill whisky at home?", "🙂🙂"],
)
def test_what_they_do_not_teach_is_not(real_search: Search, question: str) -> None:
    """Other subjects and other trades' meanings of our words are not answered."""
    assert not real_search.search(question).covered
