"""Is a written sentence supported by a note? What three models make of the sentence and of its rivals, weighed.

A language model that has just read the note should find the sentence likelier than rivals that differ in one fact (tutor/contrast.py), and two readers
(tutor/verdict/reader.py, tutor/verdict/causal_reader.py) should find it better supported than them. They err on different sentences. The weights are in judging.json, fitted on free
wordings with and without errors (`make calibrate`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from knowledge.mentions import Mentions
from tutor.contrast import Scoring, advantage, rivals

FITTED = Path(__file__).parent / "judging.json"
_READ = ("line", "note", "line over rivals", "note over rivals")
EVIDENCE = ("near", "likelier", *_READ, *(f"{kind}, causal" for kind in _READ))
"""Cosine with the note's nearest line; how many nats the sentence leads its best rival by in likelihood; of each reader the log-odds for line and note, and
the leads there."""
_MOST = 12.0  # nats of lead that count
_WITHOUT_RIVALS = 4.0, 1.0  # nats of lead, in likelihood and for a reader, about as sure as a right sentence's


class ReadingPairs(Protocol):
    """What tells whether a sentence supports a statement, in nats, for pairs of statement and sentence ."""

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[float]: ...


class ReadingBoth(Protocol):
    """Two of them (tutor/verdict/readers.py)."""

    @property
    def encoder(self) -> ReadingPairs: ...

    @property
    def causal(self) -> ReadingPairs: ...


@dataclass(frozen=True)
class Judge:
    """The language model, the two readers, and how much each kind of evidence counts, in the order of EVIDENCE."""

    model: Scoring
    readers: ReadingBoth
    weights: tuple[float, ...]
    bias: float

    def supports(self, sentence: str, near: float, line: str, note: str, mentions: Mentions) -> bool:
        """Whether the note, and its line at cosine `near` above all, says what the sentence says."""
        found = self.evidence(sentence, near, line, note, mentions)
        return sum(weight * value for weight, value in zip(self.weights, found, strict=True)) + self.bias >= 0

    def evidence(self, sentence: str, near: float, line: str, note: str, mentions: Mentions) -> tuple[float, ...]:
        """In the order of EVIDENCE."""
        others = rivals(sentence, mentions, note)
        likelier = advantage(sentence, others, note, self.model) if others else _WITHOUT_RIVALS[0]
        read = (
            _read(reader, (sentence, *others), (line, note)) for reader in (self.readers.encoder, self.readers.causal)
        )
        return (near, _within(likelier), *(value for values in read for value in values))


def _read(reader: ReadingPairs, texts: Sequence[str], grounds: Sequence[str]) -> tuple[float, ...]:
    """What the first text has to show for each ground, and its leads over the others there."""
    read = iter(reader.read([(text, ground) for ground in grounds for text in texts]))
    by_ground = [[next(read) for _ in texts] for _ in grounds]
    leads = (own - max(others) if others else _WITHOUT_RIVALS[1] for own, *others in by_ground)
    return (*(own[0] for own in by_ground), *map(_within, leads))


def _within(lead: float) -> float:
    return max(-_MOST, min(_MOST, lead))


def load_judge(model: Scoring, readers: ReadingBoth, path: Path = FITTED) -> Judge:
    """With the fitted weights; raises ValueError if the file weighs other evidence."""
    weights, bias = _fitted(path)
    return Judge(model, readers, weights, bias)


@cache
def _fitted(path: Path) -> tuple[tuple[float, ...], float]:
    fitted: Mapping[str, float] = json.loads(path.read_text())
    if tuple(fitted) != (*EVIDENCE, "bias"):
        raise ValueError(f"{path} must weigh {EVIDENCE} and hold a bias, got {tuple(fitted)}; run `make calibrate`")
    *weights, bias = fitted.values()
    return tuple(weights), bias
