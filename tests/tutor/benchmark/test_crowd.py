"""A class asks what one learner asks, so that their first tokens can be compared."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tutor.benchmark.crowd import crowd
from tutor.benchmark.worker import BenchPrompt

PROMPTS = [BenchPrompt(str(i), "first", f"Question {i}?", ()) for i in range(10)]


@pytest.mark.parametrize(("learners", "runs", "answers"), [(1, 2, 10), (4, 2, 12), (4, 5, 20)])
def test_every_prompt_is_asked_whatever_the_size_of_the_class(learners: int, runs: int, answers: int) -> None:
    """Protects: one learner's figures, which stood for the first few questions only; one slow first token in ten shows in p95, not in p50."""
    asked: list[str] = []

    def stream(prompt: BenchPrompt) -> Iterator[str]:
        asked.append(prompt.id)
        time.sleep(0.2 if prompt.id == "9" else 0.0)
        yield "first"
        yield "second"

    found = crowd(stream, PROMPTS, learners, runs)
    assert set(asked) == {prompt.id for prompt in PROMPTS} and len(asked) == answers
    assert found["first_p95_s"] - found["first_p50_s"] > 0.05 and found["learners"] == learners
    assert 0 < found["answers_per_s"] < answers / 0.2
