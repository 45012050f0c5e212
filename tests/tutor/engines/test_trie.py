"""The trie of texts that an answer may be."""

from __future__ import annotations

import pytest

from tutor.engines.base import Branch
from tutor.engines.trie import build_trie, follow


def test_forced_tokens_are_followed_to_the_fork() -> None:
    """Where only one token is allowed, no choice is asked for."""
    root = build_trie([([1, 2, 3, 4], Branch("a", 0)), ([1, 2, 5], Branch("b", 1))])
    forced, node = follow(root)
    assert forced == [1, 2] and sorted(node.children) == [3, 5]
    forced, end = follow(node.children[3])
    assert forced == [4] and end.branch == Branch("a", 0) and not end.children


def test_a_single_text_is_forced_whole() -> None:
    """One branch needs no decision at all."""
    forced, node = follow(build_trie([([7, 8], Branch("a", 3))]))
    assert forced == [7, 8] and node.branch is not None and node.branch.key == 3


def test_bias_is_the_best_below() -> None:
    """A fork sees the largest bias of the texts behind each token."""
    root = build_trie([([1, 2], Branch("a", 0, -1.0)), ([1, 3], Branch("b", 1, 2.0)), ([4], Branch("c", 2, 0.5))])
    assert root.bias == 2.0 and root.children[1].bias == 2.0 and root.children[4].bias == 0.5
    assert root.children[1].children[2].bias == -1.0


def test_equal_texts_keep_the_first() -> None:
    """Two branches of the same tokens: the first one is meant."""
    assert follow(build_trie([([1], Branch("a", 0)), ([1], Branch("a", 1))]))[1].branch == Branch("a", 0)


def test_a_text_that_begins_another_is_an_end_with_children() -> None:
    """Following stops where a text ends, even if a longer one goes on."""
    forced, node = follow(build_trie([([1], Branch("a", 0)), ([1, 2], Branch("ab", 1))]))
    assert forced == [1] and node.branch == Branch("a", 0) and list(node.children) == [2]


def test_a_text_of_no_tokens_is_refused() -> None:
    """An empty branch would end nowhere."""
    with pytest.raises(ValueError, match="token"):
        build_trie([([], Branch("", 0))])
