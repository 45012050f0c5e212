"""Which earlier runs a question is about, by rule: the words of the run, what it measured, "it" right after it, or its label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from demos.base import Demo
from knowledge.passages import Concept, Reference
from knowledge.search import Hit, Search
from knowledge.sentences import split_sentences
from knowledge.words import content_words
from tutor.events import TURNS, Exchange
from tutor.experiments.predictions import experiment_asked
from tutor.experiments.runs import Run, RunNote, run_note
from tutor.followup import Standalone

_LABEL = re.compile(r"\[?\bR(\d{1,3})\b\]?")
_MEASURES = re.compile(
    r"\b(?:perplexit\w+|size|smaller|bigger|larger|mb|memory|speed|fast\w*|slow\w*|accura\w+|better|worse|hurt\w*|help\w*|qualit\w+|"
    r"kl|loss|errors?|scores?|tokens?|bits?|right|wrong|ris\w+|rose|drop\w*|f[ae]ll|fell|chang\w+|same|run|runs|experiment|"
    r"measur\w+|results?|table|figure|chart|plot|numbers?)\b|\d",
    re.IGNORECASE,
)
# What a question may be after: a sentence that speaks of the same kind of measure tells it.
_KINDS = {
    "size": re.compile(r"\b(?:size|smaller|bigger|larger|[mgk]i?b|megabytes?|memory|shr\w+nk\w*)\b", re.IGNORECASE),
    "speed": re.compile(r"\b(?:speed\w*|fast\w*|slow\w*|tokens/s|decoding|seconds?|ms|latency)\b", re.IGNORECASE),
    "quality": re.compile(
        r"\b(?:wors\w+|better|best|quality|perplexity|accura\w+|right|wrong|hurts?|help\w*|destroy\w*|bad|good|errors?|loss)\b",
        re.IGNORECASE,
    ),
}
# Words that a question about any run may hold besides the run's own.
_COMMON = frozenset(
    content_words(
        "get got go went become became happen happened come came out result run experiment test number figure table chart plot "
        "measure measured show showed see mean means say tell explain reason cause because expect expected change changed so "
        "much many lot big bad good well high low higher lower rise rose risen increase increased drop dropped fall fell "
        "better worse best worst same different difference fast faster slow slower speed quality perplexity size small smaller "
        "bigger larger shrink memory accuracy accurate error score right wrong hurt help helped model weights original before "
        "after now here again still only really exactly actually did could have has had been more less too very just even any "
        "your you first second last previous earlier one compare compared and what make made do does take took use used per "
        "pay paid off trade tradeoff deal fair matter like out surprise surprising normal usual luck chance random real really noise simple simply talk gave give user worth loss lost lose answer answers interpret understand read"
    )
)
_POINTS = re.compile(
    r"\b(?:it|its|that|this|they|them|those|these|here)\b|^\W*(?:(?:and|but|so|ok(?:ay)?)\W+)*(?:why|how come|how so)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![a-z])")
_TELLING = re.compile(r"\d[.,]\d|\d{3}")  # "60.6", "116", and not the 4 of "4 bits"
_OF_THE_RUN = re.compile(
    r"\b(?:tables?|figure|chart|plot|you (?:just )?(?:wrote|write|said|say|showed?|measured?|got)|your (?:own )?(?:\w+ )?(?:runs?|measures?|measurements?|tests?|results?|experiments?))\b",
    re.IGNORECASE,
)
_MEASURED = re.compile(r"(?<!\w)\d")  # a number, and not that of "fp32"
_WORTH = re.compile(r"\b(?:worth|pa(?:y|ys|id) off|trade[- ]?offs?|(?:good|bad|fair) deal)\b", re.IGNORECASE)
_MOST_WEIGHED = 3, 2  # sentences, of one run and of each of two
_WHY = re.compile(r"\b(?:why|how come|reasons?|causes?)\b", re.IGNORECASE)
_MECHANISMS = ("why", "definition", "how")
_LEAD = re.compile(r"^(?:(?:and|but|so|ok(?:ay)?|then|also|well|hmm+)\b[\s,.]*)+", re.IGNORECASE)
_DEFINES = re.compile(
    r"^\W*(?:what (?:is|are|does .{1,40} mean)|define|explain)\b(?!.{0,20}\b(?:it|that|this|here)\b)", re.IGNORECASE
)
_EARLIER = re.compile(
    r"\b(?:than before|earlier|previous|compared?|both runs|first (?:run|time)|two runs|(?:the|these|those|your|both|my) (?:\w+ )?(?:experiments|runs|tests))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Recalled:
    """The runs that join the notes; `strongly` if the question is about them and not only near them."""

    notes: tuple[RunNote, ...] = ()
    strongly: bool = False


def runs_of(history: Sequence[Exchange]) -> tuple[Run, ...]:
    """The conversation's runs; the first is R1."""
    return tuple(exchange.run for exchange in history if exchange.run is not None)


