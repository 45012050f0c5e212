"""Texts of like length are read together, each once, and each group learns at its own pace."""

from __future__ import annotations

import random

import pytest
import torch

from tutor.distill.lower_layers import steps_of_like_length, train_through


def test_every_text_is_read_once_a_round() -> None:
    """Protects: nothing is lost where steps are filled up to their most tokens."""
    lengths = [n % 50 + 2 for n in range(300)]
    steps = steps_of_like_length(lengths, random.Random(0).sample(range(300), 300), 64, 1_700)
    assert sorted(i for step in steps for i in step) == list(range(300))
    assert max(len(step) * max(lengths[i] for i in step) for step in steps) <= 1_700


def test_each_group_learns_at_its_own_pace() -> None:
    """Protects: an output that begins as the model's own preference is moved gently while the layers learn."""
    fast, slow = (torch.zeros(1, requires_grad=True) for _ in range(2))
    groups = [{"params": [fast], "pace": 0.1}, {"params": [slow], "pace": 0.001}]
    read: list[int] = []

    def loss_of(places: list[int]) -> torch.Tensor:
        read.extend(places)
        return ((fast - 3) ** 2 + (slow - 3) ** 2).sum()

    train_through([[i] for i in range(100)], loss_of, groups, 10)
    assert read == list(range(100))
    assert float(fast.detach()) == pytest.approx(3, abs=0.5) and 0 < float(slow.detach()) < 0.2
