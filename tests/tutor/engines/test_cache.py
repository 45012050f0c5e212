"""The stores: what is handed out is exact, never written to, and bounded."""

from __future__ import annotations

import torch

from tutor.engines.cache import PrefixStore, Read, Store
from tutor.engines.decoder import cut


def read_of(tokens: list[int], logits: bool = True) -> Read:
    """Keys that tell their tokens: one head, two numbers a position."""
    keys = torch.tensor(tokens, dtype=torch.float32).view(1, -1, 1).expand(1, len(tokens), 2).clone()
    return Read((keys, keys + 0.5), torch.tensor([float(len(tokens))]) if logits else None)


def store_of(*texts: list[int], limit_mb: int = 1) -> PrefixStore:
    store = PrefixStore(limit_mb)
    for tokens in texts:
        store.put(tuple(tokens), read_of(tokens))
    return store


def keys(read: Read | None) -> list[float]:
    """The first number of each position's key."""
    return [] if read is None else read.stretch[0][0, :, 0].tolist()


def test_nothing_common_is_nothing() -> None:
    """A new prompt starts from nothing."""
    assert store_of([1, 2, 3]).longest([9, 2, 3]) == (0, None)


def test_the_longest_common_beginning_is_found() -> None:
    """Of several stored prompts the one that shares most is used, cut to what is shared, without logits."""
    length, read = store_of([1, 2], [1, 2, 3, 4], [1, 5, 6, 7, 8]).longest([1, 2, 3, 9])
    assert length == 3 and keys(read) == [1, 2, 3] and read is not None and read.logits is None


def test_the_same_prompt_brings_its_logits() -> None:
    """A prompt read before needs no forward pass."""
    length, read = store_of([1, 2, 3]).longest([1, 2, 3])
    assert length == 3 and read is not None and read.logits is not None and read.logits.tolist() == [3.0]


def test_a_prompt_inside_a_stored_one_runs_its_last_token() -> None:
    """The logits inside a stored prompt were not kept, so one token is left to run."""
    length, read = store_of([1, 2, 3, 4]).longest([1, 2, 3])
    assert length == 2 and keys(read) == [1, 2]


def test_a_longer_prompt_goes_on_from_a_whole_stored_one() -> None:
    """A follow-up that repeats all of an earlier prompt reads only what is new."""
    length, read = store_of([1, 2, 3]).longest([1, 2, 3, 4, 5])
    assert length == 3 and keys(read) == [1, 2, 3]


def test_the_least_recently_used_leaves() -> None:
    """The store stays under its limit and drops what was not used for longest."""
    length = 25_000  # of 16 bytes a position: 0.4 MB each, so two fit in 1 MB
    store = store_of([1] * length, [2] * length)
    assert store.longest([1, 1])[0]
    store.put(tuple([3] * length), read_of([3] * length))
    assert [bool(store.longest([n, n])[0]) for n in (1, 2, 3)] == [True, False, True]
    assert store.megabytes <= 1


def test_a_text_over_the_limit_is_not_stored() -> None:
    """One huge prompt does not throw out all others, and the caller learns it."""
    store = store_of([1, 2])
    assert not store.put(tuple([5] * 70_000), read_of([5] * 70_000))
    assert store.longest([1, 2])[0] == 2 and store.longest([5, 5]) == (0, None)


def test_a_limit_of_zero_keeps_nothing() -> None:
    """Reuse can be left out, for a benchmark."""
    store = Store(0)
    assert not store.put("note", read_of([1])) and store.get("note") is None


def test_a_key_is_stored_once() -> None:
    """Two learners who read the same note at once do not count it twice."""
    store = Store(1)
    store.put("note", read_of([1, 2]))
    before = store.megabytes
    store.put("note", read_of([1, 2]))
    assert store.megabytes == before and keys(store.get("note")) == [1, 2]


def test_cutting_takes_views() -> None:
    """The first positions of a stretch cost no memory."""
    stretch = read_of([1, 2, 3]).stretch
    assert cut(stretch, 2)[0].data_ptr() == stretch[0].data_ptr() and cut(stretch, 2)[0].shape[1] == 2
