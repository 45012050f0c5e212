"""The Llama architecture as a loop of our own over transformers' weights (Touvron et al. 2023, arXiv:2302.13971).

Rows of several lanes run through the linear layers together, which is nearly free from one row to a dozen, and attend together
(attention.py). Query, key and value matrices are one matrix, and so are gate and up. A token's rotary position (arXiv:2104.09864) is given with it, so
texts can be read apart and put side by side later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.engines.attention import LlamaLane, Tables, seating_order
from tutor.engines.decoder import Pass
from tutor.engines.quantized import Linear

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_EMBEDDINGS, _HEAD = "model.embed_tokens.weight", "lm_head.weight"


@dataclass(frozen=True)
class _Layer:
    before_attention: torch.Tensor
    qkv: Linear
    out: Linear
    before_mlp: torch.Tensor
    gate_up: Linear
    down: Linear


def fits(model: PreTrainedModel) -> bool:
    """Whether the model is a plain Llama: no biases, no scaled rotary positions, SiLU."""
    return _is_plain(model.config.to_dict())


def _is_plain(config: Mapping[str, Any]) -> bool:
    return bool(
        config["model_type"] == "llama"
        and not config.get("attention_bias", False)
        and not config.get("mlp_bias", False)
        and config["hidden_act"] == "silu"
        and (config.get("rope_parameters") or {}).get("rope_type", "default") == "default"
    )


@dataclass(frozen=True)
class Llama:
    """A plain Llama's weights by their names in its file, as many layers as they hold, and what they do not tell.

    The last product is with `head` (outputs, width); without one the states before it are given out, in the place of logits.
    """

    weights: Mapping[str, torch.Tensor]
    head: torch.Tensor | None
    heads: int
    kv_heads: int
    eps: float
    theta: float
    longest: int

    @property
    def width(self) -> int:
        """Numbers of a state."""
        return int(self.weights[_EMBEDDINGS].shape[1])

    @classmethod
    def of(cls, model: PreTrainedModel) -> Llama:
        """The weights of a loaded model; raises ValueError if it is none of these."""
        if not fits(model):
            raise ValueError(f"expected a plain Llama model, got {type(model).__name__}")
        weights = {name: value.detach() for name, value in model.named_parameters()}
        return cls(weights, model.get_output_embeddings().weight.detach(), *_shape(model.config.to_dict()))

    @classmethod
    def read(cls, folder: Path, layers: int) -> Llama:
        """The lowest layers from a folder as transformers writes it, without importing that; no head. Raises OSError, ValueError, KeyError or SafetensorError if it holds something else."""
        from safetensors import safe_open

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if not _is_plain(config):
            raise ValueError(f"expected a plain Llama model, got {config['model_type']!r}")
        with safe_open(folder / "model.safetensors", "pt") as file:
            names = list(file.keys())
            weights = {n: file.get_tensor(n) for n in names if n != _HEAD and _layer_of(n) < layers}
            if _EMBEDDINGS not in weights:  # of two that are one, the head may be what was written
                weights[_EMBEDDINGS] = file.get_tensor(_HEAD)
        return cls(weights, None, *_shape(config))


def _layer_of(name: str) -> int:
    """The number of the layer that a weight belongs to; -1 of one outside all layers."""
    _, found, rest = name.partition(".layers.")
    return int(rest.partition(".")[0]) if found else -1


def _shape(config: Mapping[str, Any]) -> tuple[int, int, float, float, int]:
    """Heads, heads of keys and values, the norms' epsilon, the base of rotary positions, the longest text."""
    rope = config.get("rope_parameters") or {}
    theta = float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0)
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    return heads, kv_heads, float(config["rms_norm_eps"]), theta, config["max_position_embeddings"]


