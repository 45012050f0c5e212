"""Texts that attend together get what each would get alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence

import pytest
import torch

from tutor.engines.attention import LlamaLane, Tables, _Table, seating_order
from tutor.engines.drafts import LONGEST

LAYERS, HEADS, SHARING, SIZE, CAPACITY = 2, 2, 3, 8, 128


def lane(length: int) -> LlamaLane:
    """A text of so many tokens, with keys and values of its own."""
    one = LlamaLane(torch.full((LAYERS, 2, HEADS, CAPACITY, SIZE), float("nan")))
    one.append((torch.randn(LAYERS, 2, HEADS, length, SIZE),))
    return one


def attend(tables: Tables, lanes: list[LlamaLane], counts: list[int]) -> list[torch.Tensor]:
    """A pass of new rows, and what plain attention over each text by itself makes of the same rows, one after the other."""
    attention = tables.seat(lanes, counts, SHARING)
    rows = sum(counts)
    results = []
    before = [one.data.clone() for one in lanes]
    starts = [one.length for one in lanes]
    for layer in range(LAYERS):
        q, k, v = (
            torch.randn(rows, HEADS * SHARING, SIZE),
            torch.randn(rows, HEADS, SIZE),
            torch.randn(rows, HEADS, SIZE),
        )
        mixed, at, wanted = attention(layer, q, k, v), 0, []
        for data, start, n in zip(before, starts, counts, strict=True):
            keys, values = data[layer, :, :, :start]
            keys = torch.cat([keys, k[at : at + n].transpose(0, 1)], 1).repeat_interleave(SHARING, 0)
            values = torch.cat([values, v[at : at + n].transpose(0, 1)], 1).repeat_interleave(SHARING, 0)
            mask = torch.ones(n, start + n, dtype=torch.bool).tril(start)
            alone = torch.nn.functional.scaled_dot_product_attention(
                q[at : at + n].transpose(0, 1), keys, values, attn_mask=mask
            )
            wanted.append(alone.transpose(0, 1).reshape(n, -1))
            at += n
        results += [mixed, torch.cat(wanted)]
    attention.close()
    return results


@pytest.mark.parametrize("counts", [[1, 1, 1], [1, 2, 5], [1, 3, 20], [4, 40, 60]])
def test_texts_at_one_table_do_not_see_each_other(counts: list[int]) -> None:
    """Protects: padding, in keys and in queries, and texts of which some get a word and others a prompt."""
    torch.manual_seed(0)
    lanes = [lane(7), lane(30), lane(2)]
    for mixed, alone in zip(*[iter(attend(Tables(), lanes, counts))] * 2, strict=True):
        torch.testing.assert_close(mixed, alone)
    assert [one.length for one in lanes] == [7 + counts[0], 30 + counts[1], 2 + counts[2]]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[list[LlamaLane]]:
    """Whose keys and values were copied to a table, in order."""
    lots: list[list[LlamaLane]] = []
    load = _Table.load

    def noted(table: _Table, lanes: Sequence[LlamaLane], new: int) -> None:
        lots.append(list(lanes))
        load(table, lanes, new)

    monkeypatch.setattr(_Table, "load", noted)
    return lots


def check(tables: Tables, lanes: list[LlamaLane], counts: list[int]) -> None:
    """A pass gives each text what it would get alone."""
    for mixed, alone in zip(*[iter(attend(tables, lanes, counts))] * 2, strict=True):
        torch.testing.assert_close(mixed, alone)


def test_tables_change_nothing_for_the_texts() -> None:
    """Protects: what was attended to before a step, a rewind or a change of company is what comes after it."""
    torch.manual_seed(0)
    tables, lanes = Tables(), [lane(7), lane(30), lane(2)]
    for counts, rewind in (([1, 1, 1], 0), ([1, 2, 3], 1), ([1, 1, 1], 0), ([30, 31, 32], 0), ([1, 1, 1], 0)):
        check(tables, lanes, counts)
        lanes[2].rewind(lanes[2].length - rewind)
    for company in (lanes[1:], lanes[:1], lanes):
        check(tables, company, [1] * len(company))


def test_a_class_keeps_its_table(loaded: list[list[LlamaLane]]) -> None:
    """Protects: steady texts copied anew at a step, be it for one's full draft, for a rewind, or for who asked first."""
    torch.manual_seed(0)
    tables, lanes = Tables(), [lane(7), lane(30), lane(2)]
    for counts in ([1, 1, 1], [1, 1, LONGEST + 1], [1, 2, 1]):
        check(tables, lanes, counts)
        lanes[1].rewind(lanes[1].length - counts[1] + 1)
    assert loaded == [lanes]
    shuffled, counts = [lanes[2], lanes[0], lanes[1]], [LONGEST + 1, 1, 2]
    assert [shuffled[i] for i in seating_order(shuffled, counts)] == lanes


