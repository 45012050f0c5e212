"""A text as the tokenizer cuts it: tokens with their ids, the words that they belong to, and how to show each piece."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Piece:
    """One token: `text` is what the learner sees of it, with ␣ for a leading space; `word` counts from 0.

    A token that is a part of one character's bytes is shown as that character and its place, "é 1/2".
    """

    id: int
    text: str
    word: int


@dataclass(frozen=True)
class Cut:
    """A text in words, which are what stands between spaces, and in tokens."""

    words: tuple[str, ...]
    pieces: tuple[Piece, ...]

    def of_word(self, word: int) -> tuple[Piece, ...]:
        """The tokens of one word, counted from 0."""
        return tuple(piece for piece in self.pieces if piece.word == word)


def cut_text(tokenizer: PreTrainedTokenizerBase, text: str) -> Cut:
    """Cut plain text: `<|im_start|>` in it is text like any other (tutor.engines.tokens.encode_text)."""
    encoded = tokenizer(text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True)
    spans: list[tuple[int, int]] = [(int(a), int(b)) for a, b in encoded["offset_mapping"]]
    found = list(re.finditer(r"\S+", text))
    ends = [match.end() for match in found]
    sharing = Counter(end for _, end in spans)  # tokens that end within one character have the same end
    seen: Counter[int] = Counter()
    pieces = []
    for token, (start, end) in zip(encoded["input_ids"], spans, strict=True):
        seen[end] += 1
        shown = visible(text[start:end])
        if sharing[end] > 1:
            shown += f" {seen[end]}/{sharing[end]}"
        word = next((i for i, last in enumerate(ends) if end <= last), len(found) - 1)
        pieces.append(Piece(int(token), shown, word))
    return Cut(tuple(match.group() for match in found), tuple(pieces))


def visible(text: str) -> str:
    """The text with a visible leading space and visible line breaks."""
    shown = "␣" + text[1:] if text.startswith(" ") else text
    return shown.replace("\n", "⏎").replace("\t", "⇥")


def split_words(text: str, most: int) -> tuple[list[str], int]:
    """The first `most` different words of a list like "cat, dog and car", and how many were left out."""
    listed = re.split(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+", text.strip())
    words = list(dict.fromkeys(word for word in listed if word))
    return words[:most], len(words[most:])


def most_split(cut: Cut) -> int:
    """The largest number of tokens that one word takes."""
    return max(len(cut.of_word(word)) for word in range(len(cut.words)))


def rows_of(cut: Cut, most: int) -> tuple[tuple[str, ...], ...]:
    """Table rows of the first `most` words: the word, its number of tokens, its pieces and their ids."""
    rows = [
        (word, str(len(pieces)), " | ".join(p.text for p in pieces), " ".join(str(p.id) for p in pieces))
        for word, pieces in ((word, cut.of_word(i)) for i, word in enumerate(cut.words[:most]))
    ]
    left = len(cut.words) - most
    return (*rows, *([(f"… {left} more words", "", "", "")] if left > 0 else []))


def listing(pieces: Sequence[Piece]) -> str:
    """Every token on a line of its own, with its place and id."""
    return "\n".join(f"{i:4}  {piece.id:6}  {piece.text}" for i, piece in enumerate(pieces, 1))
