"""Texts that attend together get what each would get alone."""

from __future__ import annotations

import pytest
import torch

from tutor.engines.attention import LlamaLane, Tables

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


def test_a_table_is_kept_while_the_texts_stay() -> None:
    """Protects: what was attended to before a step, a rewind or a change of company is what comes after it."""
    torch.manual_seed(0)
    tables, lanes = Tables(), [lane(7), lane(30), lane(2)]
    for counts, rewind in (([1, 1, 1], 0), ([1, 2, 3], 1), ([1, 1, 1], 0), ([30, 31, 32], 0), ([1, 1, 1], 0)):
        for mixed, alone in zip(*[iter(attend(tables, lanes, counts))] * 2, strict=True):
            torch.testing.assert_close(mixed, alone)
        lanes[2].rewind(lanes[2].length - rewind)
    for mixed, alone in zip(*[iter(attend(tables, lanes[1:], [1, 1]))] * 2, strict=True):
        torch.testing.assert_close(mixed, alone)
    # The first text went on without the others, so what the old table held of it is not enough.
    attend(tables, lanes[:1], [1])
    for mixed, alone in zip(*[iter(attend(tables, lanes, [1, 1, 1]))] * 2, strict=True):
        torch.testing.assert_close(mixed, alone)
