"""For models that write freely: is a sentence supported by the notes, and if not, which sentence of theirs stands in for it?

A sentence passes when a note's sentence lies near it, all its numbers occur in that note, and a model that has read the note finds it
likelier than its rivals (tutor/contrast.py). Without such a model it must say much the same as the note's sentence, about the
same sides in the same order, and neither may negate what the other affirms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from knowledge.search import Hit
from knowledge.sentences import split_sentences
from tutor.composition import cited
from tutor.contrast import NUMBER, Scoring, advantage, rivals
from tutor.events import Checked
from tutor.runs import Mark, RunNote, mark_of

_NEAR = 0.45  # with a model to judge the rest
_ADVANTAGE = 1.0  # nats
_SIMILAR = 0.62
_SIMILAR_WITH_WORDS = 0.50
_COVERED_WORDS = 0.75
_CITATION = re.compile(r"\s*\[(R?\d+)\]")
_NEGATION = re.compile(r"\b(?:not|never|no|none|nothing|without|cannot|neither|nor)\b|n't\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Line:
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

    def __init__(
        self, hits: Sequence[Hit], embedder: Embedder, mentions: Mentions, model: Scoring | None = None
    ) -> None:
        self._embedder, self._mentions, self._model = embedder, mentions, model
        self._lines = [
            _Line(mark_of(n, hit), text, hit) for n, hit in enumerate(hits, 1) for text in hit.passage.sentences
        ]
        self._vectors = embedder.embed([line.text for line in self._lines])
        self._shown: set[str] = set()

    def check(self, sentence: str) -> Checked | None:
        """The sentence with its source if it is supported, else a quotation; None if nothing is left to say."""
        plain = _CITATION.sub("", sentence).strip()
        claimed = set(_CITATION.findall(sentence))
        if not plain or not self._lines:
            return None
        if re.fullmatch(r"(?:yes|no)[.,!]?", plain, re.IGNORECASE):
            return Checked(plain.rstrip(".,!").capitalize() + ".", (), "supported", 1.0)
        scores = self._vectors @ self._embedder.embed([plain])[0]
        order = sorted(
            range(len(self._lines)), key=lambda i: -(scores[i] + (0.05 if str(self._lines[i].n) in claimed else 0.0))
        )
        for i in order[: 3 if self._model is None else 1]:
            if self._supports(self._lines[i], plain, float(scores[i])):
                if plain in self._shown:
                    return None
                self._shown.update((plain, self._lines[i].text))
                return Checked(
                    cited(plain, self._lines[i].n), (self._lines[i].n,), "supported", round(float(scores[i]), 3)
                )
        best = next((i for i in order if self._lines[i].text not in self._shown), None)
        if best is None or scores[best] < 0.35:
            return None
        line = self._lines[best]
        self._shown.add(line.text)
        return Checked(cited(line.text, line.n), (line.n,), "quoted", round(float(scores[best]), 3))

    def _supports(self, line: _Line, sentence: str, score: float) -> bool:
        note = line.hit.passage.text
        if self._model is not None and not isinstance(line.hit, RunNote):
            if score < _NEAR or not set(NUMBER.findall(sentence)) <= set(NUMBER.findall(note)):
                return False
            if sentence in line.hit.passage.sentences:
                return True
            return advantage(sentence, rivals(sentence, self._mentions, note), note, self._model) >= _ADVANTAGE
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
