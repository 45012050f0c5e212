"""Questions are near by the words and pairs of words that they share, the rarer the nearer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from tutor.choosing.shared_words import SharedWords

TEXTS = [
    "does a cat purr",
    "does a dog purr",
    "does a cat bark at the dog",
    "how much tea",
    "how much coffee",
    "tea tea tea",
]


@pytest.mark.parametrize(
    "question", ["does a cat purr", "how much tea is there", "TEA, tea!", "zebras", "a cat at the dog, cat at dog"]
)
def test_cosines_are_those_of_tf_idf(question: str) -> None:
    """Protects: the numbers are what the method's reference makes of the same words and pairs."""
    pattern, at_least = r"[a-z0-9']+", 2
    table = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=pattern, min_df=at_least)
    vectors = table.fit_transform(TEXTS)
    expected = np.asarray((vectors @ table.transform([question]).T).todense())[:, 0]
    assert SharedWords(TEXTS).cosines(question) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("question", ["", "?!", "🙂", "\x00", "cat " * 3000])
def test_any_text_is_survived(question: str) -> None:
    """Protects: empty, strange and huge questions get finite numbers."""
    cosines = SharedWords(TEXTS).cosines(question)
    assert cosines.shape == (len(TEXTS),) and np.isfinite(cosines).all() and cosines.max() <= 1 + 1e-6


def test_nothing_to_share_with() -> None:
    """Protects: a tutor without taught questions."""
    assert SharedWords([]).cosines("cats").shape == (0,)


def test_what_was_counted_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: a second start counts nothing, and finds the same."""
    first = SharedWords(TEXTS, tmp_path / "index" / "words.npz")
    monkeypatch.setattr(SharedWords, "_count", lambda self, texts: pytest.fail("counted again"))
    again = SharedWords(TEXTS, tmp_path / "index" / "words.npz")
    for question in ("does a cat purr", "tea, much tea", "", "zebras"):
        assert np.array_equal(again.cosines(question), first.cosines(question))


def test_other_texts_are_counted_anew(tmp_path: Path) -> None:
    """Protects: edited notes, whose questions are others."""
    SharedWords(TEXTS, tmp_path / "words.npz")
    assert SharedWords(TEXTS[:3], tmp_path / "words.npz").cosines("does a cat purr").shape == (3,)
    assert SharedWords([], tmp_path / "words.npz").cosines("cats").shape == (0,)
    assert SharedWords([], tmp_path / "words.npz").cosines("cats").shape == (0,)


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "another"])
def test_a_damaged_file_costs_time_only(tmp_path: Path, damage: str) -> None:
    """Protects: what was cut off, changed or written by something else is counted anew, and replaced."""
    path = tmp_path / "words.npz"
    expected = SharedWords(TEXTS, path).cosines("does a cat purr")
    whole = path.read_bytes()
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    path.write_bytes({"empty": b"", "cut": whole[:middle], "changed": changed, "another": b"words"}[damage])
    assert np.array_equal(SharedWords(TEXTS, path).cosines("does a cat purr"), expected)
    assert path.read_bytes() == whole or damage == "changed"
