"""A model on this machine: writes, or chooses among given texts, for many learners at once.

It knows nothing of passages or questions: messages in, text or branches out. Each loop runs in its caller's thread, so
closing the generator stops the computation at the next pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tutor.compute import on_tensor_thread
from tutor.engines.base import Branch, Grammar, Message
from tutor.engines.batch import Batch
from tutor.engines.cache import PrefixStore, Read, Store
from tutor.engines.decoder import Decoder, Lane, Pass, Stretch
from tutor.engines.drafts import LONGEST, draft
from tutor.engines.generic import GenericDecoder
from tutor.engines.llama import LlamaDecoder, fits
from tutor.engines.models import load_model
from tutor.engines.tokens import Prompt, encode_prompt, encode_text
from tutor.engines.trie import build_trie, follow
from tutor.errors import EngineError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

T = TypeVar("T")

# A model that writes keeps whole prompts, the embedded one its notes; one process hardly fills both.
_PROMPTS_MB, _NOTES_MB = 1_000, 1_000
_CHOICE_ROOM = 512  # tokens that a chosen answer may take
_DRAFTED = 32  # tokens a step that learners' drafts may hold together; a token costs more the more there are


@dataclass(frozen=True)
class Parts:
    """What makes it fast, each of which a benchmark can leave out; without `ends` it writes past the end of its turn."""

    own_loop: bool = True
    int8: bool = True
    reuse: bool = True
    drafts: bool = True
    together: bool = True
    ends: bool = True


class LocalEngine:
    """A causal language model. Thread-safe: weights are only read, stores and batch have their locks."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str, parts: Parts | None = None
    ) -> None:
        import torch

        self._parts = parts or Parts()
        self.tokenizer, self.name = tokenizer, name
        own = self._parts.own_loop and fits(model)
        int8 = self._parts.int8 and model.dtype == torch.bfloat16 and model.device.type == "cpu"
        self.decoder: Decoder = LlamaDecoder(model, int8) if own else GenericDecoder(model)
        self._batch = Batch(self.decoder, self._parts.together)
        reuse = self._parts.reuse
        self._prompts, self._notes = PrefixStore(_PROMPTS_MB * reuse), Store(_NOTES_MB * reuse)
        self._context = int(getattr(model.config, "max_position_embeddings", 2048))
        assert model.generation_config is not None
        ends = model.generation_config.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [ends])

    @classmethod
    def load(cls, source: str | Path, name: str | None = None, parts: Parts | None = None) -> LocalEngine:
        """Load a folder or Hub id; raises EngineError if there is no usable chat model."""
        model, tokenizer = load_model(source)
        return cls(model, tokenizer, name or str(source), parts)

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        prompt = encode_prompt(self.tokenizer, messages)
        answer: list[int] = []
        shown = ""
        with closing(_Text(self, prompt, max_new_tokens)) as text:
            (token,) = text.start(_likeliest)
            while token not in self._ends or not self._parts.ends:
                guess = draft(prompt.tokens, [*answer, token]) if self._parts.drafts else []
                guess = guess[: max(1, _DRAFTED // self._batch.company)]
                # The pass that feeds the token checks the guess as well: following[i] comes after the guess's first i tokens.
                following = text.feed([token, *guess], _likeliest, keep=1 + len(guess))
                agreed = [token]
                while len(agreed) <= len(guess) and guess[len(agreed) - 1] == following[len(agreed) - 1]:
                    agreed.append(guess[len(agreed) - 1])
                text.rewind(1 + len(guess) - len(agreed))
                for token in agreed:
                    if token in self._ends and self._parts.ends:
                        return
                    answer.append(token)
                    said = str(self.tokenizer.decode(answer, skip_special_tokens=True))
                    # A piece that ends in U+FFFD is half a character; the next token completes it.
                    if not said.endswith("\ufffd"):
                        yield said[len(shown) :]
                        shown = said
                    if len(answer) == max_new_tokens:
                        return
                token = following[len(agreed) - 1]

    def choose(self, messages: Sequence[Message], grammar: Grammar) -> Iterator[Branch]:
        allowed = grammar(())
        if not allowed:
            return
        with closing(_Text(self, encode_prompt(self.tokenizer, messages), _CHOICE_ROOM)) as text:
            yield from self._chosen(text, grammar, allowed)

    def _chosen(self, text: _Text, grammar: Grammar, allowed: Sequence[Branch]) -> Iterator[Branch]:
        chosen: tuple[Branch, ...] = ()
        scores = text.start(_log_probabilities)
        pending: list[int] = []
        while allowed:
            node = build_trie((self._branch_tokens(branch, first=not chosen), branch) for branch in allowed)
            while True:
                forced, node = follow(node)
                pending += forced
                if node.branch is not None and not node.children:
                    break
                if pending:
                    scores = text.feed(pending, _log_probabilities)
                    pending = []
                token = max(node.children, key=lambda t: float(scores[t]) + node.children[t].bias)
                if node.branch is not None:
                    # A text ends where a longer one goes on: the end has the probability that the others leave.
                    goes_on = min(float(scores[list(node.children)].exp().sum()), 1 - 1e-9)
                    if math.log(1 - goes_on) + node.own_bias > float(scores[token]) + node.children[token].bias:
                        break
                pending.append(token)
                node = node.children[token]
            chosen += (node.branch,)
            yield node.branch
            if not node.branch.text:
                return
            allowed = grammar(chosen)

    def score(self, messages: Sequence[Message], texts: Sequence[str]) -> list[float]:
        """Log-probability (nats) of each text, were it to follow the prompt."""
        import torch

        prompt = encode_prompt(self.tokenizer, messages)
        tokens = [encode_text(self.tokenizer, text) for text in texts]
        opened = [self._open(prompt, len(ids) + LONGEST) for ids in tokens]
        passes = [Pass(lane, ids, position, len(ids)) for ids, (lane, position, _) in zip(tokens, opened, strict=True)]
        scores = []
        for ids, (_, _, before), rows in zip(tokens, opened, self._batch.run(passes), strict=True):
            likely = torch.cat([before[None], rows[:-1]]).log_softmax(-1)
            scores.append(float(likely[range(len(ids)), ids].sum()))
        return scores

    def weigh(self, messages: Sequence[Message], chosen: Sequence[Branch], allowed: Sequence[Branch]) -> list[float]:
        """Log-probability (nats) of each branch after those chosen, biases left out: what `choose` compares token by token."""
        import torch

        before = [t for i, branch in enumerate(chosen) for t in self._branch_tokens(branch, first=not i)]
        ids = [self._branch_tokens(branch, first=not chosen) for branch in allowed]
        room = len(before) + max(map(len, ids))
        lane, position, logits = self._open(encode_prompt(self.tokenizer, messages), room)
        if before:
            logits = self._batch.run([Pass(lane, before, position)])[0][-1]
        read, start = lane.stretch(0, lane.length), position + len(before)
        lanes = [self.decoder.lane(lane.length + len(tokens)) for tokens in ids]
        for one in lanes:
            one.append(read)
        passes = [Pass(one, tokens, start, len(tokens)) for one, tokens in zip(lanes, ids, strict=True)]
        likely = []
        for tokens, rows in zip(ids, self._batch.run(passes), strict=True):
            told = torch.cat([logits[None], rows[:-1]]).log_softmax(-1)
            likely.append(float(told[range(len(tokens)), tokens].sum()))
        return likely

    def count(self, text: str) -> int:
        return len(encode_text(self.tokenizer, text))

    def warm(self, messages: Sequence[Message]) -> bool:
        """Read the notes ahead of any question, while nobody else needs the model. False once the store is full."""
        prompt = encode_prompt(self.tokenizer, messages)
        full = self._notes.megabytes > 0.9 * _NOTES_MB
        if self.decoder.apart and not full:
            self._read_notes(prompt, patient=True)
        return not full

    def _branch_tokens(self, branch: Branch, first: bool) -> list[int]:
        if not branch.text:
            return [min(self._ends)]
        return encode_text(self.tokenizer, branch.text if first else " " + branch.text)

    def _open(self, prompt: Prompt, room: int) -> tuple[Lane, int, torch.Tensor]:
        """A lane that holds the prompt, the position that comes next, and the logits (vocabulary,) after the prompt."""
        size = len(prompt.tokens)
        if size + room > self._context:
            raise EngineError(
                f"The notes and the question are {size} tokens long and {self.name} takes "
                f"{self._context - room}; ask a shorter question, or set TUTOR_MODEL to one with a longer context."
            )
        if prompt.notes and self.decoder.apart:
            lane = self._lane(size + room, [read.stretch for read in self._read_notes(prompt)])
            logits = self._batch.ask(Pass(lane, prompt.tail, prompt.tail_position), _last)
            return lane, prompt.tail_position + len(prompt.tail), logits
        return self._read(prompt.tokens, size + room)

    def _lane(self, capacity: int, known: Sequence[Stretch]) -> Lane:
        """A lane that begins with what was read before, copied in the caller's thread: no step waits for it."""
        lane = self.decoder.lane(capacity)
        for stretch in known:
            lane.append(stretch)
        return lane

    def _read(self, tokens: Sequence[int], capacity: int) -> tuple[Lane, int, torch.Tensor]:
        """A lane that holds a text, reusing what was read before, the next position, and the logits after it."""
        known, read = self._prompts.longest(tokens)
        lane = self._lane(capacity, [read.stretch] if read is not None else [])
        if read is not None and read.logits is not None and known == len(tokens):
            return lane, known, read.logits
        logits = self._batch.ask(Pass(lane, tokens[known:], known), _last)
        self._prompts.put(tuple(tokens), Read(lane.stretch(0, len(tokens)), logits))
        return lane, len(tokens), logits

    def _read_notes(self, prompt: Prompt, patient: bool = False) -> list[Read]:
        """The head, then each note as it reads after nothing but the head; all that are new are read together."""
        head = self._notes.get(prompt.head)
        if head is None:
            lane = self._lane(len(prompt.head), [])
            self._batch.run([Pass(lane, prompt.head, 0, keep=0)], patient)
            head = Read(lane.stretch(0, len(prompt.head)))
            self._notes.put(prompt.head, head)
        found = {note: self._notes.get((prompt.head, note)) for note in prompt.notes}
        lanes = {
            note: self._lane(len(prompt.head) + len(note), [head.stretch])
            for note, read in found.items()
            if read is None
        }
        if lanes:
            self._batch.run([Pass(lane, note, len(prompt.head), keep=0) for note, lane in lanes.items()], patient)
        reads = [head]
        for note in prompt.notes:
            read = found[note]
            if read is None:
                read = Read(lanes[note].stretch(len(prompt.head), lanes[note].length))
                self._notes.put((prompt.head, note), read)
            reads.append(read)
        return reads


class _Text:
    """One prompt and the answer that grows behind it; to be closed when the answer is over."""

    def __init__(self, engine: LocalEngine, prompt: Prompt, room: int) -> None:
        self._batch = engine._batch
        # The last pass may hold a whole draft beyond what was asked for.
        self._lane, self._position, self._logits = engine._open(prompt, room + LONGEST)

    def start(self, read: Callable[[torch.Tensor], T]) -> T:
        """What `read` makes of the logits (1, vocabulary) after the prompt."""
        return on_tensor_thread(lambda: read(self._logits[None]))

    def feed(self, tokens: Sequence[int], read: Callable[[torch.Tensor], T], keep: int = 1) -> T:
        """What `read` makes of the logits (keep, vocabulary) after the last tokens."""
        result = self._batch.ask(Pass(self._lane, tokens, self._position, keep), read)
        self._position += len(tokens)
        return result

    def rewind(self, count: int) -> None:
        """Forget the last `count` tokens."""
        if count:
            self._lane.rewind(self._lane.length - count)
            self._position -= count

    def close(self) -> None:
        self._batch.leave(self._lane)


def _last(logits: torch.Tensor) -> torch.Tensor:
    return logits[-1]


def _likeliest(logits: torch.Tensor) -> list[int]:
    """The likeliest token after each row."""
    tokens: list[int] = logits.argmax(-1).tolist()
    return tokens


def _log_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Those of all tokens after the last row."""
    return logits[-1].log_softmax(-1)
