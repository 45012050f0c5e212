"""Made-up texts for the stages of training: a corpus as mixed and noisy as the web's, clean sums, questions with answers.

A token is a word, a number or a sign. Every document ends with `<end>`, as in GPT-2's training data.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Words: TypeAlias = list[str]
Pair: TypeAlias = tuple[int, int]

MOST = 12  # the largest number that is added
WINDOW = 32  # tokens of a training row
NOISE = 0.3  # share of wrong sums in the pretraining corpus
ANSWERED = 0.3  # share of its sheets that answer their question, as often wrongly as its other sums; as the web does
END, ANSWER = "<end>", "\n"  # the line break after a question is where an answer begins
ADJECTIVES = ("small", "big", "red", "old", "quick", "green")
ANIMALS = ("cat", "dog", "bird", "horse", "child", "farmer")
VERBS = ("sees", "finds", "likes", "follows")
THINGS = ("tree", "house", "river", "ball")
PLACES = ("near", "behind", "under")
VOCABULARY = (
    *(END, ANSWER, ".", "+", "=", "gives", "us", "?", "what", "is", "the"),
    *map(str, range(2 * MOST + 1)),
    *(*ADJECTIVES, *ANIMALS, *VERBS, *THINGS, *PLACES),
)
_IDS = {word: i for i, word in enumerate(VOCABULARY)}


@dataclass(frozen=True)
class Sums:
    """All pairs of numbers from 1 to 12, in two parts: no held-out pair is ever asked as a question in training."""

    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]


def split_sums(seed: str, held_out: int) -> Sums:
    """The same two parts for the same seed."""
    pairs = [(a, b) for a in range(1, MOST + 1) for b in range(1, MOST + 1)]
    random.Random(seed).shuffle(pairs)
    return Sums(tuple(pairs[held_out:]), tuple(pairs[:held_out]))


def encode(words: Words) -> list[int]:
    """Words as tokens."""
    return [_IDS[word] for word in words]


def read(ids: list[int]) -> str:
    """Tokens as a line to read; a line break is shown as ⏎."""
    return " ".join("⏎" if VOCABULARY[i] == ANSWER else VOCABULARY[i] for i in ids)


def question(pair: Pair) -> Words:
    """The sum as a learner asks it."""
    return ["what", "is", str(pair[0]), "+", str(pair[1]), "?", ANSWER]


def answer(pair: Pair) -> Words:
    """Its right answer, and the end."""
    return [str(sum(pair)), END]


def statement(pair: Pair, result: int | None = None, spoken: bool = False) -> Words:
    """The sum as text: "7 + 5 = 12 .", or "7 + 5 gives us 12 ." if spoken; with another result if one is given."""
    sign = ["gives", "us"] if spoken else ["="]
    return [str(pair[0]), "+", str(pair[1]), *sign, str(sum(pair) if result is None else result), "."]


class Corpus:
    """Writes documents at random. `sums` says which questions the sheets may ask; sums as text use all pairs."""

    def __init__(self, sums: Sums, seed: str) -> None:
        self._random = random.Random(seed)
        self._sums = sums
        self._pairs = sums.train + sums.held_out

    def story(self) -> Words:
        """One to three sentences of a small grammar."""
        choose, words = self._random.choice, []
        for _ in range(self._random.randint(1, 3)):
            words += [
                "the",
                choose(ADJECTIVES),
                choose(ANIMALS),
                choose(VERBS),
                "the",
                choose(ADJECTIVES),
                choose(THINGS),
            ]
            words += [choose(PLACES), "the", choose(THINGS), "."] if self._random.random() < 0.5 else ["."]
        return [*words, END]

    def arithmetic(self, noise: float) -> Words:
        """Two to four sums as text, each wrong with probability `noise`."""
        words: Words = []
        for _ in range(self._random.randint(2, 4)):
            pair = self._random.choice(self._pairs)
            words += statement(pair, self._result(pair, noise), self._random.random() < 0.5)
        return [*words, END]

    def sheet(self) -> Words:
        """Two or three questions without answers, or one with its answer."""
        if self._random.random() < ANSWERED:
            pair = self._random.choice(self._sums.train)
            return [*question(pair), str(self._result(pair, NOISE)), END]
        asked = self._random.choices(self._sums.train, k=self._random.randint(2, 3))
        return [word for pair in asked for word in question(pair)] + [END]

    def web(self) -> Words:
        """A document of the pretraining mix: 40 % stories, 30 % noisy sums, 30 % sheets of questions."""
        kind = self._random.random()
        return self.story() if kind < 0.4 else self.arithmetic(NOISE) if kind < 0.7 else self.sheet()

    def textbook(self) -> Words:
        """A document of the mid-training mix: 75 % clean sums; the rest is the old mix, so that less is forgotten."""
        return self.arithmetic(0.0) if self._random.random() < 0.75 else self.web()

    def draw(self, pairs: Sequence[Pair], count: int) -> list[Pair]:
        """Pairs for the questions of one training step."""
        return self._random.choices(pairs, k=count)

    def _result(self, pair: Pair, noise: float) -> int:
        right = sum(pair)
        if self._random.random() >= noise:
            return right
        return self._random.choice([n for n in range(right - 2, right + 3) if n != right and 2 <= n <= 2 * MOST])


def windows(write: Callable[[], Words], rows: int) -> Tensor:
    """Token ids [rows, WINDOW] of documents from `write`; each row starts with `<end>` and cuts its last document."""
    import torch

    found = []
    for _ in range(rows):
        words: Words = [END]
        while len(words) < WINDOW:
            words += write()
        found.append(encode(words[:WINDOW]))
    return torch.tensor(found)


def prompts(texts: Sequence[Words]) -> Tensor:
    """Token ids [n, T] of texts of one length, after the `<end>` that every document follows."""
    import torch

    return torch.tensor([encode([END, *text]) for text in texts])


def answers(pairs: Sequence[Pair]) -> Tensor:
    """Token ids [n, 2] of the right answers."""
    import torch

    return torch.tensor([encode(answer(pair)) for pair in pairs])
