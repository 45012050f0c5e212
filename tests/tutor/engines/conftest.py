"""The embedded model's tokenizer, and engines on a tiny random model."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from tutor.engines.local import LocalEngine
from tutor.engines.weights import ensure_tutor_model
from tutor.settings import Settings

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

Tokenizer: TypeAlias = PreTrainedTokenizerBase


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """SmolLM2's tokenizer, from the cache."""
    return AutoTokenizer.from_pretrained(ensure_tutor_model(Settings.from_environ({}).cache))


@pytest.fixture
def engine(tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer) -> LocalEngine:
    """A fresh engine, nothing read yet, on the tiny random model."""
    return LocalEngine(tiny_llama, tokenizer, "tiny")
