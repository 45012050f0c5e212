"""Prompts as token ids, with a learner's `<|im_start|>` kept as the plain text that it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tutor.engines.base import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Private-use characters mark where a message's text goes in the rendered template; they are removed from texts.
_OPEN, _CLOSE = "\ue000", "\ue001"


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of plain text: no special token is added or recognised."""
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])


def encode_chat(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[int]:
    """Token ids of a chat prompt up to where the assistant's answer begins.

    The template is rendered around placeholders, and each message's text is encoded by itself, so that nothing a
    learner or a note says can become a control token.
    """
    turns = [{"role": m.role, "content": f"{_OPEN}{i}{_CLOSE}"} for i, m in enumerate(messages)]
    rendered = str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    ids: list[int] = []
    for piece in re.split(f"({_OPEN}\\d+{_CLOSE})", rendered):
        if piece.startswith(_OPEN):
            text = messages[int(piece[1:-1])].content
            ids += encode_text(tokenizer, text.replace(_OPEN, "").replace(_CLOSE, ""))
        elif piece:
            ids += tokenizer(piece, add_special_tokens=False)["input_ids"]
    return ids
