"""A small decoder that continues text letter by letter, and the text that it learns: English, with and without vowels.

The text is the tutor's own passages. Every tenth passage is held out of all training, in both forms.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.measure import Span, Steps
from demos.seeding import seeded_embedding, seeded_linear

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module

LETTERS = "\n" + string.ascii_letters + string.digits + string.punctuation + " "
WINDOW = 64  # letters read at once
WIDTH, LAYERS, HEADS = 96, 2, 4
BATCH = 12


@dataclass(frozen=True)
class Task:
    """One kind of text, as numbers of letters [length]; `sample` is its beginning, to be read."""

    training: Tensor
    held_out: Tensor
    sample: str


def read_passages(span: Span) -> Steps[list[str]]:
    """The text of every shipped passage, file by file."""
    from knowledge.concept_files import CONCEPTS, load_concept

    paths = sorted(CONCEPTS.glob("*.md"))
    texts: list[str] = []
    for i, path in enumerate(paths):
        yield span.step(i, len(paths), "Reading the tutor's own passages")
        texts.extend(passage.text for passage in load_concept(path).passages)
    return texts


def leave_out_vowels(text: str) -> str:
    """ "Like this" becomes "Lk ths"."""
    return text.translate(str.maketrans("", "", "aeiouAEIOU"))


def task_of(texts: Sequence[str]) -> Task:
    """The texts as a task: every tenth is held out."""
    import torch

    number = {letter: i for i, letter in enumerate(LETTERS)}

    def encode(some: Sequence[str]) -> Tensor:
        return torch.tensor([number[letter] for letter in "\n".join(some) if letter in number])

    return Task(encode([text for i, text in enumerate(texts) if i % 10]), encode(texts[::10]), texts[0])


def draw_windows(text: Tensor, count: int, source: Generator) -> Tensor:
    """Random windows [count, WINDOW + 1] of a text: the letters to read, and the one after each."""
    import torch

    starts = torch.randint(len(text) - WINDOW, (count, 1), generator=source)
    return text[starts + torch.arange(WINDOW + 1)]


def spread_windows(text: Tensor, count: int) -> Tensor:
    """Windows [count, WINDOW + 1] at equal distances, the same ones each time."""
    import torch

    starts = torch.linspace(0, len(text) - WINDOW - 1, count).long()[:, None]
    return text[starts + torch.arange(WINDOW + 1)]


def letter_loss(model: Module, windows: Tensor) -> Tensor:
    """Mean cross entropy in nats of each letter after those before it."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())


def decoder(source: Generator, width: int = WIDTH, layers: int = LAYERS, longest: int = WINDOW) -> Module:
    """A pre-norm transformer decoder; calling it with letters [n, T], T ≤ `longest`, returns logits [n, T, letters]."""
    import torch
    from torch.nn.functional import gelu, rms_norm, scaled_dot_product_attention

    # Linear biases (Press et al. 2021, ALiBi, arXiv:2108.12409) tell near from far without position embeddings.
    slopes = 2.0 ** -torch.arange(HEADS)[:, None, None]
    ahead = torch.arange(longest)[None, :] - torch.arange(longest)[:, None]
    bias = (slopes * ahead).masked_fill(ahead > 0, float("-inf"))

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value, self.out = (seeded_linear(width, width, source) for _ in range(4))
            self.up = seeded_linear(width, 4 * width, source)
            self.down = seeded_linear(4 * width, width, source)

        def forward(self, x: Tensor) -> Tensor:
            normed = rms_norm(x, (width,))
            query, key, value = (
                layer(normed).unflatten(-1, (HEADS, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
            )
            near = bias[:, : x.shape[1], : x.shape[1]]
            mixed = scaled_dot_product_attention(query, key, value, attn_mask=near).transpose(1, 2).flatten(2)
            x = x + self.out(mixed)
            return x + self.down(gelu(self.up(rms_norm(x, (width,)))))

    class Decoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.letters = seeded_embedding(len(LETTERS), width, source, 0.5)
            self.blocks = torch.nn.ModuleList(Block() for _ in range(layers))
            self.head = seeded_linear(width, len(LETTERS), source, 0.5)

        def forward(self, letters: Tensor) -> Tensor:
            x = self.letters(letters)
            for block in self.blocks:
                x = block(x)
            return self.head(rms_norm(x, (width,)))

    return Decoder()


def spelled(numbers: Tensor) -> str:
    """The text that letters' numbers [length] stand for."""
    return "".join(LETTERS[i] for i in numbers.tolist())
