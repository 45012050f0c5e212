"""The Llama architecture as a loop of our own over transformers' weights (Touvron et al. 2023, arXiv:2302.13971).

Rows of several lanes run through the linear layers together, which is nearly free from one row to a dozen, and attend together
(attention.py). Query, key and value matrices are one matrix, and so are gate and up. A token's rotary position (arXiv:2104.09864) is given with it, so
texts can be read apart and put side by side later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tutor.engines.attention import LlamaLane, Tables, seating_order
from tutor.engines.decoder import Pass
from tutor.engines.quantized import Linear

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


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
    config: Any = model.config
    rope = getattr(config, "rope_parameters", None) or {}
    return bool(
        config.model_type == "llama"
        and not getattr(config, "attention_bias", False)
        and not getattr(config, "mlp_bias", False)
        and config.hidden_act == "silu"
        and rope.get("rope_type", "default") == "default"
    )


class LlamaDecoder:
    """Weights are shared and only read; `int8` speeds up single rows at a small loss (docs/speed-bf16.md tells how small)."""

    apart = True

    def __init__(self, model: PreTrainedModel, int8: bool = False) -> None:
        import torch

        if not fits(model):
            raise ValueError(f"expected a plain Llama model, got {type(model).__name__}")
        self._tables = Tables()
        inner: Any = model.model
        config: Any = model.config
        self._heads, self._kv = config.num_attention_heads, config.num_key_value_heads
        self._size = int(getattr(config, "head_dim", None) or config.hidden_size // self._heads)
        self._eps = float(config.rms_norm_eps)
        with torch.inference_mode():
            self._embed: torch.Tensor = inner.embed_tokens.weight.detach()
            self._layers = [
                _Layer(
                    layer.input_layernorm.weight.detach(),
                    Linear(
                        torch.cat([p.weight for p in (attn.q_proj, attn.k_proj, attn.v_proj)]).detach(),
                        int8,
                    ),
                    Linear(attn.o_proj.weight.detach(), int8),
                    layer.post_attention_layernorm.weight.detach(),
                    Linear(torch.cat([layer.mlp.gate_proj.weight, layer.mlp.up_proj.weight]).detach(), int8),
                    Linear(layer.mlp.down_proj.weight.detach(), int8),
                )
                for layer in inner.layers
                for attn in (layer.self_attn,)
            ]
            self._norm: torch.Tensor = inner.norm.weight.detach()
            self._head = Linear(model.get_output_embeddings().weight.detach(), int8)
            positions = torch.arange(config.max_position_embeddings, device=self._embed.device)
            self._cos, self._sin = (t[0] for t in inner.rotary_emb(self._embed[:1][None], positions[None]))

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
            return [wanted.new_empty(0, self._embed.shape[0]) for _ in passes]
        logits = self._head(rms_norm(wanted, hidden, self._norm, self._eps)).float()
        found = dict(zip(order, logits.split([one.keep for one in passes]), strict=True))
        return [found[i] for i in range(len(passes))]


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding, in halves as transformers does it."""
    import torch

    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
