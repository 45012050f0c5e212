"""Does a question want a Yes or No? A logistic model over its first and last words, beside the rules of tutor/polarity.py.

Rules know "is it …?" and "…, right?"; the model, fitted on the teacher's questions (`make calibrate`), knows "at 8 bit do i need the second?" too. Words are
hashed into a fixed number of weights (Weinberger et al. 2009, arXiv:0902.2206), so no vocabulary has to be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tutor.hashed import Hashed, buckets_of_hints, load_hashed
from tutor.parts import TOPIC

FITTED = Path(__file__).parent / "closed.npz"
BUCKETS = 2**14


def asks_yes_or_no(query: str, by_rule: bool) -> bool:
    """Whether Yes or No would answer it; `by_rule` is what the rules say."""
    return load_closed().log_odds(hints(query, by_rule)) > 0


@cache
def load_closed(path: Path = FITTED) -> Hashed:
    """The fitted model; raises ValueError if it has another size."""
    return Hashed(*load_hashed(path, BUCKETS))


def hints(query: str, by_rule: bool) -> list[int]:
    """Buckets of the first and last words, of those that begin a clause, and of all words; each once."""
    return buckets_of_hints(_hints(query, by_rule), BUCKETS)


def _hints(query: str, by_rule: bool) -> Iterator[str]:
    words = re.findall(r"[a-z']+|[?.,!:;]", TOPIC.sub("", query.strip()).lower())
    yield from (f"rule {by_rule}", *(f"any {word}" for word in words))
    yield from (f"start {i} {word}" for i, word in enumerate(words[:4]))
    yield from (f"end {i} {word}" for i, word in enumerate(words[:-5:-1]))
    yield from (f"start {' '.join(words[:n])}" for n in (2, 3))
    yield from (f"end {' '.join(words[-n:])}" for n in (2, 3))
    for i, word in enumerate(words[:-1]):
        if word in "?.,!:;":
            yield from (f"clause {words[i + 1]}", f"clause {' '.join(words[i + 1 : i + 3])}")