def recall(question: str, history: Sequence[Exchange], demos: Sequence[Demo], search: Search) -> Recalled:
    """The runs that the question is about: those that it names, else the latest if it speaks of that."""
    runs = runs_of(history)
    named = [n for n in map(int, _LABEL.findall(question)) if 0 < n <= len(runs)]
    chosen = list(dict.fromkeys(named))
    strongly = bool(named)
    if runs and not named:
        since = len(history) - max(i for i, exchange in enumerate(history) if exchange.run is not None)
        run = runs[-1]
        known = _COMMON | frozenset(content_words(run.wording + " " + run.name.replace("_", " ")))
        own = set(subject_sides(run, demos, search))
        sides = set(search.mentions.sides(question))
        # "perplexity" is a side of a set as well as a word of the run; "pruning" after a quantization is another matter.
        speaks = since <= TURNS and all(word in known for word in content_words(question))
        points = bool(_POINTS.search(question)) and since <= 2
        strongly = speaks and not _DEFINES.match(question) and (points or bool(_MEASURES.search(question)))
        strongly = strongly or (since <= TURNS and bool(_holding(question, run)))
        near = since <= TURNS and speaks and (bool(sides & own) or bool(_MEASURES.search(question)))
        if strongly or near:
            again = len(runs) > 1 and _EARLIER.search(question)
            chosen = [len(runs) - 1, len(runs)] if again else [len(runs)]
    most = _MOST_WEIGHED[len(chosen) > 1]
    return Recalled(
        tuple(
            noted(
                n, runs[n - 1], demos, search, *_told_of(question, runs[n - 1], demos, most) if strongly else ((), None)
            )
            for n in chosen[-2:]
        ),
        strongly and bool(chosen),
    )


def aimed(
    standalone: Standalone, question: str, recalled: Recalled, demos: Sequence[Demo], search: Search
) -> Standalone:
    """A question about a run, searched under what ran: "why did the perplexity rise?" is one about quantization then."""
    if not recalled.strongly:
        return standalone
    run = recalled.notes[-1].run
    if set(search.mentions.sides(question)) & set(subject_sides(run, demos, search)):
        return standalone
    name, bare = subject(run, demos, search), _LEAD.sub("", question.strip()).rstrip("?.! ")
    if not content_words(bare):
        bare = "why did the result get better or worse"
    return Standalone(f"{name[:1].upper()}{name[1:]}: {bare[:1].lower()}{bare[1:]}?", True, standalone.topic)


def with_reasons(
    query: str, hits: Sequence[Hit], recalled: Recalled, demos: Sequence[Demo], search: Search
) -> tuple[Hit, ...]:
    """The notes for a question; "why did it get worse?" of a run also needs those that tell how the thing works.

    Search alone finds comparisons with something else, which say that it gets worse and not why.
    """
    known = {hit.passage.id: hit for hit in hits}
    wanted = [note.reason[0] for note in recalled.notes if note.reason]
    if wanted:
        named = [known.get(p.id) or Hit(p, 0.0, 0.0) for p in search.knowledge.passages if p.id in wanted]
        return tuple([*named, *(hit for hit in hits if hit not in named)][: max(len(hits), len(named))])
    about_measure = any(_KINDS[kind].search(query) for kind in ("size", "speed"))
    if not recalled.strongly or about_measure or not _WHY.search(query):
        return tuple(hits)
    own = set(subject_sides(recalled.notes[-1].run, demos, search))
    telling = [p for p in search.knowledge.passages if p.kind in _MECHANISMS and p.about and set(p.about) <= own]
    telling.sort(key=lambda p: _MECHANISMS.index(p.kind))
    first = [known.get(p.id) or Hit(p, 0.0, 0.0) for p in telling[:2]]
    return tuple([*first, *(hit for hit in hits if hit not in first)][: len(hits)])


def noted(
    n: int,
    run: Run,
    demos: Sequence[Demo],
    search: Search,
    leads: tuple[str, ...] = (),
    reason: Reference | None = None,
) -> RunNote:
    """The conversation's n-th run as a note."""
    concept = set_of(run.name, demos, search)
    about = subject_sides(run, demos, search)
    return run_note(run, n, concept.id if concept else "", about, leads, reason)


