"""Does a question ask for more than one thing? A logistic model over its words, its parts and the sides that it names.

"What is an embedding, and what would I use one for?" does, "embeddings: what are they and why should I care" too, while "I read about tokens and words, and now I
wonder what an embedding is" does not. Fitted on how many sentences the teacher answered with (`make calibrate`), each of her rounds with a habit of its own.
Words are hashed into a fixed number of weights (Weinberger et al. 2009, arXiv:0902.2206); the names of concepts count alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from knowledge.mentions import Mentions
from tutor.hashed import Hashed, buckets_of_hints, load_hashed
from tutor.requests.parts import parts_of, without_topic

FITTED = Path(__file__).parent / "several.npz"
BUCKETS = 2**15
_WH = r"(?:what|whats|what's|how|why|which|who|whom|whose|where|when)\b"
_AUXILIARY = r"(?:is|are|was|does|do|did|can|could|will|would|should|has|have)\b"
_CLAUSE = re.compile(r"[.?!;:]\s+|,\s+|\s+(?:and|but|or)\s+|\b\d\)\s*")
_ASKING = re.compile(
    rf"\W*(?:(?:and|so|but|or|also|then|in|for|to|at|from|with|by|after|if so)\W+)*(?:{_WH}|{_AUXILIARY})"
)
_EACH = re.compile(r"each|both|respectively|the other|vs|versus|compare|differ")


def asks_several(query: str, mentions: Mentions) -> float:
    """Of several things against one, in nats."""
    return load_several().log_odds(hints(query, mentions))


@cache
def load_several(path: Path = FITTED) -> Hashed:
    """The fitted model; raises ValueError if it has another size."""
    return Hashed(*load_hashed(path, BUCKETS))


def hints(query: str, mentions: Mentions) -> list[int]:
    """Buckets of the words, pairs and triples of words, first and last words, and of how many parts and sides there are; each once."""
    return buckets_of_hints(_hints(query, mentions), BUCKETS)


def _hints(query: str, mentions: Mentions) -> Iterator[str]:
    asked = without_topic(query)
    masked = mentions.masked(asked)
    words = re.findall(r"[a-z']+|NAME|[?.,!:;]", masked)
    parts, sides, marks = len(parts_of(query, mentions)), min(4, len(mentions.sides(query))), min(3, masked.count("?"))
    clauses = min(3, sum(_ASKING.match(clause) is not None for clause in _CLAUSE.split(masked)))
    yield from (f"parts {parts}", f"sides {sides}", f"question marks {marks}", f"asking clauses {clauses}")
    yield f"sides in the question {min(4, len(mentions.sides(asked)))}"
    yield from (f"clauses {clauses} parts {parts}", f"clauses {clauses} marks {marks}")
    yield from (f"each {_EACH.search(masked) is not None} sides {sides}", f"wh {min(4, len(re.findall(_WH, masked)))}")
    yield from (f"and {min(3, words.count('and'))}", f"sentences {min(4, len(re.findall('[.?!]+', masked)))} {marks}")
    yield f"length {min(8, len(words) // 5)}"
    yield from (f"any {word}" for word in words)
    yield from (f"two {one} {two}" for one, two in pairwise(words))
    yield from (f"three {' '.join(words[i : i + 3])}" for i in range(len(words) - 2))
    yield from (f"start {' '.join(words[:n])}" for n in (1, 2, 3))
    yield from (f"end {' '.join(words[-n:])}" for n in (2, 3))
