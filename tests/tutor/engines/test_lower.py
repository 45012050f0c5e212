"""The lower layers read from a folder, with a change and outputs of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file, save_model
from transformers import LlamaForCausalLM

from tutor.engines.decoder import Pass
from tutor.engines.llama import Llama, LlamaDecoder
from tutor.engines.lower import ANY, WIDTH, Lower, read_lower
from tutor.errors import EngineError, WeightsError

TOKENS = [5, 9, 2, 7]
OUTPUTS = {"head": (ANY, WIDTH), "keys": (ANY,)}


@pytest.fixture
def folder(tiny_llama: LlamaForCausalLM, tmp_path: Path) -> Path:
    """The tiny model as weights.py writes one, with a tokenizer that knows two words."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    path = tmp_path / "model"
    path.mkdir()
    save_model(tiny_llama, str(path / "model.safetensors"), metadata={"format": "pt"})
    tiny_llama.config.save_pretrained(path)
    Tokenizer(WordLevel({"cats": 0, "dogs": 1}, unk_token="cats")).save(str(path / "tokenizer.json"))
    return path


@pytest.fixture
def change(tiny_llama: LlamaForCausalLM, tmp_path: Path) -> Path:
    """A change of the first layer, and outputs for two answers."""
    width = tiny_llama.config.hidden_size
    name = "base_model.model.model.layers.0.self_attn.q_proj"
    state = {f"{name}.lora_A.weight": torch.ones(2, width), f"{name}.lora_B.weight": torch.full((width, 2), 0.1)}
    path = tmp_path / "change"
    path.mkdir()
    (path / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 4}))
    output = {"head": torch.ones(2, width), "keys": torch.tensor([2**31 + 1, 0])}
    save_file({**state, **output}, path / "adapter_model.safetensors")
    return path


def lower_of(folder: Path, change: Path) -> Lower:
    return read_lower(folder, 1, change, OUTPUTS, "make it")


def test_a_folder_is_read_as_the_model_that_was_saved(folder: Path, tiny_llama: LlamaForCausalLM) -> None:
    """Protects: names, tied embeddings and positions are those of transformers; without a head the normed states come out."""
    layers = tiny_llama.config.num_hidden_layers
    read, whole = Llama.read(folder, layers), Llama.of(tiny_llama)
    assert (replace(read, weights={}), read.head) == (replace(whole, weights={}, head=None), None)
    decoder = LlamaDecoder(read)
    states = decoder.run([Pass(decoder.lane(8), TOKENS, 0, keep=2), Pass(decoder.lane(8), [1], 0, keep=0)])
    with torch.inference_mode():
        wanted = tiny_llama.model(torch.tensor([TOKENS])).last_hidden_state[0, -2:]
    assert torch.allclose(states[0], wanted, atol=1e-3) and states[1].shape == (0, read.width)
    assert len(LlamaDecoder(Llama.read(folder, 1))._layers) == 1


def test_whole_numbers_stay_whole(folder: Path, change: Path) -> None:
    """Protects: a sentence's key, which a fraction of 16 or 32 bits would round."""
    assert lower_of(folder, change).output["keys"].tolist() == [2**31 + 1, 0]


def test_the_change_is_merged(folder: Path, change: Path) -> None:
    """Protects: what was trained; without it the layers would read as published."""
    lower, published = lower_of(folder, change).decoder, LlamaDecoder(Llama.read(folder, 1))
    (changed,), (plain,) = (d.run([Pass(d.lane(8), TOKENS, 0)]) for d in (lower, published))
    assert not torch.allclose(changed.float(), plain.float(), atol=1e-2)


@pytest.mark.parametrize("wrong", [{"head": torch.ones(2, 7)}, {"keys": torch.tensor([1])}, {"keys": None}])
def test_outputs_that_do_not_fit_are_refused(folder: Path, change: Path, wrong: dict[str, torch.Tensor | None]) -> None:
    """Protects: a learner is told what to run, instead of a traceback or another sentence's name."""
    path = change / "adapter_model.safetensors"
    state = {**load_file(path), **wrong}
    save_file({name: value for name, value in state.items() if value is not None}, path)
    with pytest.raises(WeightsError, match="make it"):
        lower_of(folder, change)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("data", [b"junk", None])
def test_a_damaged_model_is_told(folder: Path, change: Path, name: str, data: bytes | None) -> None:
    """Protects: each file of the folder; what the libraries raise is no learner's business."""
    (folder / name).unlink()
    if data is not None:
        (folder / name).write_bytes(data)
    with pytest.raises(EngineError, match="start again"):
        lower_of(folder, change)