def _told_of(question: str, run: Run, demos: Sequence[Demo], most: int) -> tuple[tuple[str, ...], Reference | None]:
    """What of the run a question about it is first answered with, and, if it asks why, which sentence of the notes explains that; none of what the experiment has no reason for."""
    told = split_sentences(run.summary)
    if (quoted := _holding(question, run)) and not _WHY.search(question):
        return quoted[:most], None
    asked = [kind for kind, words in _KINDS.items() if words.search(question)]
    if _WORTH.search(question) and (weighed := _weighed(told)):
        return weighed[:most], None
    because = next((demo.because for demo in demos if demo.name == run.name), {})
    if not asked:  # how well it did, unless it is about something else
        asked = ["quality"] if any(_says("quality", sentence) for sentence in told) else [*because][:1] or ["quality"]
    reasons = [kind for kind in asked if kind in because] if _WHY.search(question) else []
    # What is told and what explains it are about the same measure.
    lead = _telling(question, told, reasons[:1] or asked)
    return (lead,) if lead else (), because[reasons[0]] if reasons else None


def _holding(question: str, run: Run) -> tuple[str, ...]:
    """The sentences and rows of the run that hold a number which the question quotes: one that no other thing has by chance, or any where it speaks of what was measured."""
    quoted = [number for number in _NUMBER.findall(question) if _TELLING.search(number) or _OF_THE_RUN.search(question)]
    found = []
    for number in quoted:
        holds = re.compile(rf"(?<![\d.,]){re.escape(number)}(?!\d|[.,]\d)")
        rows = (row for row in run.table.rows if any(holds.search(cell) for cell in row))
        found += [sentence for sentence in split_sentences(run.summary) if holds.search(sentence)][:1]
        found += [_row_told(run.table.columns, row) for row in rows][:1]
    return tuple(dict.fromkeys(found))


def _row_told(columns: Sequence[str], row: Sequence[str]) -> str:
    """A row of the table as a sentence."""
    name = row[0] if re.search(r"[^\W\d_]{3}", row[0]) else f"{columns[0]} {row[0]}"
    cells = "; ".join(f"{column} {cell}" for column, cell in zip(columns[1:], row[1:], strict=True) if cell)
    return f"In the table, {name}: {cells}."


def _weighed(told: Sequence[str]) -> tuple[str, ...]:
    """Whether it was worth it is told by the first sentence on each measure: what was won, and at what price."""
    firsts = {next((sentence for sentence in told if _says(kind, sentence)), "") for kind in _KINDS}
    return tuple(sentence for sentence in told if sentence in firsts)


def _says(kind: str, sentence: str) -> bool:
    """Whether it tells something measured of that kind."""
    return bool(_MEASURED.search(sentence) and _KINDS[kind].search(sentence))


def _telling(question: str, told: Sequence[str], wanted: Sequence[str]) -> str:
    """The sentence of the run's summary that answers the question most directly: its measures, then its words."""
    words = set(content_words(question))

    def says(sentence: str) -> tuple[int, int]:
        same = sum(_KINDS[kind].search(sentence) is not None for kind in wanted)
        return same if _MEASURED.search(sentence) else 0, len(words & set(content_words(sentence)))

    return max(told, key=says, default="")


def topical(history: Sequence[Exchange], demos: Sequence[Demo], search: Search) -> tuple[Exchange, ...]:
    """The history for the rewriting of follow-ups: a request that ran, or waits for a prediction, speaks of what runs, however it was worded.

    "show me 4 bits" names no set, and its result speaks of decoder layers, which are another set's; "whole rows of weights" names one that is not meant.
    """
    told = ((exchange, exchange.run or experiment_asked(exchange, demos)) for exchange in history)
    return tuple(
        exchange if ran is None else replace(exchange, user=f"What does {subject(ran, demos, search)} do?")
        for exchange, ran in told
    )


def subject(run: Run | Demo, demos: Sequence[Demo], search: Search) -> str:
    """What a run is about, in the words of its set: "quantization"."""
    concept, sides = set_of(run.name, demos, search), subject_sides(run, demos, search)
    if concept is None:
        return run.title.lower()
    return " and ".join(side.name for side in concept.sides if side.id in sides)


def subject_sides(run: Run | Demo, demos: Sequence[Demo], search: Search) -> tuple[str, ...]:
    """The sides of its first set that a run's name or title names, else all of them."""
    concept = set_of(run.name, demos, search)
    if concept is None:
        return ()
    for words in (run.name.replace("_", " "), run.title):
        if named := search.mentions.sides(words, concept.id):
            return tuple(named)
    return tuple(side.id for side in concept.sides)


def set_of(name: str, demos: Sequence[Demo], search: Search) -> Concept | None:
    """The first set that the experiment of this name illustrates, of those that the notes hold."""
    demo = next((demo for demo in demos if demo.name == name), None)
    found = (search.knowledge.by_id.get(concept) for concept in (demo.concepts if demo else ()))
    return next((concept for concept in found if concept is not None), None)
