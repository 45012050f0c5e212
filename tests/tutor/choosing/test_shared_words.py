"""Questions are near by the words and pairs of words that they share, the rarer the nearer."""

from __future__ import annotations

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
