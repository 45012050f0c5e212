"""Which of several given texts comes next: the model's likelihoods beside the biases that the caller gives, token by token.

Where one way outweighs all others by more than likelihoods differ, the model is not asked: what it has not read by then it reads with the
next fork that needs it, or never. Most answers' first sentence is decided so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from tutor.engines.base import Branch, Grammar
from tutor.engines.trie import Node, build_trie, follow

if TYPE_CHECKING:
    import torch

DECIDED = 8.0
"""Nats. At 1,229 forks of 325 labelled questions the model's likelihoods never made good a lead of more than 5."""
_END = -1  # the way that ends a text where a longer one goes on


class Growing(Protocol):
    """A prompt and what was chosen behind it."""

    @property
    def room(self) -> int:
        """How many tokens it can still be fed."""
        ...

    def feed(self, tokens: Sequence[int], read: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """What `read` makes of the logits (1, vocabulary) after the tokens, which may be none before the first."""
        ...


def choose(
    text: Growing,
    grammar: Grammar,
    allowed: Sequence[Branch],
    tokens_of: Callable[[Branch, bool], Sequence[int]],
    chosen: tuple[Branch, ...] = (),
) -> Iterator[Branch]:
    """Yield one branch after another behind those `chosen` before; `tokens_of(branch, first)` tells its tokens.

    It ends when the grammar allows none, after the branch "", and where the model would have to read more than the text has room for.
    """
    scores: torch.Tensor | None = None
    pending = [token for i, branch in enumerate(chosen) for token in tokens_of(branch, i == 0)]
    while allowed:
        node = build_trie((tokens_of(branch, not chosen), branch) for branch in allowed)
        while True:
            forced, node = follow(node)
            pending += forced
            if node.branch is not None and not node.children:
                break
            way = _decided(node)
            if way is None:
                if len(pending) > text.room:
                    return
                if pending or scores is None:
                    scores = text.feed(pending, _log_probabilities)
                    pending = []
                way = _likeliest(node, scores)
            if way == _END:
                break
            pending.append(way)
            node = node.children[way]
        assert node.branch is not None
        chosen += (node.branch,)
        yield node.branch
        if not node.branch.text:
            return
        allowed = grammar(chosen)


def foregone(allowed: Sequence[Branch]) -> Branch | None:
    """The branch that the model would not be asked about, whatever tokens it shares with others."""
    best, *others = sorted(allowed, key=lambda branch: -branch.bias) or (None,)
    return best if best is not None and (not others or best.bias - others[0].bias > DECIDED) else None


def _decided(node: Node) -> int | None:
    """The way whose bias leaves all others far behind."""
    ways = {token: child.bias for token, child in node.children.items()}
    if node.branch is not None:
        ways[_END] = node.own_bias
    best, second = sorted(ways, key=lambda way: -ways[way])[:2]
    return best if ways[best] - ways[second] > DECIDED else None


def _likeliest(node: Node, scores: torch.Tensor) -> int:
    token = max(node.children, key=lambda t: float(scores[t]) + node.children[t].bias)
    if node.branch is not None:
        # A text ends where a longer one goes on: the end has the probability that the others leave.
        goes_on = min(float(scores[list(node.children)].exp().sum()), 1 - 1e-9)
        if math.log(1 - goes_on) + node.own_bias > float(scores[token]) + node.children[token].bias:
            return _END
    return token


def _log_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Those of all tokens after the last row of logits (rows, vocabulary)."""
    return logits[-1].log_softmax(-1)
