"""Choosing among given texts: the model is asked where likelihoods can matter, and only there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from tutor.engines.base import Branch
from tutor.engines.choosing import DECIDED, choose

WORDS = ["<end>", "cats", "dogs", "purr", "bark"]


class Spy:
    """Stands for a model that likes each word as the weights say, and notes what it had to read."""

    def __init__(self, *weights: float, room: int = 100) -> None:
        self.weights, self.read, self.room = torch.tensor(weights, dtype=torch.float32), list[list[int]](), room

    def feed(self, tokens: Sequence[int], read: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        assert len(tokens) <= self.room
        self.read.append(list(tokens))
        self.room -= len(tokens)
        return read(self.weights[None])


def said(spy: Spy, *steps: Sequence[Branch]) -> list[str]:
    """The texts chosen at the given forks."""
    branches = choose(
        spy,
        lambda chosen: steps[len(chosen)] if len(chosen) < len(steps) else (),
        steps[0],
        lambda branch, first: [WORDS.index(word) for word in (branch.text or "<end>").split()],
    )
    return [branch.text for branch in branches]


def test_a_clear_lead_asks_no_model() -> None:
    """Protects: the speed of most first sentences, and a model that would say otherwise by a little."""
    spy = Spy(0, 0, 5, 0, 0)
    assert said(spy, (Branch("cats", bias=DECIDED + 1), Branch("dogs"))) == ["cats"]
    assert spy.read == []


def test_a_small_lead_asks_the_model() -> None:
    """Protects: the model's own likelihoods where hints leave a choice open."""
    spy = Spy(0, 0, 5, 0, 0)
    assert said(spy, (Branch("cats", bias=1), Branch("dogs"))) == ["dogs"]
    assert spy.read == [[]]


def test_what_was_decided_is_read_with_the_next_fork() -> None:
    """Protects: the model knows all that was said when it is asked, and reads it in one pass."""
    spy = Spy(0, 0, 0, 1, 9)
    steps = ((Branch("cats", bias=DECIDED + 1), Branch("dogs")), (Branch("purr"), Branch("bark"), Branch("")))
    assert said(spy, *steps) == ["cats", "bark"]
    assert spy.read == [[WORDS.index("cats")]]


@pytest.mark.parametrize(("bias", "text"), [(DECIDED + 1, "cats"), (-DECIDED - 1, "cats purr")])
def test_an_end_can_be_decided_too(bias: float, text: str) -> None:
    """Protects: a text that begins a longer one."""
    spy = Spy(0, 0, 0, 0, 0)
    assert said(spy, (Branch("cats", bias=bias), Branch("cats purr"))) == [text]
    assert spy.read == []


@pytest.mark.parametrize(("purr", "text"), [(-1.0, "cats"), (5.0, "cats purr")])
def test_an_open_end_is_weighed_against_going_on(purr: float, text: str) -> None:
    """Protects: a text that begins a longer one ends there if the model would rather not say what the longer one says next."""
    spy = Spy(0, 0, 0, purr, 0)
    assert said(spy, (Branch("cats"), Branch("cats purr"))) == [text]
    assert spy.read == [[WORDS.index("cats")]]


def test_an_answer_ends_where_its_text_is_full() -> None:
    """Protects: a pass beyond the lane, which would fail for the whole class; what was chosen before is whole, and stays."""
    fork = (Branch("cats purr", bias=1), Branch("dogs bark"))
    spy = Spy(0, 0, 0, 0, 0, room=4)
    assert said(spy, fork, fork, fork, fork) == ["cats purr"] * 3
    assert spy.room == 0
