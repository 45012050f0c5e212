"""Words that point at a side by its place."""

from __future__ import annotations

import pytest

from tutor.context.ordinals import by_name

SIDES = ("pruning", "quantization", "distillation")


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("why is the second one so slow?", "why is quantization so slow?"),
        ("how do they turn the first one into the second?", "how do they turn pruning into quantization?"),
        ("what is the last kind used for", "what is distillation used for"),
        ("show me what the third one looks like", "show me what distillation looks like"),
        ("is the latter cheaper", "is quantization cheaper"),
        ("the former or the latter?", "pruning or quantization?"),
        ("who was the first one to use it?", "who was the first one to use it?"),
        ("does the second token matter?", "does the second token matter?"),
        ("what about the fourth one?", "what about the fourth one?"),
    ],
)
def test_a_place_is_a_name(question: str, meant: str) -> None:
    """Protects: what points at a side becomes its name, and what does not stays as it was typed."""
    assert by_name(question, SIDES) == meant