class LlamaDecoder:
    """Weights are shared and only read; `int8` speeds up single rows at a small loss (docs/speed.md tells how small)."""

    apart = True

    def __init__(self, llama: Llama, int8: bool = False) -> None:
        import torch

        self._tables = Tables()
        self._heads, self._kv, self._eps = llama.heads, llama.kv_heads, llama.eps
        with torch.inference_mode():
            weights = llama.weights
            self._embed: torch.Tensor = weights[_EMBEDDINGS]
            layers = 1 + max(map(_layer_of, weights))
            self._layers = [_layer(weights, f"model.layers.{i}.", int8) for i in range(layers)]
            self._size = weights["model.layers.0.self_attn.q_proj.weight"].shape[0] // self._heads
            self._norm: torch.Tensor = weights["model.norm.weight"]
            self._head = None if llama.head is None else Linear(llama.head, int8)
            self._outputs = llama.width if llama.head is None else llama.head.shape[0]
            device = self._embed.device
            pace = llama.theta ** -(torch.arange(0, self._size, 2, device=device).float() / self._size)
            angles = torch.outer(torch.arange(llama.longest, device=device).float(), pace).repeat(1, 2)
            self._cos, self._sin = angles.cos().to(self._embed.dtype), angles.sin().to(self._embed.dtype)

    def lane(self, capacity: int) -> LlamaLane:
        import torch

        shape = (len(self._layers), 2, self._kv, capacity, self._size)
        return LlamaLane(torch.empty(shape, dtype=self._embed.dtype, device=self._embed.device))

    def run(self, passes: Sequence[Pass]) -> list[torch.Tensor]:
        import torch

        with torch.inference_mode():
            return self._run(passes)

    def release(self) -> None:
        self._tables.release()

    def _run(self, passes: Sequence[Pass]) -> list[torch.Tensor]:
        import torch
        from torch.nn.functional import rms_norm, silu

        device = self._embed.device
        # Lanes that attend as one stand next to each other.
        lanes: list[Any] = [one.lane for one in passes]
        order = seating_order(lanes, [len(one.tokens) for one in passes])
        passes, lanes = [passes[i] for i in order], [lanes[i] for i in order]
        counts = [len(one.tokens) for one in passes]
        ids = torch.tensor([token for one in passes for token in one.tokens], device=device)
        positions = torch.tensor([p.position + i for p in passes for i in range(len(p.tokens))], device=device)
        x = self._embed[ids]
        cos, sin = self._cos[positions][:, None], self._sin[positions][:, None]
        hidden = x.shape[1:]
        attend = self._tables.seat(lanes, counts, self._heads // self._kv)
        for i, layer in enumerate(self._layers):
            qkv = layer.qkv(rms_norm(x, hidden, layer.before_attention, self._eps))
            turning, v = qkv.view(len(ids), -1, self._size).split((self._heads + self._kv, self._kv), dim=1)
            q, k = _rotate(turning, cos, sin).split((self._heads, self._kv), dim=1)
            x = x + layer.out(attend(i, q, k, v))
            gate, up = layer.gate_up(rms_norm(x, hidden, layer.before_mlp, self._eps)).chunk(2, dim=1)
            x = x + layer.down(silu(gate) * up)
        attend.close()
        last, start = [], 0
        for one, n in zip(passes, counts, strict=True):
            start += n
            last.append(x[start - one.keep : start])
        wanted = torch.cat(last)
        if not len(wanted):
            return [wanted.new_empty(0, self._outputs) for _ in passes]
        states = rms_norm(wanted, hidden, self._norm, self._eps)
        logits = (states if self._head is None else self._head(states)).float()
        found = dict(zip(order, logits.split([one.keep for one in passes]), strict=True))
        return [found[i] for i in range(len(passes))]


def _layer(weights: Mapping[str, torch.Tensor], prefix: str, int8: bool) -> _Layer:
    import torch

    def joined(*names: str) -> Linear:
        parts = [weights[f"{prefix}{name}_proj.weight"] for name in names]
        return Linear(torch.cat(parts) if len(parts) > 1 else parts[0], int8)

    return _Layer(
        weights[f"{prefix}input_layernorm.weight"],
        joined("self_attn.q", "self_attn.k", "self_attn.v"),
        joined("self_attn.o"),
        weights[f"{prefix}post_attention_layernorm.weight"],
        joined("mlp.gate", "mlp.up"),
        joined("mlp.down"),
    )


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding, in halves as transformers does it."""
    import torch

    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
