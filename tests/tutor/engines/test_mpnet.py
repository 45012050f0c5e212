"""The larger encoder written out: the library's vectors for less work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tutor.engines.adapter import merge_adapter
from tutor.engines.large_encoder import CHANGE
from tutor.engines.mpnet import Mpnet, pad, vectors_of
from tutor.engines.weights import ensure_large_encoder
from tutor.errors import EngineError, WeightsError
from tutor.settings import Settings

TEXTS = ("cats", "Größe 🦋 of a KV cache?", "What is the difference between pruning and quantization? " * 40)


@pytest.fixture(scope="module")
def folder() -> Path:
    """The encoder as published."""
    return ensure_large_encoder(Settings.from_environ({}).cache)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 2e-5), (None, 1e-2)])
def test_texts_get_the_vectors_that_the_library_gives(folder: Path, dtype: torch.dtype | None, near: float) -> None:
    """Protects what was trained with the library: short, long, cut, beside longer ones or of other scripts, a text has the vector that its outputs were fitted to."""
    from transformers import MPNetModel

    encoder = Mpnet.read(folder, CHANGE, "make encoder-classifier", dtype)
    library = MPNetModel.from_pretrained(folder, add_pooling_layer=False).eval()
    merge_adapter(dict(library.named_parameters()), CHANGE)
    tokens, real = pad([encoder.tokens(text) for text in TEXTS])
    assert tokens.shape[1] == 162 and tokens[2, -1] == 2  # of what is too long the end counts
    with torch.inference_mode():
        states = library(input_ids=tokens, attention_mask=real.long()).last_hidden_state
        vectors = encoder.vectors([encoder.tokens(text) for text in TEXTS])
        alone = encoder.vectors([encoder.tokens(TEXTS[0])])
    torch.testing.assert_close(vectors, vectors_of(states, real), atol=near, rtol=0)
    torch.testing.assert_close(vectors[:1], alone, atol=near, rtol=0)


def test_a_damaged_encoder_or_change_is_named_with_the_next_step(folder: Path, tmp_path: Path) -> None:
    """Protects whoever starts it: what is wrong and what to do, in one sentence."""
    with pytest.raises(EngineError, match="start again"):
        Mpnet.read(tmp_path, CHANGE, "make it")
    change = Path(shutil.copytree(CHANGE, tmp_path / "change"))
    weights = load_file(change / "adapter_model.safetensors")
    save_file(
        {name: value[:, :-1].contiguous() for name, value in weights.items()}, change / "adapter_model.safetensors"
    )
    with pytest.raises(WeightsError, match="make it"):
        Mpnet.read(folder, change, "make it")
