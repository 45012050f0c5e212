"""Does the check of written sentences work? Right sentences, and the same with an error put in.

Right ones are a teacher's free wordings (tutor/distill/free.jsonl): each that is replaced by a quotation is a false alarm. An error is a
concept swapped for its neighbour, a changed number, or a turned meaning: each that is shown as supported slipped through.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from knowledge.mentions import Mentions
from knowledge.search import Hit, Search
from knowledge.sentences import split_sentences
from tutor.contrast import Scoring
from tutor.distill.examples import load_examples
from tutor.evaluation.finding import Finding, share
from tutor.grounding import Grounding

FREE = Path(__file__).parent.parent / "distill" / "free.jsonl"
PARTS, REPORTED, TUNING = 4, 0, 1
"""Of each four answers of FREE the check is tried on one and tuned on another; the reader learns from the rest (tutor/distill/pairs.py)."""
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|does|do|has|have|will|must|should)\b(?! not)")
_NEGATED = re.compile(r"\b(is|are|was|were|can|does|do|has|have|will|must|should) not\b|\bcannot\b|\bnever ")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w.]*-?\w)")


def evaluate_check(search: Search, model: Scoring | None = None, path: Path = FREE, part: int = REPORTED) -> Finding:
    """Right sentences and their faulty forms, of one part of the answers, against the notes that retrieval returns for the question."""
    examples = {example.id: example for example in load_examples(search.knowledge)}
    passages = {passage.id: passage for passage in search.knowledge.passages}
    finding = Finding()
    tried: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines()[part::PARTS]:
        row = json.loads(line)
        example = examples[row["id"]]
        hits = list(search.search(example.query, 4).hits)
        needed = dict.fromkeys(name for name, _ in example.answer)
        hits = [Hit(passages[name], 1.0, 1.0) for name in needed] + [h for h in hits if h.passage.id not in needed]
        for sentence in split_sentences(row["answer"]):
            if sentence.rstrip(".").lower() in ("yes", "no"):
                continue
            tried["right"] += 1
            if not shown(sentence, hits[:4], search, model):
                caught["right"] += 1
                finding.failures.append(f"{example.id} false alarm: {sentence!r}")
            for kind, faulty in inject(sentence, search.mentions):
                tried[kind] += 1
                if not shown(faulty, hits[:4], search, model):
                    caught[kind] += 1
                else:
                    finding.failures.append(f"{example.id} {kind} not caught: {faulty!r}")
    finding.figures = {
        f"check_{'false_alarms' if kind == 'right' else kind + '_caught'}": share(caught[kind], tried[kind])
        for kind in ("right", "swap", "number", "negation")
    }
    finding.figures |= {f"check_{kind}_sentences": tried[kind] for kind in ("right", "swap", "number", "negation")}
    return finding


def shown(sentence: str, hits: list[Hit], search: Search, model: Scoring | None = None) -> bool:
    """Whether the learner would read this very sentence."""
    checked = Grounding(hits, search.embedder, search.mentions, model).check(sentence)
    return checked is not None and checked.support == "supported"


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
