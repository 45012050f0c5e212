"""Prompts as token ids, with a learner's `<|im_start|>` kept as the plain text that it is."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.engines.base import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Private-use characters mark where a message's text goes in the rendered template; they are removed from texts.
_OPEN, _CLOSE = "\ue000", "\ue001"
# Whether control tokens are recognised is a switch of the tokenizer itself, not of the call: two learners' threads must not meet in it.
_ONE_AT_A_TIME = threading.Lock()


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of plain text: no special token is added or recognised."""
    return _encode(tokenizer, text, plain=True)


def _encode(tokenizer: PreTrainedTokenizerBase, text: str, plain: bool) -> list[int]:
    with _ONE_AT_A_TIME:
        return list(tokenizer(text, add_special_tokens=False, split_special_tokens=plain)["input_ids"])


@dataclass(frozen=True)
class Prompt:
    """Token ids: what comes before the notes, each note, and all after them. Without notes everything is `head`."""

    head: tuple[int, ...]
    notes: tuple[tuple[int, ...], ...] = ()
    tail: tuple[int, ...] = ()

    @property
    def tokens(self) -> list[int]:
        """All of it in a row."""
        return [*self.head, *(token for note in self.notes for token in note), *self.tail]

    @property
    def tail_position(self) -> int:
        """Where the tail begins for an engine that reads notes apart: every note lies right after the head."""
        return len(self.head) + max((len(note) for note in self.notes), default=0)


def encode_prompt(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> Prompt:
    """A chat prompt up to where the assistant's answer begins; at most one message may have notes.

    The template is rendered around placeholders, and each message's text is encoded by itself, so that nothing a
    learner or a note says can become a control token.
    """
    turns = [{"role": m.role, "content": f"{_OPEN}{i}{_CLOSE}"} for i, m in enumerate(messages)]
    rendered = str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    head: list[int] = []
    notes: tuple[tuple[int, ...], ...] = ()
    ids = head
    for piece in re.split(f"({_OPEN}\\d+{_CLOSE})", rendered):
        if piece.startswith(_OPEN):
            message = messages[int(piece[1:-1])]
            if message.notes:
                notes, ids = tuple(tuple(_plain(tokenizer, note)) for note in message.notes), []
            ids += _plain(tokenizer, message.content)
        elif piece:
            ids += _encode(tokenizer, piece, plain=False)
    return Prompt(tuple(head), notes, tuple(ids) if ids is not head else ())


def encode_chat(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[int]:
    """The prompt's token ids in a row."""
    return encode_prompt(tokenizer, messages).tokens


def _plain(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return encode_text(tokenizer, text.replace(_OPEN, "").replace(_CLOSE, ""))
