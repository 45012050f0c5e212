"""Does the check of written sentences work? Right sentences, and the same with an error put in.

Right ones are free wordings of teachers (written/): each that is replaced by a quotation is a false alarm. An error is a concept swapped for its
neighbour, a changed number, a turned meaning, or a sentence from elsewhere: each that is shown as supported slipped through.
The reported part takes two cores up to an hour, so its result is kept (check.json) until the notes, the written sentences or the fitted files of the judges change. Which
notes stand beside those that answer is as search found them on that day.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from knowledge.concept_files import CONCEPTS
from knowledge.mentions import Mentions
from knowledge.search import Hit, Search
from knowledge.sentences import split_sentences
from tutor.distill.examples import load_examples
from tutor.evaluation.finding import Finding, share
from tutor.grounding import Grounding
from tutor.judging import FITTED as JUDGING
from tutor.judging import Judge
from tutor.lookup import NOTES
from tutor.verdict.causal_reader import CHANGE as READING
from tutor.verdict.reader import FITTED as READER

WRITTEN = Path(__file__).parent / "written"
REPORTED, TUNING = WRITTEN / "fresh.jsonl", WRITTEN / "tuning.jsonl"
KEPT = Path(__file__).parent / "check.json"
KINDS = ("right", "swap", "number", "negation", "unfounded")
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|does|do|has|have|will|must|should)\b(?! not)")
_NEGATED = re.compile(r"\b(is|are|was|were|can|does|do|has|have|will|must|should) not\b|\bcannot\b|\bnever ")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w.]*-?\w)")


@dataclass(frozen=True)
class Trial:
    """A sentence before the notes that retrieval returns for its question; `kind` says whether it is right, or what is wrong."""

    id: str
    kind: str
    sentence: str
    hits: tuple[Hit, ...]


def trials(search: Search, path: Path) -> Iterator[Trial]:
    """Right sentences, each error in them, and one sentence of the next answer, whose notes are others."""
    examples = {example.id: example for example in load_examples(search.knowledge)}
    passages = {passage.id: passage for passage in search.knowledge.passages}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row, other in zip(rows, [*rows[1:], *rows[:1]], strict=True):
        example = examples[row["id"]]
        found = search.search(example.query, NOTES).hits
        needed = dict.fromkeys(name for name, _ in example.answer)
        hits = tuple(
            [Hit(passages[name], 1.0, 1.0) for name in needed] + [h for h in found if h.passage.id not in needed]
        )[:NOTES]
        for sentence in _claims(row["answer"]):
            yield Trial(example.id, "right", sentence, hits)
            for kind, faulty in inject(sentence, search.mentions):
                yield Trial(example.id, kind, faulty, hits)
        if not {name for name, _ in examples[other["id"]].answer} & {hit.passage.id for hit in hits}:
            yield Trial(example.id, "unfounded", _claims(other["answer"])[0], hits)


def _claims(answer: str) -> list[str]:
    """Its sentences, but for a Yes or No."""
    return [s for s in split_sentences(answer) if s.rstrip(".").lower() not in ("yes", "no")]


def evaluate_check(search: Search, judge: Judge, path: Path = REPORTED) -> Finding:
    """Share of right sentences that are not shown, and of faulty ones, by kind."""
    finding = Finding()
    tried: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for trial in trials(search, path):
        tried[trial.kind] += 1
        checked = Grounding(trial.hits, search.embedder, search.mentions, judge).check(trial.sentence)
        stopped = checked is None or checked.support != "supported"
        caught[trial.kind] += stopped
        if stopped == (trial.kind == "right"):
            what = "false alarm" if stopped else f"{trial.kind} not caught"
            finding.failures.append(f"{trial.id} {what}: {trial.sentence!r}")
    finding.figures = {
        f"check_{'false_alarms' if kind == 'right' else kind + '_caught'}": share(caught[kind], tried[kind])
        for kind in KINDS
    }
    finding.figures |= {f"check_{kind}_sentences": tried[kind] for kind in KINDS}
    return finding


def check_state() -> str:
    """Sixteen hex digits that change with notes, written sentences, and what judges them; not with which experiments a set names."""
    digest = hashlib.sha256()
    for path in sorted(CONCEPTS.glob("*.md")):
        lines = path.read_bytes().splitlines(keepends=True)
        digest.update(b"".join(line for line in lines if not line.startswith(b"demos:")))
    for path in (REPORTED, JUDGING, READER, READING / "adapter_model.safetensors"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def kept_check(path: Path = KEPT) -> tuple[Finding, str] | None:
    """What evaluate_check last found on the reported part, and the day; None if notes or judges were others then."""
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    return (Finding(kept["figures"], kept["failures"]), kept["made"]) if kept["state"] == check_state() else None


def keep_check(finding: Finding, path: Path = KEPT) -> None:
    """Write it down with the state it holds for and the day."""
    kept = {"state": check_state(), "made": date.today().isoformat(), **asdict(finding)}
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def inject(sentence: str, mentions: Mentions) -> Iterator[tuple[str, str]]:
    """The sentence with one error, of each kind that it has room for: (kind, faulty sentence)."""
    if (swapped := _swap(sentence, mentions)) is not None:
        yield "swap", swapped
    number = _NUMBER.search(sentence)
    if number is not None:
        yield "number", sentence[: number.start()] + _other_number(number.group()) + sentence[number.end() :]
    negation = _NEGATED.search(sentence)
    if negation is not None:
        kept = "can" if negation.group() == "cannot" else (negation.group(1) or "")
        yield "negation", sentence[: negation.start()] + kept + sentence[negation.end() :]
    elif auxiliary := _AUXILIARY.search(sentence):
        yield "negation", sentence[: auxiliary.end()] + " not" + sentence[auxiliary.end() :]


def _swap(sentence: str, mentions: Mentions) -> str | None:
    """Another side of the same set in the place of the first one named; both change places where both are named."""
    found = mentions.find(sentence)
    if not found:
        return None
    first = found[0]
    concept, side = first.sides[0]
    second = next((m for m in found[1:] if any(c == concept and s != side for c, s in m.sides)), None)
    one = sentence[first.start : first.start + len(first.words)]
    if second is not None and second.start >= first.start + len(first.words):
        other = sentence[second.start : second.start + len(second.words)]
        between = sentence[first.start + len(first.words) : second.start]
        return sentence[: first.start] + other + between + one + sentence[second.start + len(second.words) :]
    names = mentions.neighbours(concept, side)
    return sentence[: first.start] + names[0] + sentence[first.start + len(first.words) :] if names else None


def _other_number(number: str) -> str:
    """Another number of the same look."""
    digits = str(int(number[0]) % 9 + 1)
    return digits + number[1:]
