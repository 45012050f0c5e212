"""What an experiment is: a name, parameters with ranges, and a generator that measures.

An experiment gets a `Lab` and yields `Progress` at least twice a second, then one `DemoResult`. Closing the generator
stops the work: there is nothing else to cancel. An experiment never touches the model that answers; `Lab.specimen()`
returns a private copy each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from knowledge.passages import Reference
from tutor.errors import DemoError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Value: TypeAlias = int | float | str


@dataclass(frozen=True)
class Param:
    """One setting. Numbers have a range (`low` to `high`, inclusive), texts have `choices` or are free.

    `spoken` are patterns that find the value in a learner's words, in group 1 ("4 bits"), or, as (pattern, value) pairs,
    stand for a value ("only the attention layers"). `loose` ones are tried where these find nothing, and only in a message that is
    known to be about a run of this experiment: they would fit much else. A `percent` is spoken as 70 and means 0.7.
    `relative` are patterns by which it is told as so many times another setting: "alpha twice the rank".
    """

    name: str
    default: Value
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] = ()
    spoken: tuple[str | tuple[str, Value], ...] = ()
    loose: tuple[str | tuple[str, Value], ...] = ()
    percent: bool = False
    relative: tuple[tuple[str, str, float], ...] = ()

    def parse(self, value: Value) -> Value:
        """Return the value in the default's type; raises DemoError naming what is allowed."""
        kind = type(self.default)
        try:
            parsed = kind(str(value).strip()) if kind is not str else str(value).strip()
        except ValueError as error:
            raise DemoError(self._refusal(value)) from error
        if self.choices and parsed not in self.choices:
            raise DemoError(self._refusal(value))
        if not isinstance(parsed, str):
            too_low = self.low is not None and parsed < self.low
            too_high = self.high is not None and parsed > self.high
            if too_low or too_high or parsed != parsed:
                raise DemoError(self._refusal(value))
        return parsed

    def _refusal(self, value: Value) -> str:
        """What is wrong, and what the setting means: who asked for "1 user" need not know that users are its rows."""
        return f"--{self.name} ({self.help}) is {value!r}; give {self.allowed()}."

    def implies(self, value: Value) -> dict[str, Value]:
        """Other settings that this value sets where nothing else does."""
        return {}

    def allowed(self) -> str:
        """What may be given, in words that follow “give” or a setting's name."""
        if self.choices:
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        if self.low is not None and self.high is not None:
            kind = "a whole number" if isinstance(self.default, int) else "a number"
            return f"{kind} from {self.low:g} to {self.high:g}"
        return "some text"


@dataclass(frozen=True)
class Specimen:
    """A model that the experiment may change as it likes, with its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


@dataclass(frozen=True)
class Lab:
    """What an experiment works with. `question` is the learner's own last question, or empty."""

    specimen: Callable[[], Specimen]
    question: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """How far the run is, 0 to 1, and what it does now, for the learner to read."""

    fraction: float
    note: str


@dataclass(frozen=True)
class Table:
    """Rows of cells that are already worded for the learner ("68.1 MB"); column heads carry units."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DemoResult:
    """What was measured. Of a `summary` of two paragraphs the page folds the second away; `figure` is a PNG; `metrics` are plain numbers for checks and citations.

    `exhibits` are texts worth reading in full (prompts, answers side by side), by caption.
    """

    summary: str
    table: Table
    metrics: Mapping[str, float | int]
    figure: bytes | None = None
    figure_alt: str = ""
    exhibits: Mapping[str, str] = field(default_factory=dict)


Run: TypeAlias = Callable[[Lab, Mapping[str, Any]], Iterator[Progress | DemoResult]]


@dataclass(frozen=True)
class Prediction:
    """What a learner may expect before a run: a question and two to four choices, of which the metrics make one true.

    `outcome` returns one of the choices. `gaps` holds, for choices that a learner may wrongly pick, the id of the passage
    (most often a misconception) that addresses the thought behind it.
    """

    question: str
    choices: tuple[str, ...]
    outcome: Callable[[Mapping[str, float | int]], str]
    gaps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Demo:
    """One experiment; `concepts` are ids of the sets that it illustrates.

    `words` is a pattern for what learners call it; it routes "show me …" here. `verbs` is a pattern for a command that
    means the experiment by itself ("prune 70%"). `prediction` is what the page asks before a run. `because` names, for what
    it measures ("size", "speed", "quality"), the sentence of the notes that explains it, however it came out. `say` is a request that
    starts it, as an example for learners. `measured` names what was measured on, for who asks what another model would show; it is empty where that is the machine.
    """

    name: str
    title: str
    concepts: tuple[str, ...]
    params: tuple[Param, ...]
    run: Run
    words: str = ""
    verbs: str = ""
    prediction: Prediction | None = None
    because: Mapping[str, Reference] = field(default_factory=dict)
    say: str = ""
    measured: str = "SmolLM2-135M-Instruct, a model of 135 million weights,"

    def settings(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Defaults overlaid with the given values; raises DemoError for an unknown name or a value out of range."""
        known = {param.name: param for param in self.params}
        for name in given:
            if name not in known:
                raise DemoError(f"{self.name} has no setting {name!r}; it has {', '.join(known) or 'none'}.")
        implied = {key: value for name in given for key, value in known[name].implies(given[name]).items()}
        return {name: param.parse({**implied, **given}.get(name, param.default)) for name, param in known.items()}
