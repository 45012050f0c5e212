"""Batches of the sentence encoder's training."""

from __future__ import annotations

import random
from collections import Counter

from tutor.distill.encoder import Asked, batches


def test_what_is_asked_more_often_comes_more_often() -> None:
    """Protects: questions worded far from the notes count as often as they are told to; none is left out."""
    asked = [Asked(f"near {i}", i % 3) for i in range(300)] + [Asked(f"far {i}", i % 3, often=4) for i in range(60)]
    made = batches(asked, ["cats", "dogs", "tea"], 40, random.Random(0))
    times = Counter(place for batch in made for place in batch)
    near = sum(times[i] for i in range(300)) / 300
    far = sum(times[i] for i in range(300, 360)) / 60
    assert 3.5 < far / near < 4.5
    assert len(made) == 40 and all(times[place] for place in range(len(asked)))
