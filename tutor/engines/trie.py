"""A trie of token ids: which tokens may come next when an answer must be one of several texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tutor.engines.base import Branch


@dataclass
class Node:
    """`branch` is set where a text ends; `bias` is the largest among the texts that run through here, `own_bias` its own."""

    children: dict[int, Node] = field(default_factory=dict)
    branch: Branch | None = None
    bias: float = float("-inf")
    own_bias: float = float("-inf")


def build_trie(branches: Iterable[tuple[Sequence[int], Branch]]) -> Node:
    """Build a trie from (token ids, branch) pairs; raises ValueError for a text of no tokens."""
    root = Node()
    for tokens, branch in branches:
        if not tokens:
            raise ValueError(f"a branch needs at least one token, got {branch!r}")
        node = root
        node.bias = max(node.bias, branch.bias)
        for token in tokens:
            node = node.children.setdefault(token, Node())
            node.bias = max(node.bias, branch.bias)
        if node.branch is None:
            node.branch, node.own_bias = branch, branch.bias
    return root


def follow(node: Node) -> tuple[list[int], Node]:
    """The tokens that are forced from here, and the node where a choice or an end is reached."""
    forced: list[int] = []
    while node.branch is None and len(node.children) == 1:
        ((token, node),) = node.children.items()
        forced.append(token)
    return forced, node
