"""LoRA weights merged into their base, and refused by any other."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import LlamaForCausalLM

from tutor.engines.adapter import merge_adapter
from tutor.errors import WeightsError

TARGET = "model.layers.0.self_attn.q_proj"


def adapter(folder: Path, **changes: torch.Tensor | None) -> Path:
    """An adapter of rank 2 for one layer of the tiny model; `changes` replace or drop its tensors."""
    tensors: dict[str, torch.Tensor | None] = {
        "lora_A": torch.ones(2, 32),
        "lora_B": torch.full((32, 2), 0.25),
        **changes,
    }
    named = {f"base_model.model.{TARGET}.{name}.weight": t for name, t in tensors.items() if t is not None}
    folder.mkdir(exist_ok=True)
    save_file(named, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 8}))
    return folder


@pytest.fixture
def model(tiny_llama: LlamaForCausalLM) -> LlamaForCausalLM:
    """A copy to merge into."""
    return copy.deepcopy(tiny_llama)


def test_merging_adds_the_scaled_product(model: LlamaForCausalLM, tiny_llama: LlamaForCausalLM, tmp_path: Path) -> None:
    """W' = W + (alpha / r) · B A on the target, and no other weight moves."""
    merge_adapter(dict(model.named_parameters()), adapter(tmp_path))
    before = dict(tiny_llama.named_parameters())
    for name, weight in model.named_parameters():
        update = 4 * 2 * 0.25 if name == f"{TARGET}.weight" else 0.0
        assert torch.allclose(weight, before[name] + update, atol=1e-6), name


@pytest.mark.parametrize(
    "changes",
    [{"lora_A": torch.ones(2, 33)}, {"lora_B": torch.ones(31, 2)}, {"lora_B": None}],
    ids=["in", "out", "half"],
)
def test_a_foreign_adapter_is_refused(
    model: LlamaForCausalLM, tmp_path: Path, changes: dict[str, torch.Tensor | None]
) -> None:
    """Shapes of another base model give a WeightsError with the next step."""
    with pytest.raises(WeightsError, match="another base model"):
        merge_adapter(dict(model.named_parameters()), adapter(tmp_path, **changes))


def test_layers_that_the_base_lacks_are_refused(model: LlamaForCausalLM, tmp_path: Path) -> None:
    """An adapter of a deeper model is foreign, too."""
    adapter(tmp_path)
    names = {f"base_model.model.model.layers.7.self_attn.q_proj.lora_{x}.weight": torch.ones(2, 2) for x in "AB"}
    save_file(names, tmp_path / "adapter_model.safetensors")
    with pytest.raises(WeightsError, match=r"layers\.7"):
        merge_adapter(dict(model.named_parameters()), tmp_path)


def test_ranks_that_differ_are_refused(model: LlamaForCausalLM, tmp_path: Path) -> None:
    """A and B of different ranks are damage, not a RuntimeError."""
    with pytest.raises(WeightsError):
        merge_adapter(dict(model.named_parameters()), adapter(tmp_path, lora_B=torch.ones(32, 3)))


def test_an_adapter_without_lora_weights_is_refused(model: LlamaForCausalLM, tmp_path: Path) -> None:
    """A file of other tensors would change nothing, so it is refused."""
    adapter(tmp_path)
    save_file({"other": torch.ones(2)}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(WeightsError, match="no LoRA weights"):
        merge_adapter(dict(model.named_parameters()), tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("adapter_model.safetensors", b"junk"),
        ("adapter_model.safetensors", b""),
        ("adapter_config.json", b"{"),
        ("adapter_config.json", b"[]"),
        ("adapter_config.json", b'{"r": 2}'),
        ("adapter_config.json", b"\xff\xfe"),
        pytest.param("adapter_config.json", b'{"r": 0, "lora_alpha": 8}'),
    ],
)
def test_a_damaged_adapter_is_refused(model: LlamaForCausalLM, tmp_path: Path, name: str, data: bytes) -> None:
    """Cut, altered or foreign files give a WeightsError that says how to restore them."""
    (adapter(tmp_path) / name).write_bytes(data)
    with pytest.raises(WeightsError, match="git checkout"):
        merge_adapter(dict(model.named_parameters()), tmp_path)


def test_a_missing_adapter_is_refused(model: LlamaForCausalLM, tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(WeightsError, match="gone"):
        merge_adapter(dict(model.named_parameters()), tmp_path / "gone")
