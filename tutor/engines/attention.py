"""Attention of several texts at once, each text's new tokens over all of its own keys and values.

Texts that get equally many new tokens, a class's next ones above all, are copied side by side into one padded batch and multiplied
together: copying costs less than the many small products, and each text keeps memory of its own size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from tutor.engines.decoder import Stretch

if TYPE_CHECKING:
    import torch

_FEW = 16  # new tokens of a text up to which texts attend side by side; longer ones have work enough of their own


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


class Attention:
    """The attention of one forward pass: lane i gets counts[i] new rows, and lanes of equal counts stand next to each other."""

    def __init__(self, lanes: Sequence[LlamaLane], counts: Sequence[int], sharing: int) -> None:
        """`sharing` is how many query heads share a key-value head."""
        self._parts = list(_parts(lanes, counts, sharing))

    def __call__(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """q (rows, heads, size), k and v (rows, key-value heads, size) → (rows, heads · size); keys and values are kept."""
        import torch

        kv = torch.stack((k, v), dim=1)
        mixed = [part(layer, q[part.rows], kv[part.rows]) for part in self._parts]
        return mixed[0] if len(mixed) == 1 else torch.cat(mixed)


def _parts(lanes: Sequence[LlamaLane], counts: Sequence[int], sharing: int) -> Iterator[_SideBySide | _Alone]:
    start = 0
    for n, group in groupby(zip(lanes, counts, strict=True), key=lambda pair: pair[1]):
        together = [lane for lane, _ in group]
        if n <= _FEW:
            yield _SideBySide(together, n, start, sharing)
        else:
            for i, lane in enumerate(together):
                yield _Alone(lane, n, start + i * n)
        start += n * len(together)


class _SideBySide:
    """Lanes with n new rows each, as a batch that is padded to the longest."""

    def __init__(self, lanes: Sequence[LlamaLane], n: int, start: int, sharing: int) -> None:
        import torch

        self.rows = slice(start, start + n * len(lanes))
        self._lanes, self._n = lanes, n
        _, _, heads, _, size = lanes[0].data.shape
        longest = max(lane.length for lane in lanes) + n
        # Zeros, since what lies behind a lane's end is multiplied by a weight of 0, which leaves no other number harmless.
        self._kv = lanes[0].data.new_zeros(2, len(lanes), heads, longest, size)
        seen = torch.tensor([[lane.length + i for i in range(n)] for lane in lanes], device=self._kv.device)
        hidden = torch.arange(longest, device=self._kv.device) > seen[:, :, None]
        bias = self._kv.new_zeros(hidden.shape).masked_fill_(hidden, float("-inf"))
        # (lanes, rows, keys) → (lanes · key-value heads, sharing · rows, keys)
        self._bias = bias[:, None, None].expand(-1, heads, sharing, -1, -1).reshape(-1, sharing * n, longest)

    def __call__(self, layer: int, q: torch.Tensor, kv: torch.Tensor) -> torch.Tensor:
        import torch

        n, (_, batch, heads, longest, size) = self._n, self._kv.shape
        for i, lane in enumerate(self._lanes):
            end = lane.length + n
            data = lane.data[layer]
            data[:, :, lane.length : end] = kv[i * n : (i + 1) * n].permute(1, 2, 0, 3)
            self._kv[:, i, :, :end] = data[:, :, :end]
        # Grouped-query attention: the queries that share a key head are rows of one product.
        q = q.view(batch, n, heads, -1, size).permute(0, 2, 3, 1, 4).reshape(batch * heads, -1, size)
        keys, values = self._kv.view(2, batch * heads, longest, size)
        scores = torch.baddbmm(self._bias, q, keys.transpose(1, 2), alpha=size**-0.5)
        mixed = scores.softmax(-1) @ values
        return mixed.view(batch, heads, -1, n, size).permute(0, 3, 1, 2, 4).reshape(batch * n, -1)


class _Alone:
    """One lane with many new rows: a piece of a prompt, a long sentence."""

    def __init__(self, lane: LlamaLane, n: int, start: int) -> None:
        import torch

        self.rows = slice(start, start + n)
        self._lane, self._end = lane, lane.length + n
        ones = torch.ones(n, self._end, dtype=torch.bool, device=lane.data.device)
        # Which keys each new row sees; a text's beginning is plainly causal.
        self._mask = ones.tril(lane.length) if lane.length else None

    def __call__(self, layer: int, q: torch.Tensor, kv: torch.Tensor) -> torch.Tensor:
        import torch

        data = self._lane.data[layer]
        data[:, :, self._lane.length : self._end] = kv.permute(1, 2, 0, 3)
        keys, values = data[:, None, :, : self._end]
        mixed = torch.nn.functional.scaled_dot_product_attention(
            q.transpose(0, 1)[None],
            keys,
            values,
            attn_mask=self._mask,
            is_causal=self._mask is None,
            enable_gqa=q.shape[1] != keys.shape[1],
        )
        return mixed[0].transpose(0, 1).reshape(len(q), -1)
