"""One contender in a process of its own, so that memory and start are its own: `python -m tutor.benchmark.worker NAME`.

Prints one JSON object: load_s, peak_mb and a row for each prompt and run.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from knowledge.search import Hit, Search
from tutor.benchmark.contenders import THREADS, Answer, generate, llama_cpp, ours_embedded, ours_free
from tutor.engines.local import Parts
from tutor.open import open_search
from tutor.settings import Settings

PROMPTS = Path(__file__).parent / "prompts.jsonl"
_ALL = Parts()

CONTENDERS: dict[str, Callable[[Settings, Search], Answer]] = {
    "generate, fp32": lambda settings, search: generate(settings, "float32"),
    "generate, bf16": lambda settings, search: generate(settings, "bfloat16"),
    "llama.cpp": lambda settings, search: llama_cpp(settings),
    "embedded": lambda settings, search: ours_embedded(settings, search, _ALL, True),
    "embedded, notes not read ahead": lambda settings, search: ours_embedded(settings, search, _ALL, False),
    "embedded, nothing reused": lambda settings, search: ours_embedded(
        settings, search, replace(_ALL, reuse=False), False
    ),
    "embedded, transformers' forward": lambda settings, search: ours_embedded(
        settings, search, replace(_ALL, own_loop=False), False
    ),
    "free": lambda settings, search: ours_free(settings, _ALL),
    "free, no int8": lambda settings, search: ours_free(settings, replace(_ALL, int8=False)),
    "free, no drafts": lambda settings, search: ours_free(settings, replace(_ALL, drafts=False)),
    "free, nothing reused": lambda settings, search: ours_free(settings, replace(_ALL, reuse=False)),
    "free, transformers' forward": lambda settings, search: ours_free(
        settings, replace(_ALL, own_loop=False, drafts=False)
    ),
}


@dataclass(frozen=True)
class BenchPrompt:
    """A query with its notes; a follow-up comes right after the first turn that it follows."""

    id: str
    kind: str
    query: str
    hits: tuple[Hit, ...]


def load_prompts(search: Search) -> list[BenchPrompt]:
    """The committed prompts with their notes' present text."""
    passages = {passage.id: passage for passage in search.knowledge.passages}
    rows = [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]
    return [
        BenchPrompt(row["id"], row["kind"], row["query"], tuple(Hit(passages[name], 1.0, 1.0) for name in row["notes"]))
        for row in rows
    ]


def measure(name: str, runs: int, lengths: dict[str, int], settings: Settings) -> dict[str, object]:
    """Time one contender; five runs see every prompt once. The engine is made anew each run: nothing is known from the last."""
    import torch

    torch.set_num_threads(THREADS)
    search = open_search(settings)
    prompts = load_prompts(search)
    rows: list[dict[str, object]] = []
    loads: list[float] = []
    for run in range(runs):
        start = time.perf_counter()
        answer = CONTENDERS[name](settings, search)
        loads.append(time.perf_counter() - start)
        answer("What is a warm-up?", prompts[-1].hits[:1], 4)
        for prompt in _share(prompts, run):
            timed = answer(prompt.query, prompt.hits, lengths.get(prompt.id, 40))
            rows.append({"id": prompt.id, "kind": prompt.kind, "run": run, **asdict(timed)})
        del answer
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"name": name, "load_s": sorted(loads)[len(loads) // 2], "peak_mb": peak, "rows": rows}


def _share(prompts: Sequence[BenchPrompt], run: int) -> list[BenchPrompt]:
    """A fifth of the conversations, another fifth each run."""
    return [prompt for i, prompt in enumerate(prompts) if i // 2 % 5 == run % 5]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(CONTENDERS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--lengths", type=json.loads, default={}, help="tokens to write, by prompt id")
    parsed = parser.parse_args()
    json.dump(measure(parsed.name, parsed.runs, parsed.lengths, Settings.from_environ()), sys.stdout)


if __name__ == "__main__":
    main()
