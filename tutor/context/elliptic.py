"""Does a question sound as if something was said before it? A logistic model over its words alone, fitted on the teacher's follow-ups and on her questions that
need nothing before them (`make calibrate`). tutor/context/leaning.py weighs it beside what the notes hold for the question.

"What's left for the other one?" and "weird, how come?" do, whatever they are about. Words are hashed into a fixed number of weights; the names of concepts
count alike, and so do numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from knowledge.mentions import Mentions
from tutor.hashed import Hashed, buckets_of_hints, load_hashed

FITTED = Path(__file__).parent / "elliptic.npz"
BUCKETS = 2**15


def sounds_elliptic(question: str, mentions: Mentions) -> float:
    """Of a follow-up against a question that stands alone, in nats."""
    return load_elliptic().log_odds(hints(question, mentions))


@cache
def load_elliptic(path: Path = FITTED) -> Hashed:
    """The fitted model; raises ValueError if it has another size."""
    return Hashed(*load_hashed(path, BUCKETS))


def hints(question: str, mentions: Mentions) -> list[int]:
    """Buckets of the words, pairs of words, first and last words, the length, and how many names there are; each once."""
    return buckets_of_hints(_hints(question, mentions), BUCKETS)


def _hints(question: str, mentions: Mentions) -> Iterator[str]:
    found = re.findall(r"[a-z']+|NAME|\d+|[?.,!:;]", mentions.masked(question))
    words = ["0" if word.isdigit() else word for word in found]
    names, length = words.count("NAME"), len(words)
    yield from (f"names {min(3, names)}", f"length {min(10, length // 3)}")
    yield f"names {min(2, names)} length {min(8, length // 4)}"
    yield from (f"any {word}" for word in words)
    yield from (f"two {one} {other}" for one, other in pairwise(words))
    yield from (f"start {' '.join(words[:n])}" for n in (1, 2, 3))
    yield from (f"end {' '.join(words[-n:])}" for n in (1, 2, 3))
