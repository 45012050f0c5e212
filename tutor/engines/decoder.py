"""What the tutor's loops ask of a decoder: lanes that hold keys and values, and forward passes over several lanes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Stretch: TypeAlias = "tuple[Tensor, ...]"
"""Keys and values of consecutive positions, the positions in the last dimension but one of each tensor."""


class Lane(Protocol):
    """One text being read or written: the keys and values of its tokens so far."""

    @property
    def length(self) -> int:
        """How many tokens it holds."""
        ...

    def stretch(self, start: int, end: int) -> Stretch:
        """A copy of the keys and values of tokens `start` to `end`."""
        ...

    def append(self, stretch: Stretch) -> None:
        """Go on with keys and values that were computed before, copied. RuntimeError if they do not fit."""
        ...

    def rewind(self, length: int) -> None:
        """Forget all tokens after the first `length`."""
        ...


@dataclass(frozen=True)
class Pass:
    """Tokens to feed into a lane, the first at rotary `position`; the logits of the last `keep` are wanted, or, of a decoder without a head, the states."""

    lane: Lane
    tokens: Sequence[int]
    position: int
    keep: int = 1


class Decoder(Protocol):
    """A model. `apart` says whether a token's position may differ from its place in the lane.

    Safe to call from one thread at a time.
    """

    apart: bool

    def lane(self, capacity: int) -> Lane:
        """An empty lane. Whoever feeds it more than `capacity` tokens spoils the whole run, so callers compare first."""
        ...

    def run(self, passes: Sequence[Pass]) -> list[Tensor]:
        """Run all passes in one go; each gives logits (keep, vocabulary), or states (keep, width) if there is no head, fp32.

        A pass that does not fit its lane may be a ValueError for all of them, before any lane has grown.
        """
        ...

    def release(self) -> None:
        """Give back the memory that is kept from one run to the next; the next run takes what it needs anew."""
        ...


def cut(stretch: Stretch, length: int) -> Stretch:
    """The first `length` positions, as views."""
    return tuple(tensor[..., :length, :] for tensor in stretch)
