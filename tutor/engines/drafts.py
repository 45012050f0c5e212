"""Drafts for writing: what followed the last words when they stood in the prompt before.

Prompt lookup (Saxena 2023, https://github.com/apoorvumang/prompt-lookup-decoding), a form of speculative decoding (Leviathan et al.
2022, arXiv:2211.17192) without a second model. A draft is only a guess: the model checks all of its tokens in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence

_NGRAM = 3
LONGEST = 8


def draft(prompt: Sequence[int], answer: Sequence[int], most: int = LONGEST) -> list[int]:
    """Up to `most` tokens that may come next; none if the answer's last three tokens do not stand in the prompt."""
    if len(answer) < _NGRAM:
        return []
    last = list(answer[-_NGRAM:])
    for start in range(len(prompt) - _NGRAM - 1, -1, -1):
        if prompt[start + _NGRAM - 1] == last[-1] and list(prompt[start : start + _NGRAM]) == last:
            return list(prompt[start + _NGRAM : start + _NGRAM + most])
    return []
