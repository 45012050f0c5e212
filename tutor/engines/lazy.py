"""The embedded model before it is loaded: what is decided without it is chosen at once, and whoever needs it first loads it.

Of 150 questions of the labelled set's tuning part 144 have a first sentence of that kind and 136 a whole answer (measured before the classifier of tutor/choosing/causal_classifier.py had a say), so a learner need not wait for a third of what a start loads.
Who asks for a Yes or No waits for the second reader (tutor/verdict/causal_reader.py), which is loaded after the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.engines.base import Branch, Grammar, Message
from tutor.engines.choosing import foregone
from tutor.engines.local import LocalEngine
from tutor.once import Once

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class LazyEngine:
    """A model in a folder, not loaded yet. Thread-safe; what once failed to load is not tried again, and each learner who needs it is told why."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder
        self._model = Once(lambda: LocalEngine.load(folder, name, aside=True))

    def load(self) -> LocalEngine:
        """The model, loaded now if it is not yet, while others are answered. Raises EngineError with a next step."""
        return self._model.get()

    def choose(self, messages: Sequence[Message], grammar: Grammar) -> Iterator[Branch]:
        chosen: tuple[Branch, ...] = ()
        while self._model.opened is None:
            allowed = grammar(chosen)
            if not allowed:
                return
            if (branch := foregone(allowed)) is None:
                break
            chosen += (branch,)
            yield branch
            if not branch.text:
                return
        yield from self.load().choose(messages, grammar, chosen)

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        yield from self.load().write(messages, max_new_tokens=max_new_tokens)

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        """The model's own, for which the model need not be loaded."""
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._folder / "tokenizer.json"))
