"""What a turn yields, in this order: Understood, Retrieved, (DemoProgress*, DemoFinished), (Delta | Checked)*, Answered.

Retrieved comes only for a question or a run. Where a question then gets no answer, Understood comes once more, before the words that say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from demos.base import DemoResult, Prediction, Value
from knowledge.passages import QuizItem
from knowledge.search import Hit
from tutor.experiments.runs import Mark, Run, RunNote, mark_of

Intent = Literal["ask", "demo", "quiz", "smalltalk", "refuse"]
Support = Literal["supported", "quoted"]


TURNS = 6
"""Of the history, the last, in which a turn looks for what it goes on from."""


@dataclass(frozen=True)
class Exchange:
    """One earlier turn as the history tells it; `run` is what an experiment measured in it."""

    user: str
    tutor: str
    run: Run | None = None


@dataclass(frozen=True)
class DemoCall:
    """An experiment with checked parameters."""

    name: str
    params: Mapping[str, Value]


@dataclass(frozen=True)
class Understood:
    """What the tutor takes the question for; `query` is searched, and shown where `rewritten`."""

    intent: Intent
    query: str
    rewritten: bool = False
    demo: DemoCall | None = None


@dataclass(frozen=True)
class Retrieved:
    """The notes found; note n of the answer is `hits[n - 1]`, and earlier runs come last."""

    hits: tuple[Hit, ...]
    covered: bool


@dataclass(frozen=True)
class Delta:
    """Text to append to the answer."""

    text: str


@dataclass(frozen=True)
class Checked:
    """A sentence that was shown, and what it rests on: `sources` are note numbers and labels of runs ("R1")."""

    text: str
    sources: tuple[Mark, ...]
    support: Support
    score: float


@dataclass(frozen=True)
class DemoProgress:
    """How far an experiment is, 0 to 1."""

    fraction: float
    note: str


@dataclass(frozen=True)
class DemoFinished:
    """An experiment's result; `note` is the run as a source, under its label in this conversation."""

    call: DemoCall
    title: str
    result: DemoResult
    seed: int
    note: RunNote


@dataclass(frozen=True)
class Source:
    """A note, or a run, as the learner sees it beside the answer."""

    n: Mark
    hit: Hit
    cited: bool


@dataclass(frozen=True)
class Timings:
    """Seconds from the question; tokens as the answering model counts them."""

    first_token_s: float
    total_s: float
    prompt_tokens: int
    new_tokens: int


@dataclass(frozen=True)
class Answered:
    """The whole turn, once it is over."""

    text: str
    understood: Understood
    sources: tuple[Source, ...]
    sentences: tuple[Checked, ...]
    followups: tuple[str, ...]
    timings: Timings
    abstained: bool = False
    concept: str | None = None
    finished: DemoFinished | None = None
    quiz: QuizItem | None = None
    prediction: Prediction | None = None


Event: TypeAlias = Understood | Retrieved | Delta | Checked | DemoProgress | DemoFinished | Answered


def sources_of(notes: Sequence[Hit], checked: Sequence[Checked]) -> tuple[Source, ...]:
    """Every note under its mark, and whether a sentence rests on it."""
    cited = {mark for sentence in checked for mark in sentence.sources}
    return tuple(Source(mark_of(n, hit), hit, mark_of(n, hit) in cited) for n, hit in enumerate(notes, 1))
