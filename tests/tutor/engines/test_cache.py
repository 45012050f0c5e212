"""The prefix store: what is handed out is private, exact and bounded."""

from __future__ import annotations

import torch
from transformers import DynamicCache, LlamaForCausalLM

from tutor.engines.cache import Prefix, PrefixStore


def prefix_of(tokens: list[int]) -> Prefix:
    """A prefix whose keys tell their positions: one layer, one head, two numbers a position."""
    cache = DynamicCache()
    keys = torch.tensor(tokens, dtype=torch.float32).view(1, 1, -1, 1).expand(1, 1, len(tokens), 2).clone()
    cache.update(keys, keys + 0.5, 0)
    return Prefix(list(tokens), cache, torch.tensor([float(len(tokens))]))


def keys(prefix: Prefix) -> list[float]:
    """The first number of each position's key."""
    return prefix.cache.layers[0].keys[0, 0, :, 0].tolist()


def longest(store: PrefixStore, model: LlamaForCausalLM, prompt: list[int]) -> Prefix:
    """What the store has for the prompt."""
    return store.longest(prompt, model.config)


def test_nothing_common_is_an_empty_prefix(tiny_llama: LlamaForCausalLM) -> None:
    """A new prompt starts from nothing."""
    store = PrefixStore(1)
    store.store(prefix_of([1, 2, 3]))
    found = longest(store, tiny_llama, [9, 2, 3])
    assert found.tokens == [] and found.logits is None and found.cache.get_seq_length() == 0


def test_the_longest_common_beginning_is_found(tiny_llama: LlamaForCausalLM) -> None:
    """Of several stored prompts the one that shares most is used, cut to what is shared."""
    store = PrefixStore(1)
    for tokens in ([1, 2], [1, 2, 3, 4], [1, 5, 6, 7, 8]):
        store.store(prefix_of(tokens))
    found = longest(store, tiny_llama, [1, 2, 3, 9])
    assert found.tokens == [1, 2, 3] and keys(found) == [1, 2, 3] and found.logits is None


def test_the_same_prompt_brings_its_logits(tiny_llama: LlamaForCausalLM) -> None:
    """A prompt read before needs no forward pass."""
    store = PrefixStore(1)
    store.store(prefix_of([1, 2, 3]))
    found = longest(store, tiny_llama, [1, 2, 3])
    assert found.tokens == [1, 2, 3] and found.logits is not None and found.logits.tolist() == [3.0]


def test_a_prompt_inside_a_stored_one_runs_its_last_token(tiny_llama: LlamaForCausalLM) -> None:
    """The logits inside a stored prompt were not kept, so one token is left to run."""
    store = PrefixStore(1)
    store.store(prefix_of([1, 2, 3, 4]))
    found = longest(store, tiny_llama, [1, 2, 3])
    assert found.tokens == [1, 2] and keys(found) == [1, 2] and found.logits is None


def test_what_is_handed_out_is_private(tiny_llama: LlamaForCausalLM) -> None:
    """Going on from a prefix, or changing what was stored from, changes nothing for the next learner."""
    store = PrefixStore(1)
    original = prefix_of([1, 2, 3])
    store.store(original)
    original.cache.layers[0].keys.zero_()
    first = longest(store, tiny_llama, [1, 2, 3])
    first.tokens.append(9)
    first.cache.layers[0].keys.fill_(7)
    first.cache.update(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2), 0)
    second = longest(store, tiny_llama, [1, 2, 3])
    assert second.tokens == [1, 2, 3] and keys(second) == [1, 2, 3]


def test_the_least_recently_used_leaves(tiny_llama: LlamaForCausalLM) -> None:
    """The store stays under its limit and drops what was not used for longest."""
    length = 25_000  # of 16 bytes a position: 0.4 MB each, so two fit in 1 MB
    store = PrefixStore(1)
    store.store(prefix_of([1] * length))
    store.store(prefix_of([2] * length))
    assert longest(store, tiny_llama, [1, 1]).tokens
    store.store(prefix_of([3] * length))
    assert [bool(longest(store, tiny_llama, [n, n]).tokens) for n in (1, 2, 3)] == [True, False, True]


def test_a_prompt_over_the_limit_is_not_stored(tiny_llama: LlamaForCausalLM) -> None:
    """One huge prompt does not throw out all others."""
    store = PrefixStore(1)
    store.store(prefix_of([1, 2]))
    store.store(prefix_of([5] * 70_000))
    assert longest(store, tiny_llama, [1, 2]).tokens == [1, 2]
    assert longest(store, tiny_llama, [5, 5]).tokens == []
