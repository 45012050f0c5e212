"""What the wording of a question wants."""

from __future__ import annotations

import pytest

from knowledge.aspects import aspect_of
from knowledge.passages import KINDS


@pytest.mark.parametrize(
    ("question", "aspect"),
    [
        ("What is pruning?", "definition"),
        ("define LoRA", "definition"),
        ("What is the difference between pruning and quantization?", "contrast"),
        ("pruning vs quantization", "contrast"),
        ("Give me an example of few-shot prompting", "example"),
        ("Explain LoRA like I'm five", "analogy"),
        ("When should I use RAG?", "when"),
        ("How much memory does LoRA need?", "numbers"),
        ("Why is decoding slow?", "why"),
        ("How does quantization work?", "how"),
        ("drawbacks of distillation", "limits"),
        ("pruning", None),
        ("", None),
    ],
)
def test_the_wording_tells_the_kind(question: str, aspect: str | None) -> None:
    """Common wordings map to the passage kind that answers them; a bare name maps to none."""
    assert aspect_of(question) == aspect
    assert aspect is None or aspect in KINDS
