"""The embedded model as published, its tokenizer, and a way to run an experiment on a private copy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from demos import finetuning, letters
from demos.base import Demo, DemoResult, Lab, Progress, Specimen
from demos.measure import Span, Steps
from tutor.engines.weights import ensure_tutor_model

T = TypeVar("T")
TIMINGS = ("tokens_per_s", "tokens_per_s_reference")


@pytest.fixture(scope="session")
def published_folder() -> Path:
    """SmolLM2-135M-Instruct without the tutor's adapter."""
    return ensure_tutor_model(Path.home() / ".cache" / "llm-concepts-tutor", adapter=None)


@pytest.fixture(scope="session")
def tokenizer(published_folder: Path) -> PreTrainedTokenizerBase:
    loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(published_folder)
    return loaded


@pytest.fixture(scope="session")
def published_model(published_folder: Path) -> PreTrainedModel:
    """The real model in bf16. Tests that change it work on a copy."""
    loaded: PreTrainedModel = AutoModelForCausalLM.from_pretrained(published_folder, dtype="bfloat16").eval()
    return loaded


@pytest.fixture
def tiny_lab(tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase) -> Callable[..., Lab]:
    """Makes labs whose specimens are copies of the tiny random model."""

    def make(question: str = "", seed: int = 0) -> Lab:
        return Lab(lambda: Specimen(copy.deepcopy(tiny_llama), tokenizer), question, seed)

    return make


def returned(steps: Generator[Progress, None, T]) -> T:
    """What a measurement returns once its progress is read."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: T = stop.value
            return result


def run_to_end(demo: Demo, lab: Lab, **given: Any) -> tuple[list[Progress], DemoResult]:
    """Run the experiment; `group_size=64` is the setting group-size. Returns its progress and its result."""
    steps: Iterator[Progress | DemoResult] = demo.run(
        lab, demo.settings({name.replace("_", "-"): value for name, value in given.items()})
    )
    *progress, result = steps
    assert isinstance(result, DemoResult)
    assert all(isinstance(step, Progress) for step in progress)
    return [step for step in progress if isinstance(step, Progress)], result


def without_timings(result: DemoResult) -> dict[str, float]:
    return {name: value for name, value in result.metrics.items() if name not in TIMINGS}


def no_model() -> Specimen:
    """The specimen of an experiment that trains its own networks."""
    raise AssertionError("this experiment trains its own networks")


def _few_passages(span: Span) -> Steps[list[str]]:
    yield span.step(0, 1, "")
    return ["A few words that a small network can learn to continue, letter by letter, in each of the ways."] * 30


@pytest.fixture
def little_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters to learn, and batches of them, so few that only the bookkeeping is of interest."""
    monkeypatch.setattr(letters, "BATCH", 4)
    monkeypatch.setattr(finetuning, "READ_WINDOWS", 4)
    monkeypatch.setattr(letters, "read_passages", _few_passages)
