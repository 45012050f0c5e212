"""Which earlier runs a question is about: by the words of the run, what it measured, "it" right after it, or its label, and by how it is put (tutor/experiments/about.py)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from demos.base import Demo
from knowledge.passages import Concept, Reference
from knowledge.search import Hit, Search
from knowledge.words import content_words
from tutor.events import TURNS, Exchange
from tutor.experiments.about import ReadsSubject, by_words_alone
from tutor.experiments.compared import chance, compare, names_a_cell
from tutor.experiments.explained import guess_told, meaning_of, of_bigger
from tutor.experiments.predictions import experiment_asked
from tutor.experiments.runs import Run, RunNote, run_note
from tutor.experiments.telling import KINDS, LUCK, NEAR, WHY, holding, nearest, told_of
from tutor.followup import Standalone
from tutor.requests.patterns import COMPARES_RUNS

_LABEL = re.compile(r"\[?\bR(\d{1,3})\b\]?")
_MEASURES = re.compile(
    r"\b(?:perplexit\w+|size|smaller|bigger|larger|mb|memory|speed|fast\w*|slow\w*|accura\w+|better|worse|hurt\w*|help\w*|qualit\w+|"
    r"kl|loss|errors?|scores?|tokens?|bits?|right|wrong|ris\w+|rose|drop\w*|f[ae]ll|fell|chang\w+|same|run|runs|experiment|"
    r"measur\w+|results?|table|figure|chart|plot|numbers?)\b|\d",
    re.IGNORECASE,
)
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
_MOST_TOLD = 3, 2  # sentences, of one run and of each of two
_MECHANISMS = ("why", "definition", "how")
_LEAD = re.compile(r"^(?:(?:and|but|so|ok(?:ay)?|then|also|well|hmm+)\b[\s,.]*)+", re.IGNORECASE)
_DEFINES = re.compile(
    r"^\W*(?:what (?:is|are|does .{1,40} mean)|define|explain)\b(?!.{0,20}\b(?:it|that|this|here)\b)", re.IGNORECASE
)
_DIFFERS = re.compile(r"\b(?:differ\w*|better|worse|instead|than|both|against|vs|versus)\b", re.IGNORECASE)
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


def recall(
    question: str,
    history: Sequence[Exchange],
    demos: Sequence[Demo],
    search: Search,
    reads: ReadsSubject = by_words_alone,
) -> Recalled:
    """The runs that the question is about: those that it names or quotes, else the latest if it speaks of that, by its words or as it `reads`, or the latest two."""
    runs = runs_of(history)
    named = list(dict.fromkeys(n for n in map(int, _LABEL.findall(question)) if 0 < n <= len(runs)))[-2:]
    if named:
        return Recalled(tuple(_told(question, n, runs[n - 1], demos, search, len(named)) for n in named), True)
    since = len(history) - max((i for i, exchange in enumerate(history) if exchange.run is not None), default=0)
    if not runs or since > TURNS:
        return Recalled()
    run = runs[-1]
    if leads := _beside_the_numbers(question, history, run, demos, search):
        return Recalled((noted(len(runs), run, demos, search, *leads),), True)
    subject_read = reads(question)
    known = _COMMON | frozenset(content_words(run.wording + " " + run.name.replace("_", " ")))
    # "perplexity" is a side of a set as well as a word of the run; "pruning" after a quantization is another matter.
    speaks = all(word in known for word in content_words(question))
    points = bool(_POINTS.search(question)) and since <= 2
    strongly = speaks and not _DEFINES.match(question) and (points or bool(_MEASURES.search(question)))
    apart = len(runs) > 1 and (
        COMPARES_RUNS.search(question) is not None
        or _set_apart(question, *runs[-2:])
        or _doubts_a_difference(question, *runs[-2:])
    )
    if strongly or apart or subject_read != "notes" or holding(question, run):
        if apart or (len(runs) > 1 and (subject_read == "both" or _EARLIER.search(question))):
            return _recall_two(question, runs, demos, search)
        return Recalled((_told(question, len(runs), run, demos, search),), True)
    quoting = [n for n, earlier in enumerate(runs[:-1], 1) if holding(question, earlier)]
    if quoting:
        return Recalled((_told(question, quoting[-1], runs[quoting[-1] - 1], demos, search),), True)
    own, sides = set(subject_sides(run, demos, search)), set(search.mentions.sides(question))
    near = speaks and (bool(sides & own) or bool(_MEASURES.search(question)))
    # "Which expert got which kind?" has only words of the run, and a sentence of it that says so.
    if near and not _DEFINES.match(question) and nearest(question, run, (), search.embedder)[1] >= NEAR:
        return Recalled((_told(question, len(runs), run, demos, search),), True)
    return Recalled((noted(len(runs), run, demos, search),) if near else ())


def _beside_the_numbers(
    question: str, history: Sequence[Exchange], run: Run, demos: Sequence[Demo], search: Search
) -> tuple[tuple[str, ...], Reference | None] | None:
    """What is told of the run where no number of it is asked for, and the sentence of the notes that goes with it; None if one is."""
    if told := guess_told(history, demos, question):
        return told, None
    if told := meaning_of(question, run, bool(search.mentions.sides(question))):
        return told, None
    if told_of_bigger := of_bigger(question, run, demos):
        because = next((demo.because for demo in demos if demo.name == run.name), {})
        return (told_of_bigger,), because.get("bigger")
    return None


def _recall_two(question: str, runs: Sequence[Run], demos: Sequence[Demo], search: Search) -> Recalled:
    """The latest two: of one experiment what differs in their tables, unless a sentence of each says more of what is asked."""
    n, before, after = len(runs), runs[-2], runs[-1]
    of_one = before.name == after.name
    if not of_one or not (
        LUCK.search(question)
        or names_a_cell(question, before, after)
        or nearest(question, after, (), search.embedder)[1] < NEAR
    ):
        return Recalled(tuple(_told(question, i, runs[i - 1], demos, search, 2) for i in (n - 1, n)), True)
    leads = (compare(question, before, after), *([chance(question, before, after)] if LUCK.search(question) else []))
    told = noted(n, after, demos, search, leads)
    return Recalled((noted(n - 1, before, demos, search), told), True)


def _told(question: str, n: int, run: Run, demos: Sequence[Demo], search: Search, runs: int = 1) -> RunNote:
    """The n-th run with what of it answers the question, which is about so many `runs`."""
    leads, reason = told_of(question, run, demos, _MOST_TOLD[runs > 1], search.embedder)
    return noted(n, run, demos, search, leads, reason)


def _doubts_a_difference(question: str, before: Run, after: Run) -> bool:
    """Whether it asks if two runs of one experiment differ by chance."""
    return before.name == after.name and bool(LUCK.search(question) and _DIFFERS.search(question))


def _set_apart(question: str, before: Run, after: Run) -> bool:
    """Whether it names a setting's values in both: "rank 4 or rank 8, what changed?"."""
    numbers = set(re.findall(r"\d+(?:\.\d+)?", question))
    return before.name == after.name and any(
        {f"{before.params[name]}", f"{value}"} <= numbers
        for name, value in after.params.items()
        if name in before.params and before.params[name] != value
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
    about_measure = any(KINDS[kind].search(query) for kind in ("size", "speed"))
    if not recalled.strongly or about_measure or not WHY.search(query):
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
