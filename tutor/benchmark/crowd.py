"""A class arrives at once: several learners' threads on one engine. `python -m tutor.benchmark.crowd` prints JSON.

Free mode, where an answer takes many passes, with learners' passes run together and one by one; and the embedded mode, where an
answer is a few passes. Also here, since they need the same engine: what a stop leaves running, and memory over 500 turns.
"""

from __future__ import annotations

import gc
import itertools
import json
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from knowledge.search import Search
from tutor.answers import stream_answer
from tutor.benchmark.contenders import THREADS
from tutor.benchmark.worker import BenchPrompt, load_prompts
from tutor.choosing.compound import read_parts
from tutor.engines.local import LocalEngine, Parts
from tutor.engines.weights import ensure_tutor_model
from tutor.open import open_classifier, open_readers, open_search, teach
from tutor.prompts import choice_prompt, written_prompt
from tutor.settings import Settings

CLASSES = (1, 2, 4, 8, 16)
TOKENS = 40
TURNS = 500
Stream = Callable[[BenchPrompt], Iterator[Any]]


def crowd(stream: Stream, prompts: Sequence[BenchPrompt], learners: int, runs: int) -> dict[str, float]:
    """All ask at the same moment, each another question, round after round until every prompt was asked, in at least `runs` rounds.

    Answers a second, and p50 and p95 of all first pieces in seconds: a class is compared with one learner who asks the same questions, hard ones too.
    """
    waits: list[float] = []
    took = 0.0
    rounds = max(runs, -(-len(prompts) // learners))
    for run in range(rounds):
        firsts = [0.0] * learners
        barrier = threading.Barrier(learners + 1)

        def learn(i: int, run: int = run, firsts: list[float] = firsts, barrier: threading.Barrier = barrier) -> None:
            prompt = prompts[(run * learners + i) % len(prompts)]
            barrier.wait()
            start = time.perf_counter()
            for _ in stream(prompt):
                firsts[i] = firsts[i] or time.perf_counter() - start

        threads = [threading.Thread(target=learn, args=(i,)) for i in range(learners)]
        for thread in threads:
            thread.start()
        barrier.wait()
        start = time.perf_counter()
        for thread in threads:
            thread.join()
        took += time.perf_counter() - start
        waits += firsts
    p95 = quantiles(waits, n=20, method="inclusive")[-1]
    rate = rounds * learners / took
    return {"learners": learners, "answers_per_s": rate, "first_p50_s": median(waits), "first_p95_s": p95}


def stop_to_idle(stream: Stream, prompt: BenchPrompt) -> float:
    """Seconds of processor time that are spent in the second after a stopped answer, all threads together."""
    pieces = stream(prompt)
    next(pieces)
    next(pieces, None)
    pieces.close()  # type: ignore[attr-defined]
    before = time.process_time()
    time.sleep(1.0)
    return time.process_time() - before


def memory_over_turns(stream: Stream, prompts: Sequence[BenchPrompt], turns: int = TURNS) -> list[tuple[int, float]]:
    """Resident MB after every fiftieth turn."""
    sizes: list[tuple[int, float]] = []
    for turn in range(turns):
        for _ in stream(prompts[turn % len(prompts)]):
            pass
        if turn % 50 == 49:
            sizes.append((turn + 1, resident_mb()))
    return sizes


def resident_mb() -> float:
    """What the process holds now (Linux); elsewhere the most it ever held."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def free_classes(folder: Path, prompts: Sequence[BenchPrompt], runs: int) -> dict[str, Any]:
    """Classes in free mode, with learners' passes run together and one by one; also what a stop leaves running."""
    endless = replace(Parts(), ends=False)
    result: dict[str, Any] = {}
    for name, parts in (("free", endless), ("free, one by one", replace(endless, together=False))):
        engine = LocalEngine.load(folder, "ours", parts)

        def write(prompt: BenchPrompt, engine: LocalEngine = engine) -> Iterator[str]:
            return engine.write(written_prompt(prompt.query, prompt.hits), max_new_tokens=TOKENS)

        # The class asks about what the tutor has read before: first tokens then do not hang on the notes' reading.
        for prompt in prompts:
            for _ in engine.write(written_prompt(prompt.query, prompt.hits), max_new_tokens=1):
                pass
        classes = CLASSES if parts.together else (1, 8)
        result[name] = [crowd(write, prompts, learners, runs) for learners in classes]
        if name == "free":
            numbers = itertools.count(1)

            def write_anew(
                prompt: BenchPrompt, write: Stream = write, numbers: Iterator[int] = numbers
            ) -> Iterator[str]:
                return write(replace(prompt, query=f"{prompt.query} Question {next(numbers)}."))

            result["free, new questions"] = [crowd(write_anew, prompts, learners, runs) for learners in CLASSES]
            result["idle_cpu_s"] = stop_to_idle(write, prompts[0])
    return result


def embedded_classes(
    folder: Path, search: Search, prompts: Sequence[BenchPrompt], settings: Settings, runs: int
) -> dict[str, Any]:
    """The same in the embedded mode, and what the process holds over many turns."""
    engine = LocalEngine.load(folder, "ours")
    taught, readers = teach(search, reads=open_classifier(settings, search.knowledge)), open_readers(settings)
    for prompt in prompts:
        engine.warm(choice_prompt("", prompt.hits))

    def choose(prompt: BenchPrompt) -> Iterator[Any]:
        votes = taught.votes(prompt.query, read_parts(prompt.query, search))
        return stream_answer(engine, False, prompt.query, prompt.hits, search, votes=votes, readers=readers)

    # All that is loaded with the first question, and each question's vectors: every class finds the same.
    for prompt in prompts:
        for _ in choose(prompt):
            pass
    classes = [crowd(choose, prompts, learners, runs) for learners in CLASSES]
    return {"embedded": classes, "memory_mb": memory_over_turns(choose, prompts)}


def main() -> None:
    import torch

    torch.set_num_threads(THREADS)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    settings = Settings.from_environ()
    search = open_search(settings)
    prompts, folder = load_prompts(search), ensure_tutor_model(settings.cache)
    result = free_classes(folder, prompts, runs)
    gc.collect()  # what the free mode's engines have read is no part of the embedded one's memory
    json.dump(result | embedded_classes(folder, search, prompts, settings, runs), sys.stdout)


if __name__ == "__main__":
    main()