def test_nobody_takes_the_table_that_others_keep(loaded: list[list[LlamaLane]]) -> None:
    """Protects: two long texts that stay, copied anew because somebody with a short one came."""
    torch.manual_seed(0)
    tables, lanes = Tables(), [lane(7), lane(30), lane(2)]
    check(tables, lanes[1:], [12, 12])
    check(tables, lanes, [1, 12, 12])
    assert loaded == [lanes[1:], lanes[:1]]


def test_a_prompt_in_pieces_is_not_copied(loaded: list[list[LlamaLane]]) -> None:
    """Protects: time that grows with the square of a prompt, and what its lane holds behind its end, which is no number here."""
    torch.manual_seed(0)
    tables, one = Tables(), lane(3)
    for n in (40, 40, 10):
        check(tables, [one], [n])
    assert loaded == [] and one.length == 93
    check(tables, [one], [1])
    assert loaded == [[one]]


def test_what_replaces_a_rewound_end_is_attended_to() -> None:
    """Protects: keys of the forgotten tokens, which the table still holds at the places of the appended ones."""
    torch.manual_seed(0)
    tables, lanes = Tables(), [lane(7), lane(30)]
    check(tables, lanes, [3, 3])
    lanes[0].rewind(6)
    lanes[0].append((torch.randn(LAYERS, 2, HEADS, 4, SIZE),))
    check(tables, lanes, [1, 1])


def test_memory_is_given_back() -> None:
    """Protects: a class's tables kept for the one learner who stayed, and lanes and tables kept when all have gone."""
    tables, lanes = Tables(), [lane(90) for _ in range(20)]
    attend(tables, lanes, [1] * 20)
    gone = weakref.ref(lanes.pop())
    attend(tables, lanes[:1], [1])
    (table,) = tables._tables
    assert table._memory is not None and table.data is not None and len(table._memory) == table.data.numel()
    memory = weakref.ref(table._memory)
    del table
    tables.release()
    gc.collect()
    assert gone() is None and memory() is None


def test_an_old_table_makes_room_for_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: memory for old and new tables at once, where there may be just enough for the new."""
    tables, lanes = Tables(), [lane(9), lane(9)]
    attend(tables, lanes[:1], [1])
    assert tables._tables[0]._memory is not None
    held, old = [], weakref.ref(tables._tables[0]._memory)
    new_empty = torch.Tensor.new_empty

    def noted(tensor: torch.Tensor, size: int) -> torch.Tensor:
        held.append(old())
        return new_empty(tensor, size)

    monkeypatch.setattr(torch.Tensor, "new_empty", noted)
    tables.seat(lanes, [1, 1], SHARING)
    assert held == [None]


def test_rows_without_room_move_nobody() -> None:
    """Protects: neighbours whose texts would have grown by rows that nobody computed to the end."""
    tables, lanes = Tables(), [lane(5), lane(CAPACITY - 1)]
    with pytest.raises(ValueError, match=f"2 new rows do not fit a lane that holds {CAPACITY - 1} of {CAPACITY}"):
        tables.seat(lanes, [2, 2], SHARING)
    assert [one.length for one in lanes] == [5, CAPACITY - 1]


def test_lanes_out_of_order_are_refused() -> None:
    """Protects: texts that belong together at tables of their own, unnoticed."""
    with pytest.raises(ValueError, match="seating order"):
        Tables().seat([lane(5), lane(5), lane(5)], [1, 20, 1], SHARING)
