"""The embedded model's tokenizer, and engines on a tiny random model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from tutor.engines.base import Message
from tutor.engines.decoder import Pass
from tutor.engines.local import LocalEngine
from tutor.engines.weights import ensure_tutor_model
from tutor.settings import Settings

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM

Tokenizer: TypeAlias = PreTrainedTokenizerBase
NOTES = "Pruning removes weights. Quantization rounds them to fewer bits, and keeps every one of them."


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """SmolLM2's tokenizer, from the cache."""
    return AutoTokenizer.from_pretrained(ensure_tutor_model(Settings.from_environ({}).cache))


@pytest.fixture
def engine(tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer) -> LocalEngine:
    """A fresh engine, nothing read yet, on the tiny random model."""
    return LocalEngine(tiny_llama, tokenizer, "tiny")


def asked(question: str) -> list[Message]:
    """A prompt with notes and a question."""
    return [Message("system", "Answer from the notes."), Message("user", f"{NOTES}\n\nQuestion: {question}")]


def count_passes(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list of the number of tokens that each forward pass was given."""
    sizes: list[int] = []
    run = engine.decoder.run

    def counted(passes: Sequence[Pass]) -> list[torch.Tensor]:
        sizes.append(sum(len(one.tokens) for one in passes))
        return run(passes)

    monkeypatch.setattr(engine.decoder, "run", counted)
    return sizes
