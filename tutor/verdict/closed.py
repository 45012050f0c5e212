"""Does a question want a Yes or No? A logistic model over its words and its form, beside the rules of tutor/verdict/polarity.py, and another over that and its sense.

Rules know "is it …?" and "…, right?"; the models, fitted on the teacher's questions (`make calibrate`), know "at 8 bit do i need the second?" too. Words are
hashed into a fixed number of weights (Weinberger et al. 2009, arXiv:0902.2206), so no vocabulary has to be kept; the published sentence encoder, which was not
taught to put questions with one answer together, knows "pointless, then, all those scores?".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import DIMENSION, Embedder
from tutor.hashed import Hashed, buckets_of_hints, load_hashed
from tutor.requests.parts import without_topic

FITTED = Path(__file__).parent / "closed.npz"
BUCKETS = 2**15

ANY_WH = re.compile(
    r"\b(?:what|whats|wat|wut|why|how|which|wich|whom?|where|when|whose|explain\w*|example|analogy|picture|case)\b|^\W*y\b",
    re.IGNORECASE,
)
"""What asks for words, or for something to look at, wherever it stands."""
STATES = re.compile(
    r"\b(?:is|are|was|means?|will|can|has|have|do|does|gets?|needs?|always|never|only|just|makes?|stays?|keeps?|would|decides?|assign|pick)\b",
    re.IGNORECASE,
)
"""What a statement is made with, more often than an order."""
REQUEST = re.compile(
    r"^\W*\w+(?:\W+\w+){0,2}\W*$|\b(?:vs|versus|difference|(?:tell|give|show|remind|walk) me|i (?:still )?(?:don'?t|do not) (?:get|understand)|describe|compare|name (?:one|two|three|an?|the|some)|please|pls|(?:can|could) you)\b"
    # "Untangle them for me?"
    r"|\bfor me\W*$",
    re.IGNORECASE,
)
"""A few words, or what orders an answer."""

_TURNED = re.compile(
    r"(?:^|[.,;:!?]\s+)(?:(?:and|but|so|then|or)\s+)?(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|had|must|may)\s+(?!you\b)\w",
    re.IGNORECASE,
)  # a clause that begins with its verb


@dataclass(frozen=True)
class Closed:
    """What words tell, how much that counts beside the sense, and a weight for each of the embedding's components: `sense` (dimension,)."""

    words: Hashed
    steepness: float
    sense: NDArray[np.float32]
    bias: float

    def log_odds(self, query: str, by_rule: bool, embedder: Embedder) -> float:
        """Of wanting Yes or No, in nats; `by_rule` is what the rules say."""
        told = self.words.log_odds(hints(query, by_rule))
        return self.steepness * told + float(embedder.embed([without_topic(query)])[0] @ self.sense) + self.bias


def asks_yes_or_no(query: str, by_rule: bool, embedder: Embedder) -> bool:
    """Whether Yes or No would answer it; `by_rule` is what the rules say, and `embedder` the published one."""
    return load_closed().log_odds(query, by_rule, embedder) > 0


@cache
def load_closed(path: Path = FITTED) -> Closed:
    """The fitted models; raises ValueError if they have another size."""
    words = Hashed(*load_hashed(path, BUCKETS))
    with np.load(path) as fitted:
        sense = fitted["sense"].astype(np.float32) if "sense" in fitted else np.zeros(0, dtype=np.float32)
        if sense.shape != (DIMENSION,):
            raise ValueError(f"{path} must weigh {DIMENSION} components, got {sense.shape}; run `make calibrate`")
        return Closed(words, float(fitted["steepness"]), sense, float(fitted["sense_bias"]))


def hints(query: str, by_rule: bool) -> list[int]:
    """Buckets of the first and last words, of those that begin a clause, of all words, and of the sentence's form; each once."""
    return buckets_of_hints(_hints(query, by_rule), BUCKETS)


def _hints(query: str, by_rule: bool) -> Iterator[str]:
    query = without_topic(query)
    yield from _forms(query, by_rule)
    words = re.findall(r"[a-z']+|[?.,!:;]", query.lower())
    yield from (f"rule {by_rule}", *(f"any {word}" for word in words))
    yield from (f"start {i} {word}" for i, word in enumerate(words[:4]))
    yield from (f"end {i} {word}" for i, word in enumerate(words[:-5:-1]))
    yield from (f"start {' '.join(words[:n])}" for n in (2, 3))
    yield from (f"end {' '.join(words[-n:])}" for n in (2, 3))
    for i, word in enumerate(words[:-1]):
        if word in "?.,!:;":
            yield from (f"clause {words[i + 1]}", f"clause {' '.join(words[i + 1 : i + 3])}")


def _forms(query: str, by_rule: bool) -> Iterator[str]:
    """Is it marked as a question, does it ask for words, does it state or order something? What is only stated waits for a Yes or No too."""
    marked, wh, orders = "?" in query, bool(ANY_WH.search(query)), bool(REQUEST.search(query))
    last = re.split(r"(?<=[.!?;:])\s+", query)[-1]
    words = re.findall(r"[a-z']+", query.lower())
    yield f"form {by_rule} {marked} {wh} {bool(STATES.search(query))} {orders}"
    yield f"form {marked} {wh} {orders} {min(len(words) // 5, 5)}"  # a few words name a subject, many tell a story
    yield f"last {by_rule} {'?' in last} {bool(ANY_WH.search(last))} {bool(STATES.search(last))}"
    yield f"form {marked} {wh} start {words[0] if words else ''}"
    yield f"turned {_TURNED.search(query) is not None} {marked} {wh}"
    if not marked and not wh:
        yield from (f"stated {i} {word}" for i, word in enumerate(words[:3]))
        yield from (f"stated {word}" for word in words)
