"""Does a sentence say Yes to a question? A linear model over the words that both have, and those that only one of them has.

"Is the draft model the larger one?" beside "The draft model is small": what the question adds, what the sentence has in its place, and how often each
denies. Words are hashed into a fixed number of weights (Weinberger et al. 2009, arXiv:0902.2206), fitted on the teacher's and the notes'
yes/no questions (`make calibrate`). It knows no grammar, which the reader of tutor/verdict/reader.py learns, and it errs elsewhere than the reader does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from knowledge.words import stem
from tutor.hashed import load_hashed

FITTED = Path(__file__).parent / "agreement.npz"
BUCKETS = 2**17
_MOST = 14  # words of the sentence that are set against each word that the question adds
_DENIES = re.compile(r"\b(?:not|never|no|none|nothing|without|cannot|neither|nor)\b|n't\b")
_LEADING = re.compile(
    r"^(?:so |but |wait,? |and )*(?:isn|aren|doesn|don|didn|can|won|wouldn|shouldn|hasn|haven|wasn)'?t\b"
)
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "a an the of to in is are was were be it its and or that this do does did for on with as at by from have has you i we they my your our "
        "their which what so then than there can could will would",
    )
)


@dataclass(frozen=True)
class Agreement:
    """`weights` (BUCKETS,) and the bias, for `hints` of question and sentence."""

    weights: NDArray[np.float32]
    bias: float

    def log_odds(self, question: str, sentence: str) -> float:
        """Of Yes against No, in nats, where the sentence is what answers the question."""
        return sum(value * float(self.weights[bucket]) for bucket, value in hints(question, sentence)) + self.bias


@cache
def load_agreement(path: Path = FITTED) -> Agreement:
    """The fitted model; raises ValueError if it has another size."""
    return Agreement(*load_hashed(path, BUCKETS))


def hints(question: str, sentence: str) -> list[tuple[int, float]]:
    """Buckets and values of what question and sentence share and do not."""
    return [(crc32(name.encode()) % BUCKETS, value) for name, value in _hints(question.lower(), sentence.lower())]


def _hints(question: str, sentence: str) -> Iterator[tuple[str, float]]:
    asked, said = _words(question), _words(sentence)
    claimed = [stem(word) for word in asked if word not in _EMPTY]
    there = {stem(word) for word in said if word not in _EMPTY}
    added = dict.fromkeys(word for word in claimed if word not in there)
    covered = 1 - sum(word not in there for word in claimed) / max(1, len(claimed))
    # A leading "doesn't …?" asks for the same claim as "does …?".
    denials = len(_DENIES.findall(_LEADING.sub("", question))), len(_DENIES.findall(sentence))
    turned = float(sum(denials) % 2)
    yield from (
        ("covered", covered),
        ("covered twice", covered**2),
        ("turned", turned),
        ("covered, turned", covered * turned),
    )
    yield from (("question denies", float(denials[0] > 0)), ("sentence denies", float(denials[1] > 0)))
    yield "another number", float(any(word[0].isdigit() and word not in said for word in asked))
    yield f"begins {' '.join(asked[:2])}", 1.0
    yield from ((f"asked {word}", 1.0) for word in dict.fromkeys(asked))
    yield from ((f"asked {one} {two}", 0.7) for one, two in dict.fromkeys(pairwise(asked)))
    yield from ((f"added {word}", 1.0) for word in added)
    yield from ((f"left out {word}", 0.5) for word in sorted(there.difference(claimed)))
    instead = dict.fromkeys([w for w in said if stem(w) not in claimed and w not in _EMPTY][:_MOST])
    yield from ((f"{word} for {other}", 0.4) for word in added for other in instead)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z][a-z'-]*|\d+(?:[.,]\d+)*", text)
