"""Attention of several texts at once, each text's new tokens over all of its own keys and values.

Texts that get about as many new tokens, a class's next ones above all, sit at one table: their keys and values lie side by side in one padded
batch, which small products cannot beat. The table is kept from pass to pass, so a class that stays together only adds its new tokens. A text that
gets many by itself, a piece of a prompt, say, attends where it lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, groupby
from typing import TYPE_CHECKING, TypeAlias

from tutor.engines.decoder import Stretch
from tutor.engines.drafts import LONGEST

if TYPE_CHECKING:
    import torch

_FEW = LONGEST + 1  # new tokens, a full draft's, up to which texts sit together; above it those within a factor of two
_SPARE = 32  # places that a new table leaves free behind its longest text
_FAR = 16  # times what is needed: more memory than that is given back
_SERIALS = count()


class LlamaLane:
    """Keys and values of one text, shape (layers, 2, key-value heads, capacity, head size).

    `serial` tells lanes apart, the older first; `appended` counts the appends, each of which outdates a copy.
    """

    def __init__(self, data: torch.Tensor) -> None:
        self.data, self.length = data, 0
        self.serial, self.appended = next(_SERIALS), 0

    def stretch(self, start: int, end: int) -> Stretch:
        return (self.data[:, :, :, start:end].clone(),)

    def append(self, stretch: Stretch) -> None:
        (data,) = stretch
        end = self.length + data.shape[3]
        self.data[:, :, :, self.length : end] = data
        self.length = end
        self.appended += 1

    def rewind(self, length: int) -> None:
        self.length = length


def _size(new: int) -> int:
    """Equal for the numbers of new tokens with which texts sit at one table."""
    return 0 if new <= _FEW else (new - 1).bit_length()


def seating_order(lanes: Sequence[LlamaLane], counts: Sequence[int]) -> list[int]:
    """The order in which `Tables.seat` takes lanes that get counts[i] new rows: the same for the same company, whoever asked first."""
    return sorted(range(len(lanes)), key=lambda i: (_size(counts[i]), lanes[i].serial))


class Tables:
    """The tables of a decoder, kept from pass to pass. For one thread at a time."""

    def __init__(self) -> None:
        self._tables: list[_Table] = []

    def seat(self, lanes: Sequence[LlamaLane], counts: Sequence[int], sharing: int) -> Attention:
        """The attention of one forward pass: lane i gets counts[i] new rows; `sharing` query heads share a key-value head.

        Raises ValueError, and moves nobody, if the lanes do not come in `seating_order` or one has no room for its rows.
        """
        for lane, n in zip(lanes, counts, strict=True):
            if lane.length + n > lane.data.shape[3]:
                raise ValueError(f"{n} new rows do not fit a lane that holds {lane.length} of {lane.data.shape[3]}")
        lots = list(_lots(lanes, counts))
        kept = [next((table for table in self._tables if table.has_seated(lot, max(new))), None) for lot, new in lots]
        free = [table for table in self._tables if table not in kept]
        start, sittings, self._tables = 0, [], []
        for (lot, new), table in zip(lots, kept, strict=True):
            seats: _Table | _Place
            if table is None and len(lot) == 1 and new[0] > _FEW:
                seats = _Place(lot[0], new[0])
            else:
                if table is None:
                    table = free.pop() if free else _Table()
                    table.load(lot, max(new))
                self._tables.append(table)
                seats = table
            sittings.append(_Sitting(seats, new, start, sharing))
            start += sum(new)
        return Attention(sittings)

    def release(self) -> None:
        """Give back all memory, and the lanes that sat here."""
        self._tables = []


_Lot: TypeAlias = "tuple[list[LlamaLane], list[int]]"


def _lots(lanes: Sequence[LlamaLane], counts: Sequence[int]) -> Iterator[_Lot]:
    """Those who sit together, with their numbers of new rows."""
    last = -1
    for size, pairs in groupby(zip(lanes, counts, strict=True), key=lambda pair: _size(pair[1])):
        if size <= last:
            raise ValueError(f"lanes must come in seating order, got {list(counts)} new rows")
        last = size
        lot = list(pairs)
        yield [lane for lane, _ in lot], [new for _, new in lot]


class _Table:
    """Copies of some lanes' keys and values, shape (layers, 2, lanes, heads, room, size); what lies behind a lane's end is any finite number."""

    def __init__(self) -> None:
        self.lanes: list[LlamaLane] = []
        self._held: list[tuple[int, int]] = []  # how much of each lane the table has, as of which append
        self._memory: torch.Tensor | None = None
        self.data: torch.Tensor | None = None

    def has_seated(self, lanes: Sequence[LlamaLane], new: int) -> bool:
        """Whether these very lanes sit here, with room for their new rows."""
        return (
            self.data is not None
            and len(lanes) == len(self.lanes)
            and all(one is other for one, other in zip(lanes, self.lanes, strict=True))
            and all(
                lane.length <= held and lane.appended == appended
                for lane, (held, appended) in zip(lanes, self._held, strict=True)
            )
            and max(lane.length for lane in lanes) + new <= self.data.shape[4]
        )

    def load(self, lanes: Sequence[LlamaLane], new: int) -> None:
        """Copy these lanes in the place of those before, with room for `new` rows each."""
        layers, _, heads, _, size = lanes[0].data.shape
        room = -(-(max(lane.length for lane in lanes) + new + _SPARE) // _SPARE) * _SPARE
        needed = layers * 2 * len(lanes) * heads * room * size
        self.lanes, self.data = [], None
        if self._memory is None or not needed <= len(self._memory) <= _FAR * needed:
            self._memory = None  # before the new is taken: they need not fit side by side
            self._memory = lanes[0].data.new_empty(needed)
        self.data = self._memory[:needed].view(layers, 2, len(lanes), heads, room, size)
        for i, lane in enumerate(lanes):
            self.data[:, :, i, :, : lane.length] = lane.data[:, :, :, : lane.length]
            # What lies behind a lane's end is multiplied by a weight of 0, which leaves no infinity harmless.
            self.data[:, :, i, :, lane.length :] = 0
        self.lanes, self._held = list(lanes), [(lane.length, lane.appended) for lane in lanes]

    def hand_out(self, counts: Sequence[int]) -> None:
        """Give each lane its new rows."""
        assert self.data is not None
        for i, (lane, n) in enumerate(zip(self.lanes, counts, strict=True)):
            start, end = lane.length, lane.length + n
            lane.data[:, :, :, start:end] = self.data[:, :, i, :, start:end]
            self._held[i] = end, lane.appended
            lane.length = end


class _Place:
    """A table of one that copies nothing: the lane itself, up to the end of its new rows, behind which it may hold anything."""

    def __init__(self, lane: LlamaLane, new: int) -> None:
        self.lanes = [lane]
        self.data: torch.Tensor | None = lane.data[:, :, None, :, : lane.length + new]

    def hand_out(self, counts: Sequence[int]) -> None:
        """The rows are in their lane already."""
        self.lanes[0].length += counts[0]


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

    def __init__(self, table: _Table | _Place, counts: Sequence[int], start: int, sharing: int) -> None:
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
        # A table is contiguous. A slice of a lane is copied here, in one go, which the products would do row by row.
        keys, values = data.contiguous().view(2, batch * heads, room, size)
        scores = torch.baddbmm(self._bias, q, keys.transpose(1, 2), alpha=size**-0.5)
        mixed = torch.bmm(scores.softmax(-1), values)
        mixed = mixed.view(batch, heads, -1, n, size).permute(0, 3, 1, 2, 4).reshape(batch * n, -1)
        return mixed if self._padded is None else mixed[self._padded]

    def close(self) -> None:
        self._table.hand_out(self._counts)
