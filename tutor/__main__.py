"""Command line: `python -m tutor ask|retrieve|demo|eval|bench|index|weights`. Results on stdout, the rest on stderr."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from demos import DEMOS, find_demo
from demos.base import DemoResult, Lab, Progress
from tutor.errors import TutorError
from tutor.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is one line on stderr and exit status 2."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("tutor").setLevel(logging.INFO)
    logging.getLogger("knowledge").setLevel(logging.INFO)
    try:
        parsed, rest = _parser().parse_known_args(arguments)
        if rest and parsed.command != "demo":
            raise TutorError(f"Unknown argument {rest[0]!r}; see `python -m tutor {parsed.command} --help`.")
        parsed.rest = rest
        return int(parsed.run(parsed, Settings.from_environ()) or 0)
    except TutorError as error:
        print(f"tutor: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0


class _Parser(argparse.ArgumentParser):
    """argparse, with a mistake told in one line like every other."""

    def error(self, message: str) -> NoReturn:
        raise TutorError(f"{message[:1].upper()}{message[1:]}; see `{self.prog} --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m tutor", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    ask = commands.add_parser("ask", help="answer a question, or a file of them")
    ask.add_argument("question", nargs="?")
    ask.add_argument("--json", action="store_true")
    ask.add_argument(
        "--batch", metavar="FILE", help='JSON lines {"id", "question", "history": [[user, tutor], …]}; - for stdin'
    )
    ask.add_argument("--no-demos", action="store_true", help="route to an experiment without running it")
    ask.set_defaults(run=_ask)

    retrieve = commands.add_parser("retrieve", help="the passages for a query")
    retrieve.add_argument("query")
    retrieve.add_argument("-k", type=int, default=5)
    retrieve.add_argument("--json", action="store_true")
    retrieve.set_defaults(run=_retrieve)

    demo = commands.add_parser("demo", help="run an experiment", description="Settings are given as --NAME VALUE.")
    demo.add_argument("name", nargs="?")
    demo.add_argument("--list", action="store_true")
    demo.add_argument("--json", action="store_true")
    demo.add_argument("--seed", type=int, default=0)
    demo.add_argument("--question", default="", help="asked of the changed and the unchanged model")
    demo.set_defaults(run=_demo)

    evaluation = commands.add_parser("eval", help="quality on the reported part of the labelled set")
    evaluation.add_argument("--json", action="store_true")
    evaluation.add_argument(
        "--no-answers", action="store_true", help="leave out answers and the check; minutes instead of up to an hour"
    )
    evaluation.set_defaults(run=_eval)

    bench = commands.add_parser("bench", help="speed against named baselines, all in one run (half an hour)")
    bench.add_argument("--json", action="store_true")
    bench.add_argument("--runs", type=int, default=5)
    bench.set_defaults(run=_bench)

    index = commands.add_parser("index", help="build the index; with --check only check the concept files")
    index.add_argument("--check", action="store_true")
    index.set_defaults(run=_index)

    weights = commands.add_parser("weights", help="fetch and verify the weights")
    weights.set_defaults(run=_weights)
    return parser


def _ask(parsed: argparse.Namespace, settings: Settings) -> int:
    from tutor.open import open_tutor
    from tutor.record import read_batch, record

    if bool(parsed.batch) == (parsed.question is not None):
        raise TutorError("Give a question, or --batch FILE.")
    items: Iterator[Any] = read_batch(parsed.batch) if parsed.batch else iter([(None, parsed.question, ())])
    tutor = None
    for item_id, question, history in items:
        tutor = tutor or open_tutor(settings)
        if parsed.json or parsed.batch:
            print(
                json.dumps(record(tutor, item_id, question, history, not parsed.no_demos), ensure_ascii=False),
                flush=True,
            )
        else:
            _print_turn(tutor.turn(question, history, run_demos=not parsed.no_demos))
    return 0


def _print_turn(events: Iterator[Any]) -> None:
    from tutor.events import Answered, Delta, DemoProgress, Understood

    for event in events:
        if isinstance(event, Understood) and event.rewritten:
            print(f"({event.query})", file=sys.stderr)
        elif isinstance(event, DemoProgress):
            print(f"{event.fraction:4.0%} {event.note}", file=sys.stderr)
        elif isinstance(event, Delta):
            print(event.text, end="", flush=True)
        elif isinstance(event, Answered):
            print()
            for source in event.sources:
                if source.cited:
                    print(f"[{source.n}] {source.hit.passage.title} ({source.hit.passage.id})")


def _retrieve(parsed: argparse.Namespace, settings: Settings) -> int:
    from tutor.choosing.compound import read_parts
    from tutor.open import open_search
    from tutor.record import source_record

    if parsed.k < 1:
        raise TutorError(f"-k is {parsed.k}; give a number of at least 1.")
    search = open_search(settings)
    query = search.spelling.mended(parsed.query)
    found = search.search(query, parsed.k, parts=read_parts(query, search))
    rows = [source_record(n, hit, search.knowledge) for n, hit in enumerate(found.hits, 1)]
    if parsed.json:
        print(json.dumps({"query": parsed.query, "covered": found.covered, "hits": rows}, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['score']:.3f}  {row['id']}\n       {row['text']}")
    return 0


def _demo(parsed: argparse.Namespace, settings: Settings) -> int:
    from tutor.experiments.specimens import Specimens

    if parsed.list or not parsed.name:
        for demo in DEMOS:
            print(f"{demo.name:12} {demo.title}")
            for param in demo.params:
                print(f"{'':12} --{param.name} {param.allowed()} (default {param.default}): {param.help}")
        return 0
    demo = find_demo(parsed.name)
    params = demo.settings(_pairs(parsed.rest))
    lab = Lab(Specimens(settings.cache).copy, parsed.question, parsed.seed)
    for step in demo.run(lab, params):
        if isinstance(step, Progress):
            print(f"{step.fraction:4.0%} {step.note}", file=sys.stderr)
        elif isinstance(step, DemoResult):
            figure = _save_figure(settings.cache, demo.name, step)
            if parsed.json:
                table = {"columns": step.table.columns, "rows": step.table.rows}
                print(
                    json.dumps(
                        {
                            "name": demo.name,
                            "params": params,
                            "seed": parsed.seed,
                            "summary": step.summary,
                            "metrics": dict(step.metrics),
                            "table": table,
                            "figure": str(figure) if figure else None,
                        },
                        ensure_ascii=False,
                    )
                )
            else:
                print(step.summary)
                for row in (step.table.columns, *step.table.rows):
                    print("  " + " | ".join(row))
                for caption, text in step.exhibits.items():
                    print(f"\n{caption}\n{text}")
                if figure:
                    print(f"\nfigure: {figure}")
    return 0


def _pairs(rest: Sequence[str]) -> dict[str, str]:
    """`--bits 4 --group-size=64` as {"bits": "4", "group-size": "64"}."""
    given: dict[str, str] = {}
    words = iter(rest)
    for word in words:
        if not word.startswith("--"):
            raise TutorError(f"Unexpected argument {word!r}; settings are given as --NAME VALUE.")
        name, equals, value = word[2:].partition("=")
        following = value if equals else next(words, None)
        if following is None:
            raise TutorError(f"--{name} lacks a value; give it as --{name} VALUE.")
        given[name] = following
    return given


def _save_figure(cache: Path, name: str, result: DemoResult) -> Path | None:
    if result.figure is None:
        return None
    import hashlib

    folder = cache / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{hashlib.sha256(result.figure).hexdigest()[:10]}.png"
    path.write_bytes(result.figure)
    return path


def _eval(parsed: argparse.Namespace, settings: Settings) -> int:
    from tutor.evaluation.report import evaluate, measure_check, merged
    from tutor.open import open_tutor

    tutor = open_tutor(settings)
    finding = evaluate(tutor, "report", answers=not parsed.no_answers)
    if not parsed.no_answers:
        finding = merged(finding, measure_check(tutor))
    if parsed.json:
        print(json.dumps({"figures": finding.figures, "failures": finding.failures}, ensure_ascii=False))
        return 0
    for name, value in finding.figures.items():
        print(f"{name.replace('_', ' '):40} {value}")
    print(f"\n{len(finding.failures)} failures")
    for line in finding.failures:
        print(f"- {line}")
    return 0


def _bench(parsed: argparse.Namespace, settings: Settings) -> int:
    from tutor.benchmark.report import measure_all, ratios
    from tutor.engines.weights import ensure_all

    if parsed.runs < 1:
        raise TutorError(f"--runs is {parsed.runs}; give a number of at least 1.")
    logging.getLogger("tutor.benchmark").setLevel(logging.INFO)
    ensure_all(settings.cache)
    result = measure_all(parsed.runs)
    rows = ratios(result["contenders"])
    if parsed.json:
        print(json.dumps({"ratios": rows, **result}, ensure_ascii=False))
        return 0
    for row in rows:
        target = f" (target {row['target']})" if row["target"] else ""
        print(f"{row['ratio']:6.2f}  {row['what']}, against {row['against']}{target}")
    return 0


def _index(parsed: argparse.Namespace, settings: Settings) -> int:
    from knowledge.check import check_knowledge
    from knowledge.concept_files import load_knowledge

    if not parsed.check:
        from tutor.open import open_search

        search = open_search(settings)
        print(f"{len(search.knowledge.passages)} passages of {len(search.knowledge.concepts)} sets are indexed.")
        return 0
    knowledge = load_knowledge(settings.knowledge)
    problems = check_knowledge(knowledge, frozenset(demo.name for demo in DEMOS))
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{len(knowledge.concepts)} sets, {len(knowledge.passages)} passages, no problems.")
    return 1 if problems else 0


def _weights(parsed: argparse.Namespace, settings: Settings) -> int:
    from tutor.engines.weights import ensure_all

    for folder in ensure_all(settings.cache):
        print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
