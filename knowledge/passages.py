"""What the notes hold, as frozen values: sets with their sides, sources and passages. concept_files.py reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from knowledge.sentences import split_sentences
from knowledge.words import content_words

KINDS = (
    "definition",
    "contrast",
    "how",
    "why",
    "when",
    "numbers",
    "example",
    "analogy",
    "limits",
    "misconception",
)
Polarity = Literal["yes", "no"]
Reference = tuple[str, int]
"""Passage id and sentence number."""


@dataclass(frozen=True)
class Source:
    """A primary source: paper, model card or vendor document."""

    key: str
    title: str
    url: str


@dataclass(frozen=True)
class Side:
    """One of the things that a set tells apart; `aliases` are the words learners use for it."""

    id: str
    name: str
    aliases: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


@dataclass(frozen=True)
class Ask:
    """A question that a passage answers; `polarity` is the answer's Yes or No, where it has one."""

    text: str
    polarity: Polarity | None = None


@dataclass(frozen=True)
class Passage:
    """Two to five sentences that answer one question; `about` holds side ids, `sources` source keys.

    `phrasings` are further ways to ask for it, for retrieval only; `asks` are also offered to learners.
    """

    id: str
    concept: str
    title: str
    kind: str
    about: tuple[str, ...]
    text: str
    asks: tuple[Ask, ...]
    sources: tuple[str, ...]
    claim: str = ""
    why: str = ""
    line: int = 0
    phrasings: tuple[str, ...] = ()

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        return tuple(split_sentences(self.text))

    @property
    def all_text(self) -> str:
        """Everything that lexical search sees."""
        return " ".join([self.title, self.text, self.claim, *(ask.text for ask in self.asks), *self.phrasings])


@dataclass(frozen=True)
class QuizItem:
    """A multiple-choice question; `answer` is the index of the right choice."""

    question: str
    choices: tuple[str, ...]
    answer: int
    because: str


@dataclass(frozen=True)
class Concept:
    """One confusion set with everything that its file holds."""

    id: str
    title: str
    question: str
    sides: tuple[Side, ...]
    terms: tuple[str, ...]
    prerequisites: tuple[str, ...]
    related: tuple[str, ...]
    demos: tuple[str, ...]
    diagram: str
    diagram_alt: str
    sources: tuple[Source, ...]
    passages: tuple[Passage, ...]
    quiz: tuple[QuizItem, ...]
    path: Path


@dataclass(frozen=True)
class Knowledge:
    """Every concept that could be read, and one line for each file that could not."""

    concepts: tuple[Concept, ...]
    problems: tuple[str, ...] = ()

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        return tuple(passage for concept in self.concepts for passage in concept.passages)

    @cached_property
    def by_id(self) -> dict[str, Concept]:
        return {concept.id: concept for concept in self.concepts}

    @cached_property
    def places(self) -> dict[str, tuple[str, int]]:
        """Where each sentence stands: passage id and number."""
        return {sentence: (p.id, i) for p in self.passages for i, sentence in enumerate(p.sentences)}

    @cached_property
    def own_words(self) -> frozenset[str]:
        """Content words of the passages and their tidy questions, without learners' everyday phrasings."""
        texts = (t for p in self.passages for t in (p.title, p.text, p.claim, *(ask.text for ask in p.asks)))
        return frozenset(word for text in texts for word in content_words(text))

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every content word of the passages and of the questions that they answer."""
        return frozenset(word for passage in self.passages for word in content_words(passage.all_text))

    @cached_property
    def spoken(self) -> dict[str, frozenset[str]]:
        """Of each set the content words of what its passages say."""
        return {
            concept.id: frozenset(word for passage in concept.passages for word in content_words(passage.text))
            for concept in self.concepts
        }
