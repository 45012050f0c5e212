"""For models that write freely: is a sentence supported by the notes, and if not, which sentence of theirs stands in for it?

A sentence passes when all its numbers occur in the note whose line lies nearest, and three models that read note and sentence find that it follows
(tutor/judging.py). Without them, and where it speaks of a run, it must say much the same as the note's line, about the same sides in the same order,
and neither may negate what the other affirms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from knowledge.search import Hit
from knowledge.sentences import cited, split_sentences
from tutor.contrast import NUMBER
from tutor.events import Checked
from tutor.experiments.runs import Mark, RunNote, mark_of
from tutor.judging import Judge

_NEAR = 0.45  # for the models to judge the rest
_READ = 3  # nearest lines, among which the first reader may prefer a farther one,
_PREFERS = 0.06  # by as much cosine where it is sure
_SIMILAR = 0.62
_SIMILAR_WITH_WORDS = 0.50
_COVERED_WORDS = 0.75
_CITATION = re.compile(r"\s*\[(R?\d+)\]")
_NEGATION = re.compile(r"\b(?:not|never|no|none|nothing|without|cannot|neither|nor)\b|n't\b", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """A sentence of a note."""

    n: Mark
    text: str
    hit: Hit

    @property
    def wording(self) -> str:
        """Where a number must stand that a sentence takes from this note: in it, or anywhere in a run's figures."""
        return self.hit.run.wording if isinstance(self.hit, RunNote) else self.hit.passage.text


class Grounding:
    """Checks one answer's sentences, in order, against the notes that it was given."""

    def __init__(self, hits: Sequence[Hit], embedder: Embedder, mentions: Mentions, judge: Judge | None = None) -> None:
        self._embedder, self._mentions, self._judge = embedder, mentions, judge
        self.lines = [
            Line(mark_of(n, hit), text, hit) for n, hit in enumerate(hits, 1) for text in hit.passage.sentences
        ]
        self._vectors = embedder.embed([line.text for line in self.lines])
        self._shown: set[str] = set()

    def check(self, sentence: str) -> Checked | None:
        """The sentence with its source if it is supported, else a quotation; None if nothing is left to say."""
        plain = _CITATION.sub("", sentence).strip()
        claimed = set(_CITATION.findall(sentence))
        if not plain or not self.lines:
            return None
        if re.fullmatch(r"(?:yes|no)[.,!]?", plain, re.IGNORECASE):
            return Checked(plain.rstrip(".,!").capitalize() + ".", (), "supported", 1.0)
        scores, order = self.nearest(plain, claimed)
        for i in order[: 3 if self._judge is None else 1]:
            if self._supports(self.lines[i], plain, scores[i]):
                if plain in self._shown:
                    return None
                self._shown.update((plain, self.lines[i].text))
                return Checked(cited(plain, self.lines[i].n), (self.lines[i].n,), "supported", round(scores[i], 3))
        best = next((i for i in order if self.lines[i].text not in self._shown), None)
        if best is None or scores[best] < 0.35:
            return None
        line = self.lines[best]
        self._shown.add(line.text)
        return Checked(cited(line.text, line.n), (line.n,), "quoted", round(scores[best], 3))

    def nearest(self, sentence: str, claimed: Collection[str] = ()) -> tuple[list[float], list[int]]:
        """Cosines of the sentence with all lines, and the lines' order: nearest first, the note that it claims a little before others."""
        scores = [float(score) for score in self._vectors @ self._embedder.embed([sentence])[0]]
        places = [
            score + (0.05 if str(line.n) in claimed else 0.0) for score, line in zip(scores, self.lines, strict=True)
        ]
        order = sorted(range(len(self.lines)), key=lambda i: -places[i])
        if self._judge is not None:
            first = order[:_READ]
            for i, read in zip(
                first, self._judge.readers.encoder.read([(sentence, self.lines[i].text) for i in first]), strict=True
            ):
                places[i] += _PREFERS * math.tanh(read / 3)
            order[:_READ] = sorted(first, key=lambda i: -places[i])
        return scores, order

    def _supports(self, line: Line, sentence: str, score: float) -> bool:
        note = line.hit.passage.text
        if self._judge is not None and not isinstance(line.hit, RunNote):
            return judgeable(sentence, score, line) and (
                sentence in line.hit.passage.sentences
                or self._judge.supports(sentence, score, line.text, note, self._mentions)
            )
        near = score >= _SIMILAR or (score >= _SIMILAR_WITH_WORDS and _coverage(sentence, note) >= _COVERED_WORDS)
        numbers = set(NUMBER.findall(sentence)) <= set(NUMBER.findall(line.wording))
        sides, others = set(self._mentions.sides(sentence)), set(self._mentions.sides(line.text))
        same_sides = not sides or (
            bool(others) and (sides <= others or (others <= sides and sides <= set(line.hit.passage.about)))
        )
        same_order = self._mentions.sides(sentence)[:1] == self._mentions.sides(line.text)[:1] or len(sides) < 2
        if isinstance(line.hit, RunNote):
            # A run's sentences name what was measured rather than the sides, and "from 31.0 to 40.8" is not "from 40.8 to 31.0".
            same_sides = sides <= others | set(line.hit.passage.about)
            same_order = _in_order(NUMBER.findall(sentence), NUMBER.findall(line.text))
        same_sign = len(_NEGATION.findall(sentence)) % 2 == len(_NEGATION.findall(line.text)) % 2
        return near and numbers and same_sides and same_order and same_sign


def judgeable(sentence: str, near: float, line: Line) -> bool:
    """Whether the sentence may rest on the line's note at all: near enough, and without numbers that the note lacks."""
    return near >= _NEAR and set(NUMBER.findall(sentence)) <= set(NUMBER.findall(line.hit.passage.text))


def _in_order(numbers: Sequence[str], others: Sequence[str]) -> bool:
    """Whether the numbers that both hold come in the same order in both."""
    places = [others.index(number) for number in dict.fromkeys(numbers) if number in others]
    return places == sorted(places)


def _coverage(sentence: str, text: str) -> float:
    """Share of the sentence's longer words that occur in the text."""
    words = {word for word in re.findall(r"[a-z]{4,}", sentence.lower())}
    known = set(re.findall(r"[a-z]{4,}", text.lower()))
    return len(words & known) / len(words) if words else 1.0


def all_sentences(text: str) -> list[str]:
    """The sentences of a text, a citation after a full stop counted to the sentence before it."""
    return split_sentences(re.sub(r"([.!?])((?:\s*\[R?\d+\])+)", r"\2\1", text))


def complete_sentences(text: str) -> tuple[list[str], str]:
    """The finished sentences of a growing text, and the unfinished rest, blanks at its end kept.

    A sentence is finished once the next has begun with a letter, so that a citation that arrives in pieces stays with it.
    """
    pieces = all_sentences(text)
    if len(pieces) < 2 or re.fullmatch(r"[\W\d]*", pieces[-1]):
        return [], text
    return pieces[:-1], pieces[-1] + text[len(text.rstrip()) :]
