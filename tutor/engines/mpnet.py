"""all-mpnet-base-v2 with a low-rank change (Hu et al. 2021, arXiv:2106.09685): a text to a unit vector, written out as knowledge/bert.py is and for its reasons.

MPNet (Song et al. 2020, arXiv:2004.09297), a BERT of 110 million weights whose scores also have a bias by how far apart two tokens stand, trained on a billion
pairs of sentences (https://huggingface.co/sentence-transformers/all-mpnet-base-v2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.bert import Affine, Layer, run_through
from tutor.engines.adapter import merge_adapter
from tutor.engines.models import fastest_dtype
from tutor.errors import EngineError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_BEGIN, _PAD, _END = 0, 1, 2  # tokens
_LONGEST = 160  # tokens of a text
_NEAR, _FAR = 8, 128  # tokens apart up to which each distance has a bias of its own, and from which all have the same
_SMALLEST = 1e-5  # that a layer norm divides by
_NAMES = {  # of BERT's parts
    "attention.self.query": "attention.attn.q",
    "attention.self.key": "attention.attn.k",
    "attention.self.value": "attention.attn.v",
    "attention.output.dense": "attention.attn.o",
    "attention.output.LayerNorm": "attention.LayerNorm",
    "intermediate.dense": "intermediate.dense",
    "output.dense": "output.dense",
    "output.LayerNorm": "output.LayerNorm",
}


@dataclass(frozen=True)
class Mpnet:
    """`biases` (distances, heads) are those of scores."""

    tokenizer: Any
    words: Tensor
    positions: Tensor
    norm: Affine
    biases: Tensor
    layers: tuple[Layer, ...]

    @classmethod
    def read(cls, folder: Path, change: Path, retrain: str, dtype: torch.dtype | None = None) -> Mpnet:
        """From a folder as published, with the change as peft writes it; products in the type that is fastest here, or in this one. Raises EngineError if there is no usable model, and WeightsError, which names the command that makes it anew, if the change does not fit it."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        try:
            weights = load_file(folder / "model.safetensors")
            tokenizer = Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
            merge_adapter(weights, change, retrain)
            words, positions = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position"))
            norm = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
            biases = weights["encoder.relative_attention_bias.weight"]
            layers: list[Layer] = []
            while f"encoder.layer.{len(layers)}.output.dense.weight" in weights:
                layers.append(_layer(weights, len(layers)).laid_out(dtype or fastest_dtype()))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise EngineError(
                f"The encoder in {folder} cannot be loaded ({error}); delete that folder and start again."
            ) from error
        return cls(tokenizer, words, positions, norm, biases, tuple(layers))

    def tokens(self, text: str) -> list[int]:
        """What is read of a text."""
        return read_tokens(self.tokenizer, text)

    def vectors(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Of each text's tokens the mean of the last states, of length one: (texts, width)."""
        x, seen, real = self._begin(texts)
        return vectors_of(run_through(self.layers, x, seen, _SMALLEST), real)

    def views(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Two vectors of each text, that of the states halfway and that of the last: (texts, 2 · width)."""
        import torch

        half = len(self.layers) // 2
        x, seen, real = self._begin(texts)
        halfway = run_through(self.layers[:half], x, seen, _SMALLEST)
        last = run_through(self.layers[half:], halfway, seen, _SMALLEST)
        return torch.cat((vectors_of(halfway, real), vectors_of(last, real)), dim=1)

    def _begin(self, texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, Tensor]:
        """The states below all layers, what is added to scores, and which tokens are real."""
        import torch
        from torch.nn.functional import layer_norm

        tokens, real = pad(texts)
        longest = tokens.shape[1]
        x = self.words[tokens] + self.positions[_PAD + 1 : _PAD + 1 + longest]
        unseen = torch.zeros(real.shape).masked_fill(~real, -math.inf)[:, None, None]
        return layer_norm(x, x.shape[-1:], *self.norm, _SMALLEST), self._bias(longest) + unseen, real

    def _bias(self, tokens: int) -> Tensor:
        """Of scores, (heads, tokens, tokens): near tokens by their distance, far ones by its logarithm, each way by itself (Raffel et al. 2019, arXiv:1910.10683)."""
        import torch

        place = torch.arange(tokens)
        behind = place[:, None] - place[None]
        apart = behind.abs()
        growth = (apart.clamp(min=1) / _NEAR).log() / math.log(_FAR / _NEAR) * _NEAR
        far = (_NEAR + growth.long()).clamp(max=2 * _NEAR - 1)
        bucket = torch.where(apart < _NEAR, apart, far) + 2 * _NEAR * (behind < 0)
        return self.biases[bucket].permute(2, 0, 1)


def read_tokens(tokenizer: Any, text: str) -> list[int]:
    """What is read, between the tokens for beginning and end; of what is too long the end counts, where a follow-up stands."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return [_BEGIN, *tokenizer.encode(text, add_special_tokens=False).ids[-_LONGEST:], _END]


def pad(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """The tokens (texts, tokens), and which of them are real."""
    import torch

    longest = max(map(len, texts))
    tokens = torch.tensor([[*text, *(_PAD,) * (longest - len(text))] for text in texts])
    return tokens, tokens != _PAD


def vectors_of(states: Tensor, real: Tensor) -> Tensor:
    """Of states (texts, tokens, width) the mean over the real tokens, of length one: (texts, width)."""
    from torch.nn.functional import normalize

    return normalize((states * real[..., None]).sum(1) / real.sum(1, keepdim=True), dim=1)


def _layer(weights: Mapping[str, Tensor], number: int) -> Layer:
    return Layer.of(
        {
            f"{part}.{kind}": weights[f"encoder.layer.{number}.{name}.{kind}"]
            for part, name in _NAMES.items()
            for kind in ("weight", "bias")
        }
    )
