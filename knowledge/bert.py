"""The sentence encoder's layers written out, for a few short texts at a time.

The library that trained the encoder (sentence-transformers) takes seconds to import and as long around a pass of one question as for the pass
itself. Here two encoders that have their lower layers in common can also go on from the same states. Many texts go through the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tutor.packed import pack, packed_linear

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Affine: TypeAlias = "tuple[Tensor, Tensor]"
"""Weight and bias."""
Texts: TypeAlias = "Sequence[str] | Sequence[tuple[str, str]]"

HEADS = 12
_SMALLEST = 1e-12  # that a layer norm divides by
_QKV = ("attention.self.query", "attention.self.key", "attention.self.value")
_REST = (
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
PARTS = (*_QKV, *_REST)


@dataclass(frozen=True)
class Dense:
    """x (…, in) → (…, out); the weight is laid out for the CPU when it is first used."""

    weight: Tensor
    bias: Tensor

    @cached_property
    def _blocks(self) -> Tensor | None:
        return pack(self.weight)

    def __call__(self, x: Tensor) -> Tensor:
        from torch.nn.functional import linear

        blocks, narrow = self._blocks, x.to(self.bias.dtype)
        product = linear(narrow, self.weight, self.bias) if blocks is None else packed_linear(narrow, blocks, self.bias)
        return product.to(x.dtype)

    def laid_out(self, dtype: torch.dtype) -> Dense:
        """The same in this type, of which nothing but the layout is kept where there is one."""
        weight, bias = self.weight.to(dtype), self.bias.to(dtype)
        blocks = pack(weight)
        if blocks is None:
            return Dense(weight, bias)
        alone = Dense(weight.to("meta"), bias)
        alone.__dict__["_blocks"] = blocks
        return alone


@dataclass(frozen=True)
class Layer:
    """One layer; queries, keys and values are computed by one product."""

    qkv: Dense
    out: Dense
    norm: Affine
    inner: Dense
    outer: Dense
    last: Affine

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> Layer:
        """From weights named as they were published, PARTS with `.weight` and `.bias`. Raises KeyError or RuntimeError where they do not fit."""
        import torch

        qkv = (torch.cat([weights[f"{part}.{kind}"].float() for part in _QKV]) for kind in ("weight", "bias"))
        out, norm, inner, outer, last = (
            (weights[f"{part}.weight"].float(), weights[f"{part}.bias"].float()) for part in _REST
        )
        return cls(Dense(*qkv), Dense(*out), norm, Dense(*inner), Dense(*outer), last)

    def laid_out(self, dtype: torch.dtype) -> Layer:
        """For a model whose weights nobody looks at again: its products in this type, and half the memory."""
        qkv, out, inner, outer = (dense.laid_out(dtype) for dense in (self.qkv, self.out, self.inner, self.outer))
        return Layer(qkv, out, self.norm, inner, outer, self.last)

    def weights(self) -> dict[str, Tensor]:
        """What `of` takes, without a copy."""
        split = zip(self.qkv.weight.chunk(3), self.qkv.bias.chunk(3), strict=True)
        out, inner, outer = ((dense.weight, dense.bias) for dense in (self.out, self.inner, self.outer))
        affine = [*split, out, self.norm, inner, outer, self.last]
        named = zip(PARTS, affine, strict=True)
        return {
            f"{part}.{kind}": value
            for part, pair in named
            for kind, value in zip(("weight", "bias"), pair, strict=True)
        }


@dataclass(frozen=True)
class States:
    """Hidden states (texts, tokens, width), and which tokens are real (texts, tokens)."""

    x: Tensor
    real: Tensor

    def mean(self) -> Tensor:
        """Over the real tokens, shape (texts, width)."""
        real = self.real[..., None]
        return (self.x * real).sum(1) / real.sum(1)


@dataclass(frozen=True)
class Bert:
    """BERT (Devlin et al. 2018, arXiv:1810.04805): the sum of three embeddings, then layers."""

    tokenizer: Any
    words: Tensor
    positions: Tensor
    types: Tensor
    norm: Affine
    layers: tuple[Layer, ...]

    @classmethod
    def load(cls, folder: Path) -> Bert:
        """The weights and the tokenizer of a folder as published. Raises KeyError or RuntimeError if it holds another kind of model."""
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        weights = load_file(folder / "model.safetensors")
        words, positions, types = (
            weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        norm = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
        layers: list[Layer] = []
        while (prefix := f"encoder.layer.{len(layers)}.") + "output.dense.weight" in weights:
            layers.append(Layer.of({name.removeprefix(prefix): value for name, value in weights.items()}))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        return cls(tokenizer, words, positions, types, norm, tuple(layers))

    def embed(self, texts: Texts, longest: int) -> States:
        """Below the first layer: texts, or pairs of texts, cut to so many tokens."""
        import torch
        from torch.nn.functional import layer_norm

        self.tokenizer.enable_truncation(longest)
        encoded = self.tokenizer.encode_batch(list(texts))
        tokens = max(len(text) for text in encoded)
        ids, kinds, real = (
            torch.tensor([[*row, *(0,) * (tokens - len(row))] for row in rows])
            for rows in zip(*((text.ids, text.type_ids, text.attention_mask) for text in encoded), strict=True)
        )
        x = self.words[ids] + self.types[kinds] + self.positions[:tokens]
        return States(layer_norm(x, x.shape[-1:], *self.norm, _SMALLEST), real.bool())

    def run(self, states: States, start: int = 0, stop: int | None = None) -> States:
        """Through the layers from `start` to before `stop`."""
        return States(
            run_through(self.layers[start:stop], states.x, states.real[:, None, None], _SMALLEST), states.real
        )


def run_through(layers: Sequence[Layer], x: Tensor, mask: Tensor, smallest: float) -> Tensor:
    """Hidden states (texts, tokens, width) behind these layers; `mask`, to be broadcast to (texts, heads, tokens, tokens), says what is seen or is added to scores."""
    from torch.nn.functional import gelu, layer_norm, scaled_dot_product_attention

    rows, tokens, width = x.shape
    for layer in layers:
        qkv = layer.qkv(x).view(rows, tokens, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attn_mask=mask)
        x = x + layer.out(mixed.transpose(1, 2).reshape(rows, tokens, width))
        x = layer_norm(x, (width,), *layer.norm, smallest)
        x = x + layer.outer(gelu(layer.inner(x)))
        x = layer_norm(x, (width,), *layer.last, smallest)
    return x
