"""Texts of like length are read together, each once."""

from __future__ import annotations

import random

from tutor.distill.lower_layers import steps_of_like_length


def test_every_text_is_read_once_a_round() -> None:
    """Protects: nothing is lost where steps are filled up to their most tokens."""
    lengths = [n % 50 + 2 for n in range(300)]
    steps = steps_of_like_length(lengths, random.Random(0).sample(range(300), 300), 64, 1_700)
    assert sorted(i for step in steps for i in step) == list(range(300))
    assert max(len(step) * max(lengths[i] for i in step) for step in steps) <= 1_700
