"""What grows with what: passages, notes, and the turns before. `python -m tutor.benchmark.growth` prints JSON."""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import Any

import numpy as np

from tutor.benchmark.contenders import THREADS
from tutor.benchmark.worker import load_prompts
from tutor.engines.local import LocalEngine
from tutor.engines.weights import ensure_tutor_model
from tutor.events import Exchange
from tutor.followup import make_standalone
from tutor.open import open_search
from tutor.prompts import choice_prompt
from tutor.settings import Settings

PASSAGES = (100, 10_000, 1_000_000)
DIMENSION = 384


def index_of(count: int, repeats: int = 20) -> dict[str, float | str]:
    """Build and query a FAISS index of synthetic unit vectors, one a passage: seconds, MB, milliseconds, recall@10 against exact search.

    The vectors lie around centres, as texts on common subjects do; uniform ones have no neighbours worth finding.
    """
    from knowledge.index import index_vectors

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((max(10, count // 200), DIMENSION), dtype=np.float32)
    vectors = centres[rng.integers(len(centres), size=count)]
    vectors += 0.7 * rng.standard_normal((count, DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = vectors[rng.integers(count, size=repeats)] + 0.02 * rng.standard_normal(
        (repeats, DIMENSION), dtype=np.float32
    )
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    start = time.perf_counter()
    index = index_vectors(vectors, np.arange(count), np.ones(count, dtype=np.bool_), count).index
    built = time.perf_counter() - start
    times, found = [], 0
    for query in queries:
        start = time.perf_counter()
        _, ids = index.search(query[None], 10)
        times.append(time.perf_counter() - start)
        exact = np.argpartition(-(vectors @ query), 10)[:10]
        found += len(set(exact.tolist()) & set(ids[0].tolist()))
    return {
        "passages": count,
        "build_s": built,
        "vectors_mb": index.sa_code_size() * count / 1e6,
        "query_ms": 1000 * median(times),
        "recall@10": found / (10 * repeats),
        "kind": type(index).__name__,
    }


def main() -> None:
    import torch

    torch.set_num_threads(THREADS)
    settings = Settings.from_environ()
    search = open_search(settings)
    prompts = load_prompts(search)
    result: dict[str, Any] = {"passages": [index_of(count) for count in PASSAGES]}

    engine = LocalEngine.load(ensure_tutor_model(settings.cache), "ours")
    result["notes"] = []
    for notes in (1, 2, 4, 8):
        hits = tuple(dict.fromkeys(hit for prompt in prompts for hit in prompt.hits))[:notes]
        cold: list[float] = []
        warm: list[float] = []
        for i in range(5):
            fresh = choice_prompt(f"Question {notes} {i}?", hits)
            engine._notes = type(engine._notes)(1_000)
            for into in (cold, warm):
                start = time.perf_counter()
                engine._open(_encoded(engine, fresh), 64, (), lambda logits: logits[-1])
                into.append(time.perf_counter() - start)
        result["notes"].append({"notes": notes, "first_s": median(cold), "first_read_ahead_s": median(warm)})

    result["history"] = []
    for turns in (0, 1, 3, 6, 12):
        history = tuple(Exchange(prompt.query, prompt.hits[0].passage.text) for prompt in prompts[:turns])
        times = []
        for _ in range(5):
            start = time.perf_counter()
            standalone = make_standalone("and why is that?", history, search)
            search.search(standalone.query, 4, vector=standalone.vector)
            times.append(time.perf_counter() - start)
        result["history"].append({"turns": turns, "find_s": median(times)})
    json.dump(result, sys.stdout)


def _encoded(engine: LocalEngine, messages: Any) -> Any:
    from tutor.engines.tokens import encode_prompt

    return encode_prompt(engine.tokenizer, messages)


if __name__ == "__main__":
    main()
