"""Who is timed: transformers' `generate`, llama.cpp, and the tutor's engine with each of its parts left out.

Each answers one prompt and is asked for the same number of tokens, so that whole answers can be compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from knowledge.search import Hit, Search
from tutor.answers import stream_answer
from tutor.choosing.compound import read_parts
from tutor.compute import on_tensor_thread
from tutor.engines.local import LocalEngine, Parts
from tutor.engines.tokens import encode_chat
from tutor.engines.weights import SMOLLM2_GGUF, ensure_tutor_model
from tutor.events import Checked
from tutor.open import open_classifier, open_readers, teach
from tutor.prompts import written_prompt
from tutor.settings import Settings

if TYPE_CHECKING:
    import torch

THREADS = 2


@dataclass(frozen=True)
class Timed:
    """Seconds to the first token and to the last, and how many tokens there were."""

    first_s: float
    total_s: float
    tokens: int


Answer = Callable[[str, Sequence[Hit], int], Timed]
"""Query, notes and the number of tokens to write (ours in the embedded mode decides by itself) → how long it took."""


def stopwatch(pieces: Iterator[Any]) -> tuple[float, float, int]:
    """Seconds to the first piece and to the end, and how many pieces came."""
    start, first, count = time.perf_counter(), 0.0, 0
    for _ in pieces:
        count += 1
        first = first or time.perf_counter() - start
    return first, time.perf_counter() - start, count


def generate(settings: Settings, dtype: str) -> Answer:
    """`transformers.generate` as its documentation shows it, greedy, with a streamer that notes the first token."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.generation.streamers import BaseStreamer

    folder = ensure_tutor_model(settings.cache)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # Like ours on the one thread for tensor work, where it is faster than beside a second one (tutor/compute.py).
    model = on_tensor_thread(lambda: AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval())

    class Clock(BaseStreamer):  # type: ignore[misc, no-untyped-call, unused-ignore]
        """`generate` puts the prompt first, then each token."""

        def __init__(self) -> None:
            self.times: list[float] = []

        def put(self, value: torch.Tensor) -> None:
            self.times.append(time.perf_counter())

        def end(self) -> None:
            pass

    def answer(query: str, hits: Sequence[Hit], tokens: int) -> Timed:
        clock, start = Clock(), time.perf_counter()
        ids = torch.tensor([encode_chat(tokenizer, written_prompt(query, hits))])
        on_tensor_thread(
            lambda: model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                min_new_tokens=tokens,
                max_new_tokens=tokens,
                streamer=clock,
            )
        )
        return Timed(clock.times[1] - start, time.perf_counter() - start, len(clock.times) - 1)

    return answer


def llama_cpp(settings: Settings) -> Answer:
    """llama.cpp on the embedded GGUF by llama-cpp-python's own loop, greedy, its reuse of prefixes as it comes.

    Raises ImportError where the extra `bench` is not installed.
    """
    from llama_cpp import Llama
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(ensure_tutor_model(settings.cache))
    model = Llama(
        str(settings.cache / "files" / SMOLLM2_GGUF),
        n_ctx=2048,
        n_threads=THREADS,
        n_threads_batch=THREADS,
        verbose=False,
    )

    def answer(query: str, hits: Sequence[Hit], tokens: int) -> Timed:
        def pieces() -> Iterator[int]:
            ids = encode_chat(tokenizer, written_prompt(query, hits))
            for count, token in enumerate(model.generate(ids, temp=0.0), 1):
                yield token
                if count == tokens:
                    return

        return Timed(*stopwatch(pieces()))

    return answer


def ours_embedded(settings: Settings, search: Search, parts: Parts, warm: bool) -> Answer:
    """What a learner gets: sentences chosen from the notes; `warm` has read the notes before, as the page has soon after its start."""
    engine = LocalEngine.load(ensure_tutor_model(settings.cache), "ours", parts)
    taught, readers = teach(search, reads=open_classifier(settings, search.knowledge)), open_readers(settings)
    taught.load()

    def answer(query: str, hits: Sequence[Hit], tokens: int) -> Timed:
        from tutor.prompts import choice_prompt

        if warm:
            engine.warm(choice_prompt(query, hits))
        start, first, said = time.perf_counter(), 0.0, []
        for event in stream_answer(
            engine, False, query, hits, search, votes=taught.votes(query, read_parts(query, search)), readers=readers
        ):
            first = first or time.perf_counter() - start
            if isinstance(event, Checked):
                said.append(event.text)
        total = time.perf_counter() - start
        return Timed(first or total, total, engine.count(" ".join(said)))

    return answer


def ours_free(settings: Settings, parts: Parts) -> Answer:
    """The same weights writing freely, as a model of one's own does, for as many tokens as the others."""
    engine = LocalEngine.load(ensure_tutor_model(settings.cache), "ours", replace(parts, ends=False))

    def answer(query: str, hits: Sequence[Hit], tokens: int) -> Timed:
        first, total, _ = stopwatch(engine.write(written_prompt(query, hits), max_new_tokens=tokens))
        return Timed(first, total, tokens)

    return answer
