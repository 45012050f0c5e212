"""The sentence encoder cut in two for training: lower layers that run once, and trainable copies of the last ones.

As it is trained here it is what answers (knowledge/bert.py), but for dropout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.bert import HEADS, PARTS
from tutor.engines.models import fastest_dtype

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_WARMUP, _DROPOUT = 20, 0.1


class TopLayers:
    """The encoder cut in two: `lower` runs without gradients, `upper` with trainable copies of the last layers."""

    def __init__(self, folder: str, layers: int, begin: Sequence[Path] = ()) -> None:
        """So many `layers` are trained; `begin` holds weights to start from, in the place of the published ones. Raises ValueError if it holds others."""
        from safetensors.torch import load_file
        from sentence_transformers import SentenceTransformer

        self._layers = layers
        self._whole: Any = SentenceTransformer(folder, device="cpu", local_files_only=True)
        for path in begin:
            if unknown := self._whole.load_state_dict(load_file(path), strict=False).unexpected_keys:
                raise ValueError(f"{path} must hold weights of the encoder, got {unknown[:3]}; run `make encoder`")
        bert: Any = self._whole[0].auto_model
        self._bert = bert.eval()
        names = {id(value): name for name, value in self._whole.named_parameters()}
        modules = [layer.get_submodule(part) for layer in bert.encoder.layer[-layers:] for part in PARTS]
        originals = [value for module in modules for value in (module.weight, module.bias)]
        self.names = [names[id(value)] for value in originals]
        self.start = [value.detach().float().clone() for value in originals]
        self.weights = [value.clone().requires_grad_() for value in self.start]
        bert.encoder.layer = bert.encoder.layer[:-layers]
        self._dtype = fastest_dtype()

    def lower(self, texts: Sequence[str]) -> list[Tensor]:
        """Hidden states (tokens, width) of each text below the trained layers."""
        import torch

        found: dict[int, Tensor] = {}
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        half = self._dtype == torch.bfloat16
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            for start in range(0, len(order), 128):
                rows = order[start : start + 128]
                batch = self._whole.tokenizer(
                    [texts[i] for i in rows], padding=True, truncation=True, max_length=80, return_tensors="pt"
                )
                states = self._bert(**batch).last_hidden_state
                for i, state, length in zip(rows, states, batch["attention_mask"].sum(1).tolist(), strict=True):
                    found[i] = state[:length].to(self._dtype).clone()
        return [found[i] for i in range(len(texts))]

    def upper(self, states: Sequence[Tensor], train: bool = True) -> Tensor:
        """Unit vectors (texts, width), fp32. Texts of like length run together."""
        import torch

        weights = [value.to(self._dtype) for value in self.weights]
        order = sorted(range(len(states)), key=lambda i: len(states[i]))
        parts = [self._run([states[i] for i in order[s : s + 80]], weights, train) for s in range(0, len(order), 80)]
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(parts)[back]

    def descend(self, optimizer: torch.optim.Optimizer, loss: Tensor, step: int, steps: int) -> None:
        """One step down the loss; the optimizer's rate rises from nothing over the first steps and falls again as a cosine."""
        import torch

        for group in optimizer.param_groups:
            group["lr"] = (
                optimizer.defaults["lr"] * min(1, (step + 1) / _WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))
            )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        optimizer.step()

    def trained(self) -> dict[str, Tensor]:
        """The weights as they are now, by their names in the encoder, bf16."""
        import torch

        return {name: value.detach().to(torch.bfloat16) for name, value in zip(self.names, self.weights, strict=True)}

    def _run(self, states: Sequence[Tensor], weights: Sequence[Tensor], train: bool) -> Tensor:
        """BERT layers (Devlin et al. 2018, arXiv:1810.04805) written out: x (texts, tokens, width), then the mean over tokens."""
        import torch
        from torch.nn.functional import gelu, layer_norm, linear, normalize

        lengths = torch.tensor([len(state) for state in states])
        x = torch.nn.utils.rnn.pad_sequence(list(states), batch_first=True)
        rows, tokens, width = x.shape
        real = torch.arange(tokens)[None] < lengths[:, None]
        unseen = torch.zeros(rows, 1, 1, tokens, dtype=x.dtype).masked_fill(~real[:, None, None], -1e4)
        for layer in range(self._layers):
            q, qb, k, kb, v, vb, o, ob, n, nb, i, ib, d, db, m, mb = weights[16 * layer : 16 * layer + 16]
            qkv = linear(x, torch.cat([q, k, v]), torch.cat([qb, kb, vb]))
            heads = qkv.view(rows, tokens, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
            scores = heads[0] @ heads[1].transpose(-1, -2) * (width // HEADS) ** -0.5 + unseen
            mixed = (scores.softmax(-1) @ heads[2]).transpose(1, 2).reshape(rows, tokens, width)
            x = layer_norm(x + dropped(linear(mixed, o, ob), _DROPOUT, train), (width,), n, nb, 1e-12)
            inner = linear(gelu(linear(x, i, ib)), d, db)
            x = layer_norm(x + dropped(inner, _DROPOUT, train), (width,), m, mb, 1e-12)
        return normalize((x.float() * real[..., None]).sum(1) / lengths[:, None], dim=1)


def dropped(x: Tensor, rate: float, train: bool) -> Tensor:
    """Dropout of x (texts, tokens, width) with one mask for all tokens of a text (Gal & Ghahramani 2016, arXiv:1512.05287): random numbers are what a CPU is slow at."""
    import torch

    return x * torch.nn.functional.dropout(torch.ones_like(x[:, :1]), rate) if train else x
