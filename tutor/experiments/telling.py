"""What of a run a question about it is answered with: sentences of its summary, rows of its table, and the sentence of the notes that says why."""

from __future__ import annotations

import re
from collections.abc import Sequence

from demos.base import Demo
from knowledge.embedder import Embedder
from knowledge.passages import Reference
from knowledge.sentences import split_sentences
from knowledge.words import content_words
from tutor.experiments.runs import Run

# What a question may be after: a sentence that speaks of the same kind of measure tells it.
KINDS = {
    "size": re.compile(r"\b(?:size|smaller|bigger|larger|[mgk]i?b|megabytes?|memory|shr\w+nk\w*)\b", re.IGNORECASE),
    "speed": re.compile(r"\b(?:speed\w*|fast\w*|slow\w*|tokens/s|decoding|seconds?|ms|latency)\b", re.IGNORECASE),
    "quality": re.compile(
        r"\b(?:wors\w+|better|best|quality|perplexity|accura\w+|right|wrong|hurts?|help\w*|destroy\w*|bad|good|errors?|loss)\b",
        re.IGNORECASE,
    ),
}
WHY = re.compile(r"\b(?:why|how come|reasons?|causes?)\b", re.IGNORECASE)
LUCK = re.compile(
    r"\b(?:luck\w*|chance|noise|coincidence|significan\w*|seeds?|(?:real|true) difference|difference (?:is )?real|(?:is|be) (?:it|this|that|the difference) real)\b",
    re.IGNORECASE,
)
_OF_CHANCE = re.compile(r"\b(?:chance|prove)\b")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![a-z])")
_TELLING = re.compile(r"\d[.,]\d|\d{3}")  # "60.6", "116", and not the 4 of "4 bits"
_OF_THE_RUN = re.compile(
    r"\b(?:tables?|figure|chart|plot|you (?:just )?(?:wrote|write|said|say|showed?|measured?|got)|your (?:own )?(?:\w+ )?(?:runs?|measures?|measurements?|tests?|results?|experiments?))\b",
    re.IGNORECASE,
)
_MEASURED = re.compile(r"(?<!\w)\d")  # a number, and not that of "fp32"
_WORTH = re.compile(r"\b(?:worth|pa(?:y|ys|id) off|trade[- ]?offs?|(?:good|bad|fair) deal)\b", re.IGNORECASE)
_OWN_WORDS, _SAME_KIND, _TABLE = 0.5, 0.2, -0.1  # beside the cosine of question and sentence, or row
_ONLY_THERE = 0.4  # for the row of what is named and stands in no sentence: "why did hospital become two?"
NEAR = 0.4  # what all that comes to from which a sentence is surely meant


def told_of(
    question: str, run: Run, demos: Sequence[Demo], most: int, embedder: Embedder
) -> tuple[tuple[str, ...], Reference | None]:
    """What of the run a question about it is first answered with, and, if it asks why, which sentence of the notes explains that; none of what the experiment has no reason for."""
    told = split_sentences(run.summary)
    if LUCK.search(question):
        return of_chance(run), None
    if (quoted := holding(question, run)) and not WHY.search(question):
        return quoted[:most], None
    asked = [kind for kind, words in KINDS.items() if words.search(question)]
    if _WORTH.search(question) and (weighed := _weighed(told)):
        return weighed[:most], None
    because = next((demo.because for demo in demos if demo.name == run.name), {})
    found, near = nearest(question, run, asked, embedder)
    if near >= NEAR:
        reasons = [kind for kind in asked if kind in because] if WHY.search(question) else []
        return (found,), because[reasons[0]] if reasons and _says(reasons[0], found) else None
    if not asked:  # how well it did, unless it is about something else
        asked = ["quality"] if any(_says("quality", sentence) for sentence in told) else [*because][:1] or ["quality"]
    reasons = [kind for kind in asked if kind in because] if WHY.search(question) else []
    # What is told and what explains it are about the same measure.
    lead = _most_direct(question, told, reasons[:1] or asked)
    return (lead,) if lead else (), because[reasons[0]] if reasons else None


