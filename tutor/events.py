"""What a turn yields, in this order: Understood, Retrieved, (DemoProgress*, DemoFinished), (Delta | Checked)*, Answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from demos.base import DemoResult, Value
from knowledge.passages import QuizItem
from knowledge.search import Hit

Intent = Literal["ask", "demo", "quiz", "smalltalk", "refuse"]
Support = Literal["supported", "quoted"]


@dataclass(frozen=True)
class Exchange:
    """One earlier turn as the history tells it."""

    user: str
    tutor: str


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
    """The passages found; note n of the answer is `hits[n - 1]`."""

    hits: tuple[Hit, ...]
    covered: bool


@dataclass(frozen=True)
class Delta:
    """Text to append to the answer."""

    text: str


@dataclass(frozen=True)
class Checked:
    """A sentence that was shown, and what it rests on: `sources` are note numbers."""

    text: str
    sources: tuple[int, ...]
    support: Support
    score: float


@dataclass(frozen=True)
class DemoProgress:
    """How far an experiment is, 0 to 1."""

    fraction: float
    note: str


@dataclass(frozen=True)
class DemoFinished:
    """An experiment's result."""

    call: DemoCall
    title: str
    result: DemoResult
    seed: int


@dataclass(frozen=True)
class Source:
    """A note as the learner sees it beside the answer."""

    n: int
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


Event: TypeAlias = Understood | Retrieved | Delta | Checked | DemoProgress | DemoFinished | Answered
