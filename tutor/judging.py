"""Is a written sentence supported by a note? What two models make of the sentence and of its rivals, weighed.

A language model that has just read the note should find the sentence likelier than rivals that differ in one fact (tutor/contrast.py), and the reader
(tutor/reader.py) should find it better supported than them. They err on different sentences. The weights are in judging.json, fitted on free
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
EVIDENCE = ("near", "line", "note", "likelier", "line over rivals", "note over rivals")
"""Cosine with the note's nearest line; the reader's log-odds for line and note; how many nats the sentence leads its best rival by, in likelihood and for
the reader."""
_MOST = 12.0  # nats of lead that count
_WITHOUT_RIVALS = (4.0, 1.0, 1.0)  # leads about as sure as a right sentence's


class ReadingPairs(Protocol):
    """What tells whether a sentence supports a statement, in nats, for pairs of statement and sentence (tutor/reader.py)."""

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[float]: ...


@dataclass(frozen=True)
class Judge:
    """Two models and how much each kind of evidence counts, in the order of EVIDENCE."""

    model: Scoring
    reader: ReadingPairs
    weights: tuple[float, ...]
    bias: float

    def supports(self, sentence: str, near: float, line: str, note: str, mentions: Mentions) -> bool:
        """Whether the note, and its line at cosine `near` above all, says what the sentence says."""
        found = self.evidence(sentence, near, line, note, mentions)
        return sum(weight * value for weight, value in zip(self.weights, found, strict=True)) + self.bias >= 0

    def evidence(self, sentence: str, near: float, line: str, note: str, mentions: Mentions) -> tuple[float, ...]:
        """In the order of EVIDENCE."""
        others = rivals(sentence, mentions, note)
        pairs = [(text, ground) for ground in (line, note) for text in (sentence, *others)]
        read = self.reader.read(pairs)
        by_line, by_note = read[: len(pairs) // 2], read[len(pairs) // 2 :]
        if not others:
            return (near, by_line[0], by_note[0], *_WITHOUT_RIVALS)
        leads = (advantage(sentence, others, note, self.model), *(own[0] - max(own[1:]) for own in (by_line, by_note)))
        return (near, by_line[0], by_note[0], *(max(-_MOST, min(_MOST, lead)) for lead in leads))


def load_judge(model: Scoring, reader: ReadingPairs, path: Path = FITTED) -> Judge:
    """With the fitted weights; raises ValueError if the file weighs other evidence."""
    weights, bias = _fitted(path)
    return Judge(model, reader, weights, bias)


@cache
def _fitted(path: Path) -> tuple[tuple[float, ...], float]:
    fitted: Mapping[str, float] = json.loads(path.read_text())
    if tuple(fitted) != (*EVIDENCE, "bias"):
        raise ValueError(f"{path} must weigh {EVIDENCE} and hold a bias, got {tuple(fitted)}; run `make calibrate`")
    *weights, bias = fitted.values()
    return tuple(weights), bias