def of_chance(run: Run) -> tuple[str, ...]:
    """What the run says of chance; most measured once and say nothing of it, which is said then."""
    said = [sentence for sentence in split_sentences(run.summary) if _OF_CHANCE.search(sentence)]
    return tuple(said[:1]) or (
        f"It was measured once, with seed {run.seed}; how much of it is chance was not measured.",
    )


def holding(question: str, run: Run) -> tuple[str, ...]:
    """The sentences and rows of the run that hold a number which the question quotes: one that no other thing has by chance, or any where it speaks of what was measured."""
    of_the_run = _OF_THE_RUN.search(question)
    # "What should I set, 0 or 1.5?" names a setting's value and nothing that came out.
    set_so = {f"{value:g}" for value in run.params.values() if not isinstance(value, str)}
    quoted = [n for n in _NUMBER.findall(question) if of_the_run or (_TELLING.search(n) and n not in set_so)]
    found = []
    for number in quoted:
        # "61374" is quoted for 61,374.
        digits = re.sub(r"(?<=\d)(?=(?:\d{3})+(?!\d))", ",?", number) if number.isdigit() else re.escape(number)
        holds = re.compile(rf"(?<![\d.,]){digits}(?!\d|[.,]\d)")
        rows = (row for row in run.table.rows if any(holds.search(cell) for cell in row))
        found += [sentence for sentence in split_sentences(run.summary) if holds.search(sentence)][:1]
        found += [row_told(run.table.columns, row) for row in rows][:1]
    return tuple(dict.fromkeys(found))


def row_told(columns: Sequence[str], row: Sequence[str]) -> str:
    """A row of the table as a sentence."""
    name = row[0] if re.search(r"[^\W\d_]{3}", row[0]) else f"{columns[0]} {row[0]}"
    cells = "; ".join(f"{column} {cell}" for column, cell in zip(columns[1:], row[1:], strict=True) if cell)
    return f"In the table, {name}: {cells}."


def nearest(question: str, run: Run, asked: Sequence[str], embedder: Embedder) -> tuple[str, float]:
    """The sentence or row that means most what the question does, and how near it is."""
    told = split_sentences(run.summary)
    texts = [*told, *(row_told(run.table.columns, row) for row in run.table.rows)]
    if not texts:
        return "", 0.0
    vectors, words = embedder.embed([question, *texts]), set(content_words(question))
    in_sentences = {word for sentence in told for word in content_words(sentence)}
    heads = [set[str]() for _ in told] + [set(content_words(row[0])) for row in run.table.rows]
    near = [
        float(vector @ vectors[0])
        + _OWN_WORDS * len(words & set(content_words(text))) / max(1, len(words))
        + (_SAME_KIND if any(_says(kind, text) for kind in asked) else 0.0)
        + (_TABLE if place >= len(told) else 0.0)
        + (_ONLY_THERE if heads[place] and heads[place] <= words - in_sentences else 0.0)
        for place, (text, vector) in enumerate(zip(texts, vectors[1:], strict=True))
    ]
    best = max(range(len(texts)), key=near.__getitem__)
    return texts[best], near[best]


def _weighed(told: Sequence[str]) -> tuple[str, ...]:
    """Whether it was worth it is told by the first sentence on each measure: what was won, and at what price."""
    firsts = {next((sentence for sentence in told if _says(kind, sentence)), "") for kind in KINDS}
    return tuple(sentence for sentence in told if sentence in firsts)


def _says(kind: str, sentence: str) -> bool:
    """Whether it tells something measured of that kind."""
    return bool(_MEASURED.search(sentence) and KINDS[kind].search(sentence))


def _most_direct(question: str, told: Sequence[str], wanted: Sequence[str]) -> str:
    """The sentence of the run's summary that answers the question most directly: its measures, then its words."""
    words = set(content_words(question))

    def says(sentence: str) -> tuple[int, int]:
        same = sum(KINDS[kind].search(sentence) is not None for kind in wanted)
        return same if _MEASURED.search(sentence) else 0, len(words & set(content_words(sentence)))

    return max(told, key=says, default="")
