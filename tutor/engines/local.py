"""A transformers model on this machine: own prefill and decode loop, prefix reuse, choice among given texts.

It knows nothing of passages or questions: messages in, text or branches out. The loop runs in the caller's
thread, so closing the generator stops the computation at the next forward pass.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.engines.base import Branch, Grammar, Message
from tutor.engines.cache import Prefix, PrefixStore
from tutor.engines.tokens import encode_chat, encode_text
from tutor.engines.trie import build_trie, follow
from tutor.errors import EngineError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_PREFIX_STORE_MB = 256


class LocalEngine:
    """A causal language model from a folder or the Hub. Thread-safe: the weights are only read."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
        self.model, self.tokenizer, self.name = model, tokenizer, name
        self._prefixes = PrefixStore(_PREFIX_STORE_MB)
        self._context = int(getattr(model.config, "max_position_embeddings", 2048))
        ends = model.generation_config.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [ends])

    @classmethod
    def load(cls, source: str | Path, name: str | None = None) -> LocalEngine:
        """Load a folder or Hub id; raises EngineError if there is no usable chat model."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(source)
            model = AutoModelForCausalLM.from_pretrained(source, dtype=fastest_dtype()).eval()
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise EngineError(
                f"The model {str(source)!r} cannot be loaded ({first_line}); "
                "set TUTOR_MODEL to a chat model's Hub id or folder, or leave it unset for the embedded one."
            ) from error
        if not tokenizer.chat_template:
            raise EngineError(f"The model {str(source)!r} has no chat template; set TUTOR_MODEL to a chat model.")
        return cls(model.to(best_device()), tokenizer, name or str(source))

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        prompt = self._encode(messages, room=max_new_tokens)
        prefix, logits = self._prefill(prompt)
        answer: list[int] = []
        shown = ""
        for _ in range(max_new_tokens):
            token = int(logits.argmax())
            if token in self._ends:
                break
            answer.append(token)
            text = str(self.tokenizer.decode(answer, skip_special_tokens=True))
            # A piece that ends in U+FFFD is half a character; the next token completes it.
            if not text.endswith("\ufffd"):
                yield text[len(shown) :]
                shown = text
            logits = self._advance(prefix, [token])

    def choose(self, messages: Sequence[Message], grammar: Grammar) -> Iterator[Branch]:
        chosen: tuple[Branch, ...] = ()
        allowed = grammar(chosen)
        if not allowed:
            return
        prompt = self._encode(messages, room=1024)
        prefix, logits = self._prefill(prompt)
        pending: list[int] = []
        while allowed:
            node = build_trie((self._branch_tokens(branch, first=not chosen), branch) for branch in allowed)
            while True:
                forced, node = follow(node)
                pending += forced
                if node.branch is not None and not node.children:
                    break
                if pending:
                    logits = self._advance(prefix, pending)
                    pending = []
                scores = logits.log_softmax(-1)
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

    def count(self, text: str) -> int:
        return len(encode_text(self.tokenizer, text))

    def _branch_tokens(self, branch: Branch, first: bool) -> list[int]:
        if not branch.text:
            return [min(self._ends)]
        return encode_text(self.tokenizer, branch.text if first else " " + branch.text)

    def _encode(self, messages: Sequence[Message], room: int) -> list[int]:
        prompt = encode_chat(self.tokenizer, messages)
        if len(prompt) + room > self._context:
            raise EngineError(
                f"The notes and the question are {len(prompt)} tokens long and {self.name} takes "
                f"{self._context - room}; ask a shorter question, or set TUTOR_MODEL to one with a longer context."
            )
        return prompt

    def _prefill(self, prompt: list[int]) -> tuple[Prefix, torch.Tensor]:
        """Run the prompt's tokens that no stored prefix covers; returns the prefix and logits of shape (vocabulary,)."""
        prefix = self._prefixes.longest(prompt, self.model.config)
        rest = prompt[len(prefix.tokens) :]
        if rest or prefix.logits is None:
            prefix.logits = self._advance(prefix, rest)
            self._prefixes.store(prefix)
        return prefix, prefix.logits

    def _advance(self, prefix: Prefix, tokens: list[int]) -> torch.Tensor:
        """Feed tokens in one pass; returns the logits after the last of them, fp32 (vocabulary,)."""
        import torch

        with torch.inference_mode():
            ids = torch.tensor([tokens], device=self.model.device)
            output = self.model(input_ids=ids, cache=prefix.cache, use_cache=True, logits_to_keep=1)
        prefix.tokens.extend(tokens)
        return output.logits[0, -1].float()


def best_device() -> str:
    """`cuda` where there is one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def fastest_dtype() -> torch.dtype:
    """bf16 where this machine multiplies bf16 matrices faster than fp32 ones, else fp32 (older CPUs emulate bf16)."""
    import torch

    if best_device() == "cuda":
        return torch.bfloat16
    took: dict[torch.dtype, float] = {}
    for dtype in (torch.float32, torch.bfloat16):
        x, w = torch.ones(256, 576, dtype=dtype), torch.ones(1536, 576, dtype=dtype)
        torch.nn.functional.linear(x, w)
        start = time.perf_counter()
        for _ in range(5):
            torch.nn.functional.linear(x, w)
        took[dtype] = time.perf_counter() - start
    return torch.bfloat16 if took[torch.bfloat16] < took[torch.float32] else torch.float32
