"""A model on this machine: writes, or chooses among given texts, for many learners at once.

It knows nothing of passages or questions: messages in, text or branches out. Each loop runs in its caller's thread, so
closing the generator stops the computation at the next pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tutor.compute import in_passing, on_tensor_thread
from tutor.engines.base import Branch, Grammar, Message
from tutor.engines.batch import Batch
from tutor.engines.cache import PrefixStore, Read, Store
from tutor.engines.choosing import choose
from tutor.engines.decoder import Decoder, Lane, Pass, Stretch
from tutor.engines.drafts import LONGEST, draft
from tutor.engines.generic import GenericDecoder
from tutor.engines.llama import Llama, LlamaDecoder, fits
from tutor.engines.models import load_model
from tutor.engines.tokens import Prompt, encode_prompt, encode_text
from tutor.errors import EngineError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

T = TypeVar("T")

# A model that writes keeps whole prompts, the embedded one its notes; one process hardly fills both. For each byte of a number, so that fp32 holds as many texts as bf16: 1 GB each, or 2.
_PROMPTS_MB, _NOTES_MB = 500, 500
_CHOICE_ROOM = 512  # tokens that a chosen answer may take
_SENTENCES = 20_000  # whose tokens are kept
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
        self.decoder: Decoder = LlamaDecoder(Llama.of(model), int8) if own else GenericDecoder(model)
        self._batch = Batch(self.decoder, self._parts.together)
        size = model.dtype.itemsize if self._parts.reuse else 0
        self._prompts, self._notes = PrefixStore(_PROMPTS_MB * size), Store(_NOTES_MB * size)
        self._context = int(getattr(model.config, "max_position_embeddings", 2048))
        assert model.generation_config is not None
        ends = model.generation_config.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [ends])
        # The notes' sentences compete at every fork, for every learner.
        self._encode = lru_cache(_SENTENCES)(lambda text: tuple(encode_text(tokenizer, text)))

    @classmethod
    def load(
        cls, source: str | Path, name: str | None = None, parts: Parts | None = None, aside: bool = False
    ) -> LocalEngine:
        """Load a folder or Hub id; raises EngineError if there is no usable chat model.

        With `aside` others may use the tensor thread while files are read and libraries imported, which takes most of it.
        """
        read = in_passing if aside else on_tensor_thread
        model, tokenizer = read(lambda: load_model(source))
        return on_tensor_thread(lambda: cls(model, tokenizer, name or str(source), parts))

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        prompt = encode_prompt(self.tokenizer, messages)
        answer: list[int] = []
        shown = ""
        with closing(_Text(self, prompt, max_new_tokens)) as text:
            # What was asked before has its first token at once; its lane is filled with the next.
            logits = self._known(prompt)
            tokens = text.feed((), _likeliest) if logits is None else _likeliest(logits[None])
            while True:
                for token in tokens:
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
                guess = draft(prompt.tokens, answer) if self._parts.drafts else []
                guess = guess[: max(1, _DRAFTED // self._batch.company)]
                # The pass that feeds the last token checks the guess as well: following[i] comes after the guess's first i tokens.
                following = text.feed([answer[-1], *guess], _likeliest, keep=1 + len(guess))
                agreed = 0
                while agreed < len(guess) and guess[agreed] == following[agreed]:
                    agreed += 1
                text.rewind(len(guess) - agreed)
                tokens = following[: agreed + 1]

    def choose(
        self, messages: Sequence[Message], grammar: Grammar, chosen: tuple[Branch, ...] = ()
    ) -> Iterator[Branch]:
        """As ChoosingEngine does; what was `chosen` already is not yielded again."""
        allowed = grammar(chosen)
        if not allowed:
            return
        with closing(_Text(self, encode_prompt(self.tokenizer, messages), _CHOICE_ROOM)) as text:
            yield from choose(text, grammar, allowed, self._branch_tokens, chosen)

    def score(self, messages: Sequence[Message], texts: Sequence[str]) -> list[float]:
        """Log-probability (nats) of each text, were it to follow the prompt."""
        prompt = encode_prompt(self.tokenizer, messages)
        tokens = [encode_text(self.tokenizer, text) for text in texts]
        opened = [self._open(prompt, len(ids) + LONGEST, (), _last) for ids in tokens]
        passes = [Pass(lane, ids, position, len(ids)) for ids, (lane, position, _) in zip(tokens, opened, strict=True)]
        befores = [before for _, _, before in opened]
        return [_total(*told) for told in zip(tokens, befores, self._batch.run(passes), strict=True)]

    def count(self, text: str) -> int:
        return len(encode_text(self.tokenizer, text))

    def warm(self, messages: Sequence[Message]) -> bool:
        """Read the notes ahead of any question, while nobody else needs the model. False once the store is full."""
        prompt = encode_prompt(self.tokenizer, messages)
        full = self._notes.is_nearly_full
        if self.decoder.apart and not full:
            self._read_notes(prompt, patient=True)
        return not full

    def _branch_tokens(self, branch: Branch, first: bool) -> Sequence[int]:
        if not branch.text:
            return [min(self._ends)]
        return self._encode(branch.text if first else " " + branch.text)

    def _open(
        self, prompt: Prompt, room: int, then: Sequence[int], read: Callable[[torch.Tensor], T], keep: int = 1
    ) -> tuple[Lane, int, T]:
        """A lane that holds the prompt and what comes `then`, the next position, and what `read` makes of the last logits."""
        self._check_room(prompt, room)
        capacity = len(prompt.tokens) + room
        if prompt.notes and self.decoder.apart:
            lane = self._lane(capacity, [known.stretch for known in self._read_notes(prompt)])
            tokens, position = [*prompt.tail, *then], prompt.tail_position
        else:
            lane, position, logits = self._read(prompt.tokens, capacity)
            if not then:
                return lane, position, on_tensor_thread(lambda: read(logits[None]))
            tokens = list(then)
        return lane, position + len(tokens), self._batch.ask(Pass(lane, tokens, position, keep), read)

    def _known(self, prompt: Prompt) -> torch.Tensor | None:
        """The logits (vocabulary,) after a whole prompt that was read before."""
        if prompt.notes and self.decoder.apart:
            return None  # such prompts are never kept whole
        read = self._prompts.get(tuple(prompt.tokens))
        return read.logits if read is not None else None

    def _check_room(self, prompt: Prompt, room: int) -> None:
        size = len(prompt.tokens)
        if size + room > self._context:
            raise EngineError(
                f"The notes and the question are {size} tokens long and {self.name} takes "
                f"{self._context - room}; ask a shorter question, or set TUTOR_MODEL to one with a longer context."
            )

    def _lane(self, capacity: int, known: Sequence[Stretch]) -> Lane:
        """A lane that begins with what was read before."""

        def filled() -> Lane:
            lane = self.decoder.lane(capacity)
            for stretch in known:
                lane.append(stretch)
            return lane

        return on_tensor_thread(filled)

    def _keep(self, lane: Lane, start: int) -> Stretch:
        """A copy of what the lane holds from `start`."""
        return on_tensor_thread(lambda: lane.stretch(start, lane.length))

    def _read(self, tokens: Sequence[int], capacity: int) -> tuple[Lane, int, torch.Tensor]:
        """A lane that holds a text, reusing what was read before, the next position, and the logits after it."""
        known, read = self._prompts.longest(tokens)
        lane = self._lane(capacity, [read.stretch] if read is not None else [])
        if read is not None and read.logits is not None and known == len(tokens):
            return lane, known, read.logits
        logits = self._batch.ask(Pass(lane, tokens[known:], known), _last)
        self._prompts.put(tuple(tokens), Read(self._keep(lane, 0), logits))
        return lane, len(tokens), logits

    def _read_notes(self, prompt: Prompt, patient: bool = False) -> list[Read]:
        """The head, then each note as it reads after nothing but the head; all that are new are read together."""
        head = self._notes.get(prompt.head)
        if head is None:
            lane = self._lane(len(prompt.head), [])
            self._batch.run([Pass(lane, prompt.head, 0, keep=0)], patient)
            head = Read(self._keep(lane, 0))
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
                read = Read(self._keep(lanes[note], len(prompt.head)))
                self._notes.put((prompt.head, note), read)
            reads.append(read)
        return reads


class _Text:
    """One prompt and the answer that grows behind it, read when the first token hangs on it; to be closed when the answer is over."""

    def __init__(self, engine: LocalEngine, prompt: Prompt, room: int) -> None:
        # The last pass may hold a whole draft beyond what was asked for.
        self._engine, self._prompt, self.room = engine, prompt, room + LONGEST
        self._lane: Lane | None = None
        self._position = 0
        engine._check_room(prompt, self.room)

    def feed(self, tokens: Sequence[int], read: Callable[[torch.Tensor], T], keep: int = 1) -> T:
        """What `read` makes of the logits (keep, vocabulary) after the last tokens, which may be none at first.

        Raises ValueError for more than there is `room` for: in the lane it would spoil the step for everyone in it.
        """
        if len(tokens) > self.room:
            raise ValueError(f"{len(tokens)} tokens do not fit a text with room for {self.room}")
        if self._lane is None:
            self._lane, self._position, result = self._engine._open(self._prompt, self.room, tokens, read, keep)
        else:
            result = self._engine._batch.ask(Pass(self._lane, tokens, self._position, keep), read)
            self._position += len(tokens)
        self.room -= len(tokens)
        return result

    def rewind(self, count: int) -> None:
        """Forget the last `count` tokens."""
        if count and self._lane is not None:
            self._lane.rewind(self._lane.length - count)
            self._position -= count
            self.room += count

    def close(self) -> None:
        if self._lane is not None:
            self._engine._batch.leave(self._lane)


def _last(logits: torch.Tensor) -> torch.Tensor:
    return logits[-1]


def _likeliest(logits: torch.Tensor) -> list[int]:
    """The likeliest token after each row; by numpy, so that any thread may ask (tutor/compute.py)."""
    tokens: list[int] = logits.numpy(force=True).argmax(-1).tolist()
    return tokens


def _total(tokens: Sequence[int], before: torch.Tensor, rows: torch.Tensor) -> float:
    """Log-probability of all tokens, from the logits (vocabulary,) before them and those (tokens, vocabulary) after each."""
    import torch

    def summed() -> float:
        likely = torch.cat([before[None], rows[:-1]]).log_softmax(-1)
        return float(likely[range(len(tokens)), list(tokens)].sum())

    return on_tensor_thread(summed)
