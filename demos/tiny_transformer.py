"""A decoder-only transformer of about 100,000 parameters, small enough to be trained from nothing within seconds.

Pre-norm blocks of causal attention with rotary positions (Su et al. 2021, RoFormer, arXiv:2104.09864) and a
feed-forward layer; embedding and output head are separate matrices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demos.seeding import seeded_embedding, seeded_linear

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module

WIDTH, HEADS, LAYERS = 64, 4, 2
LONGEST = 64  # tokens


def tiny_transformer(vocabulary: int, source: Generator) -> Module:
    """Calling it with token ids [batch, T], T ≤ 64, returns next-token logits [batch, T, vocabulary]."""
    import torch
    from torch.nn.functional import layer_norm, relu, scaled_dot_product_attention

    size = WIDTH // HEADS
    angles = torch.outer(torch.arange(LONGEST), 100.0 ** -(torch.arange(0, size, 2) / size)).repeat(1, 2)
    turn = torch.stack([angles.cos(), angles.sin()])  # [2, LONGEST, size]

    def rotate(x: Tensor) -> Tensor:
        one, two = x.chunk(2, -1)
        cos, sin = turn[:, : x.shape[-2]]
        turned: Tensor = x * cos + torch.cat([-two, one], -1) * sin
        return turned

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv = seeded_linear(WIDTH, 3 * WIDTH, source)
            self.mix = seeded_linear(WIDTH, WIDTH, source, 0.5)
            self.up = seeded_linear(WIDTH, 4 * WIDTH, source)
            self.down = seeded_linear(4 * WIDTH, WIDTH, source, 0.5)

        def forward(self, x: Tensor) -> Tensor:
            batch, length, _ = x.shape
            parts = self.qkv(layer_norm(x, (WIDTH,))).view(batch, length, 3, HEADS, size).permute(2, 0, 3, 1, 4)
            queries, keys = rotate(parts[:2])
            seen = scaled_dot_product_attention(queries, keys, parts[2], is_causal=True)
            x = x + self.mix(seen.transpose(1, 2).reshape(batch, length, WIDTH))
            after: Tensor = x + self.down(relu(self.up(layer_norm(x, (WIDTH,)))))
            return after

    class Transformer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = seeded_embedding(vocabulary, WIDTH, source, 0.1)
            self.blocks = torch.nn.ModuleList(Block() for _ in range(LAYERS))
            self.head = seeded_linear(WIDTH, vocabulary, source)

        def forward(self, ids: Tensor) -> Tensor:
            x = self.embedding(ids)
            for block in self.blocks:
                x = block(x)
            logits: Tensor = self.head(layer_norm(x, (WIDTH,)))
            return logits

    return Transformer()


def continue_text(model: Module, ids: Tensor, count: int, source: Generator | None = None, each: int = 1) -> Tensor:
    """The next `count` tokens [batch * each, count] after `ids` [batch, T], `each` continuations of a text in a row.

    Sampled at temperature 1, or the likeliest ones (greedy) without a source.
    """
    import torch

    start = ids.repeat_interleave(each, 0)
    with torch.inference_mode():
        found = torch.empty(len(start), 0, dtype=ids.dtype)
        for i in range(count):
            # A text is read once for all of its first tokens.
            read = (
                model(ids)[:, -1].repeat_interleave(each, 0) if i == 0 else model(torch.cat([start, found], 1))[:, -1]
            )
            if source is None:
                following = read.argmax(-1, keepdim=True)
            else:
                following = torch.multinomial(read.softmax(-1), 1, generator=source)
            found = torch.cat([found, following], 1)
    return found.clone()
