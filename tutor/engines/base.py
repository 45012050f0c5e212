"""What the tutor asks of a model, and nothing about which model it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable


@dataclass(frozen=True)
class Message:
    """One turn of a chat prompt.

    `notes` stand before the content. An engine may read each without the others, so that what it knows of a note is the same
    in every prompt; to one that cannot they are text like any other.
    """

    role: Literal["system", "user", "assistant"]
    content: str
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Notes and content as one text."""
        return "".join(self.notes) + self.content


@dataclass(frozen=True)
class Branch:
    """One way to go on: `text` is appended to the answer if the model prefers it; "" ends the answer.

    `bias` is added to the branch's log-probability (nats) wherever it competes; one that leads by more than likelihoods differ decides
    without the model (tutor/engines/choosing.py: DECIDED). `key` is the caller's own.
    """

    text: str
    key: int = -1
    bias: float = 0.0


Grammar: TypeAlias = Callable[[tuple[Branch, ...]], Sequence[Branch]]
"""From the branches taken so far to the ones allowed next; an empty sequence ends the answer."""


class Engine(Protocol):
    """A chat model. Closing an iterator stops the work behind it."""

    name: str

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Yield the answer piece by piece, greedily decoded. Raises EngineError with a next step."""
        ...

    def count(self, text: str) -> int:
        """How many tokens the text is."""
        ...


@runtime_checkable
class ChoosingEngine(Engine, Protocol):
    """A model whose next tokens can be held to given texts."""

    def choose(self, messages: Sequence[Message], grammar: Grammar) -> Iterator[Branch]:
        """Yield the branches that the model prefers, one after another, until the grammar allows none or "" was chosen.

        It may end earlier, after whole branches, where the answer grows too long for the model. Raises EngineError with a next step.
        """
        ...
