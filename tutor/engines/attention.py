"""Attention of several texts at once, each text's new tokens over all of its own keys and values.

Texts that get about as many new tokens, a class's next ones above all, sit at one table: their keys and values lie side by side in one padded
batch, which small products cannot beat. The table is kept from pass to pass, so a class that stays together only adds its new tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from tutor.engines.decoder import Stretch

if TYPE_CHECKING:
    import torch

_FEWEST = 3  # texts with up to 2**3 new tokens sit together, above it those within a factor of two
_SPARE = 32  # places that a new table leaves free behind its longest text


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


class Tables:
    """The tables of a decoder, kept from pass to pass. For one thread at a time."""

    def __init__(self) -> None:
        self._tables: list[_Table] = []

    def seat(self, lanes: Sequence[LlamaLane], counts: Sequence[int], sharing: int) -> Attention:
        """The attention of one forward pass: lane i gets counts[i] new rows, fewest first; `sharing` query heads share a key-value head."""
        start, sittings, taken = 0, [], []
        for lot in _alike(lanes, counts):
            together, new = [lane for lane, _ in lot], [n for _, n in lot]
            table = next((table for table in self._tables if table.seats(together, max(new))), None)
            if table is None:
                free = [table for table in self._tables if table not in taken]
                table = free[0] if free else _Table()
                table.invite(together, max(new))
            taken.append(table)
            sittings.append(_Sitting(table, new, start, sharing))
            start += sum(new)
        self._tables = taken
        return Attention(sittings)


def _alike(lanes: Sequence[LlamaLane], counts: Sequence[int]) -> Iterator[list[tuple[LlamaLane, int]]]:
    pairs = zip(lanes, counts, strict=True)
    for _, group in groupby(pairs, key=lambda pair: max(_FEWEST, (pair[1] - 1).bit_length())):
        yield list(group)


class _Table:
    """Copies of some lanes' keys and values, shape (layers, 2, lanes, heads, room, size); what lies behind a lane's end is any finite number."""

    def __init__(self) -> None:
        self.lanes: list[LlamaLane] = []
        self._held: list[int] = []  # how much of each lane the table has
        self._memory: torch.Tensor | None = None
        self.data: torch.Tensor | None = None

    def seats(self, lanes: Sequence[LlamaLane], new: int) -> bool:
        """Whether these very lanes sit here, with room for their new rows."""
        return (
            self.data is not None
            and len(lanes) == len(self.lanes)
            and all(one is other for one, other in zip(lanes, self.lanes, strict=True))
            and all(lane.length <= held for lane, held in zip(lanes, self._held, strict=True))
            and max(lane.length for lane in lanes) + new <= self.data.shape[4]
        )

    def invite(self, lanes: Sequence[LlamaLane], new: int) -> None:
        """Copy these lanes in the place of those before."""
        layers, _, heads, _, size = lanes[0].data.shape
        room = -(-(max(lane.length for lane in lanes) + new + _SPARE) // _SPARE) * _SPARE
        shape = (layers, 2, len(lanes), heads, room, size)
        needed = layers * 2 * len(lanes) * heads * room * size
        if self._memory is None or len(self._memory) < needed:
            # Zeros, since what lies behind a lane's end is multiplied by a weight of 0, which leaves no other number harmless.
            self._memory = lanes[0].data.new_zeros(needed)
        self.data = self._memory[:needed].view(shape)
        self.lanes, self._held = list(lanes), [lane.length for lane in lanes]
        for i, lane in enumerate(lanes):
            self.data[:, :, i, :, : lane.length] = lane.data[:, :, :, : lane.length]

    def clear(self, counts: Sequence[int]) -> None:
        """Give each lane its new rows."""
        assert self.data is not None
        for i, (lane, n) in enumerate(zip(self.lanes, counts, strict=True)):
            start, end = lane.length, lane.length + n
            lane.data[:, :, :, start:end] = self.data[:, :, i, :, start:end]
            self._held[i] = end
            lane.length = end


class Attention:
    """What each layer of one pass attends with."""

    def __init__(self, sittings: Sequence[_Sitting]) -> None:
        self._sittings = sittings

    def __call__(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """q (rows, heads, size), k and v (rows, key-value heads, size) → (rows, heads · size); keys and values are kept."""
        import torch

        kv = torch.stack((k, v), dim=1)
        mixed = [one.attend(layer, q[one.rows], kv[one.rows]) for one in self._sittings]
        return mixed[0] if len(mixed) == 1 else torch.cat(mixed)

    def close(self) -> None:
        """After the last layer: the lanes hold their new rows."""
        for one in self._sittings:
            one.close()


class _Sitting:
    """One pass at a table: padded to the longest lane and, for the queries, to the most new rows."""

    def __init__(self, table: _Table, counts: Sequence[int], start: int, sharing: int) -> None:
        import torch

        assert table.data is not None
        self._table, self._counts, self._most = table, counts, max(counts)
        self.rows = slice(start, start + sum(counts))
        device, (_, _, batch, heads, room, _) = table.data.device, table.data.shape
        seats = [i for i, n in enumerate(counts) for _ in range(n)]
        lengths = [lane.length for lane in table.lanes]
        self._seat = torch.tensor(seats, device=device)
        self._place = torch.tensor([lengths[i] + j for i, n in enumerate(counts) for j in range(n)], device=device)
        padded = [i * self._most + j for i, n in enumerate(counts) for j in range(n)]
        self._padded = torch.tensor(padded, device=device) if len(padded) < batch * self._most else None
        seen = torch.tensor([[length + j for j in range(self._most)] for length in lengths], device=device)
        hidden = torch.arange(room, device=device) > seen[:, :, None]
        bias = table.data.new_zeros(hidden.shape).masked_fill_(hidden, float("-inf"))
        # (lanes, rows, keys) → (lanes · key-value heads, sharing · rows, keys)
        self._bias = bias[:, None, None].expand(-1, heads, sharing, -1, -1).reshape(batch * heads, -1, room)

    def attend(self, layer: int, q: torch.Tensor, kv: torch.Tensor) -> torch.Tensor:
        import torch

        assert self._table.data is not None
        data, n = self._table.data[layer], self._most
        _, batch, heads, room, size = data.shape
        data[:, self._seat, :, self._place] = kv
        if self._padded is not None:
            q = q.new_zeros(batch * n, *q.shape[1:]).index_copy_(0, self._padded, q)
        # Grouped-query attention: the queries that share a key head are rows of one product.
        q = q.view(batch, n, heads, -1, size).permute(0, 2, 3, 1, 4).reshape(batch * heads, -1, size)
        keys, values = data.view(2, batch * heads, room, size)
        scores = torch.baddbmm(self._bias, q, keys.transpose(1, 2), alpha=size**-0.5)
        mixed = torch.bmm(scores.softmax(-1), values)
        mixed = mixed.view(batch, heads, -1, n, size).permute(0, 3, 1, 2, 4).reshape(batch * n, -1)
        return mixed if self._padded is None else mixed[self._padded]

    def close(self) -> None:
        self._table.clear(self._counts)
