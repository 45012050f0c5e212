"""The Llama architecture as a loop of our own over transformers' weights (Touvron et al. 2023, arXiv:2302.13971).

Rows of several lanes run through the linear layers together, which is nearly free from one row to a dozen; attention runs a lane
at a time. Query, key and value matrices are one matrix, and so are gate and up. Keys and values lie in memory that is taken once
a lane. A token's rotary position (arXiv:2104.09864) is given with it, so texts can be read apart and put side by side later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tutor.engines.decoder import Pass, Stretch
from tutor.engines.quantized import Linear

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class LlamaLane:
    """Keys and values of one text, shape (layers, 2, key-value heads, capacity, head size)."""

    def __init__(self, data: torch.Tensor) -> None:
        self.data, self.length = data, 0

    def stretch(self, start: int, end: int) -> Stretch:
        return (self.data[:, :, :, start:end].clone(),)

    def append(self, stretch: Stretch) -> None:
        (data,) = stretch
        end = self.length + data.shape[3]
        self.data[:, :, :, self.length : end] = data
        self.length = end

    def rewind(self, length: int) -> None:
        self.length = length


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
    """Weights are shared and only read; `int8` speeds up single rows at a small loss (docs/speed.md tells how small)."""

    apart = True

    def __init__(self, model: PreTrainedModel, int8: bool = False) -> None:
        import torch

        if not fits(model):
            raise ValueError(f"expected a plain Llama model, got {type(model).__name__}")
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

    def _run(self, passes: Sequence[Pass]) -> list[torch.Tensor]:
        import torch
        from torch.nn.functional import rms_norm, silu

        device = self._embed.device
        counts = [len(one.tokens) for one in passes]
        ids = torch.tensor([token for one in passes for token in one.tokens], device=device)
        positions = torch.tensor([p.position + i for p in passes for i in range(len(p.tokens))], device=device)
        x = self._embed[ids]
        cos, sin = self._cos[positions][:, None], self._sin[positions][:, None]
        width, hidden = (self._heads, self._kv, self._kv), x.shape[1:]
        masks = [_causal(one.lane.length, len(one.tokens), device) for one in passes]
        for i, layer in enumerate(self._layers):
            qkv = layer.qkv(rms_norm(x, hidden, layer.before_attention, self._eps))
            q, k, v = qkv.view(len(ids), -1, self._size).split(width, dim=1)
            q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
            start, mixed = 0, []
            for one, n, mask in zip(passes, counts, masks, strict=True):
                rows = slice(start, start + n)
                start += n
                mixed.append(self._attend(one.lane, i, q[rows], k[rows], v[rows], mask))
            x = x + layer.out(mixed[0] if len(mixed) == 1 else torch.cat(mixed))
            gate, up = layer.gate_up(rms_norm(x, hidden, layer.before_mlp, self._eps)).chunk(2, dim=1)
            x = x + layer.down(silu(gate) * up)
        last, start = [], 0
        for one, n in zip(passes, counts, strict=True):
            start += n
            last.append(x[start - one.keep : start])
            lane: Any = one.lane
            lane.length += n
        wanted = torch.cat(last)
        if not len(wanted):
            return [wanted.new_empty(0, self._embed.shape[0]) for _ in passes]
        logits = self._head(rms_norm(wanted, hidden, self._norm, self._eps)).float()
        return list(logits.split([one.keep for one in passes]))

    def _attend(
        self, lane: Any, i: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """Attention of n new rows over all of the lane: q (n, heads, size), k and v (n, kv, size) → (n, heads · size)."""
        import torch

        n, end = q.shape[0], lane.length + q.shape[0]
        data = lane.data[i]
        data[0, :, lane.length : end] = k.transpose(0, 1)
        data[1, :, lane.length : end] = v.transpose(0, 1)
        keys, values = data[0, :, :end], data[1, :, :end]
        if n == 1:
            # Grouped-query attention of one row: the queries that share a key head are the rows of one small product.
            scores = q.view(self._kv, -1, self._size) @ keys.transpose(1, 2) * self._size**-0.5
            return (scores.softmax(-1) @ values).view(1, -1)
        mixed = torch.nn.functional.scaled_dot_product_attention(
            q.transpose(0, 1)[None],
            keys[None],
            values[None],
            attn_mask=mask,
            is_causal=mask is None,
            enable_gqa=self._kv != self._heads,
        )
        return mixed[0].transpose(0, 1).reshape(n, -1)


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding, in halves as transformers does it."""
    import torch

    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def _causal(before: int, n: int, device: torch.device) -> torch.Tensor | None:
    """Which of `before + n` keys each of n new rows sees, (n, before + n); None where plain causal attention does."""
    import torch

    if before == 0 or n == 1:
        return None
    return torch.ones(n, before + n, dtype=torch.bool, device=device).tril(before)
