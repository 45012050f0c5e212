"""The house rules for the concept files that ship: complete sets, sentences that stand alone, pictures.

`python -m tutor index --check` prints what this finds, one `path:line: problem; fix` a line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from knowledge.passages import Concept, Knowledge, Passage
from knowledge.pictures import read_diagram
from tutor.errors import KnowledgeError

_MUST_HAVE = {"contrast": 1, "how": 1, "when": 1, "numbers": 1, "example": 1, "analogy": 1, "misconception": 3}
_ORPHAN = re.compile(
    r"^(It|Its|They|Their|Them|This|That|These|Those|He|She|Both|Here|Such|Yes|No|However|But|And|So|Therefore|"
    r"Thus|Hence|Also|Then|Instead|Otherwise|Moreover|Furthermore|In contrast|By contrast|For example)\b"
)
_LONGEST_SENTENCE = 40  # words
_LONGEST_PASSAGE = 110  # words


def check_knowledge(knowledge: Knowledge, demos: frozenset[str] | None = None) -> list[str]:
    """Return every problem: what could not be loaded, then what breaks a house rule.

    `demos` is the set of registered experiment names, or None to leave them unchecked.
    """
    problems = list(knowledge.problems)
    asked: dict[str, str] = {}
    for concept in knowledge.concepts:
        problems.extend(f"{concept.path}:{line}: {what}" for line, what in _concept(concept, knowledge, demos))
        for passage in concept.passages:
            for ask in passage.asks:
                key = ask.text.lower().rstrip("?. ")
                if asked.setdefault(key, passage.id) != passage.id:
                    what = f"ask {ask.text!r} also stands in {asked[key]}; keep it where it is answered best"
                    problems.append(f"{concept.path}:{passage.line}: {what}")
    return problems


def _concept(concept: Concept, knowledge: Knowledge, demos: frozenset[str] | None) -> Iterator[tuple[int, str]]:
    if concept.path.stem != concept.id:
        yield 1, f"id {concept.id!r} differs from the file's name; rename one"
    for name, values in (("prerequisite", concept.prerequisites), ("related", concept.related)):
        for value in values:
            if value not in knowledge.by_id:
                yield 1, f"{name} {value!r} is no known set; use the id of a concept file"
    for demo in concept.demos:
        if demos is not None and demo not in demos:
            yield 1, f"demo {demo!r} is not registered; use one of {sorted(demos)}"
    kinds = Counter(passage.kind for passage in concept.passages)
    for kind, least in _MUST_HAVE.items():
        if kinds[kind] < least:
            yield 1, f"{kinds[kind]} passages of kind {kind!r}; write at least {least}"
    for side in concept.sides:
        if not any(p.kind == "definition" and p.about == (side.id,) for p in concept.passages):
            yield 1, f"no definition of {side.id!r} alone; write one with 'about: [{side.id}]'"
    if len(concept.quiz) < 3:
        yield 1, f"{len(concept.quiz)} quiz questions; write at least 3"
    used = {key for passage in concept.passages for key in passage.sources}
    for source in concept.sources:
        if source.key not in used:
            yield 1, f"source {source.key!r} supports no passage; cite it or drop it"
    if not concept.diagram or not concept.diagram_alt:
        yield 1, "no picture or no diagram_alt; draw one, see docs/concept-files.md"
    else:
        try:
            read_diagram(concept.path.parent.parent / "diagrams" / concept.diagram)
        except KnowledgeError as error:
            yield 1, f"picture: {error}; mend it"
    names = [name for side in concept.sides for name in side.names] + list(concept.terms)
    stands_alone = re.compile("|".join(re.escape(name) for name in names if name), re.IGNORECASE)
    for passage in concept.passages:
        for what in _passage(passage, stands_alone):
            yield passage.line, f"{passage.title!r}: {what}"


def _passage(passage: Passage, stands_alone: re.Pattern[str]) -> Iterator[str]:
    words = len(passage.text.split())
    if not 2 <= len(passage.sentences) <= 5:
        yield f"{len(passage.sentences)} sentences; write two to five"
    if words > _LONGEST_PASSAGE:
        yield f"{words} words; at most {_LONGEST_PASSAGE}"
    if not passage.about:
        yield "about nothing; name its sides"
    if len(passage.asks) < 3:
        yield f"{len(passage.asks)} asks; write at least three, in different words"
    if passage.kind == "misconception" and not any(ask.polarity for ask in passage.asks):
        yield "no asks_no or asks_yes; add the claim as a question"
    for sentence in passage.sentences:
        if _ORPHAN.match(sentence):
            yield f"sentence leans on another: {sentence!r}; begin it with what it is about"
        if not stands_alone.search(sentence):
            yield f"sentence names no side or term: {sentence!r}; name one, or add the word to 'terms'"
        if len(sentence.split()) > _LONGEST_SENTENCE:
            yield f"sentence of {len(sentence.split())} words: {sentence[:60]!r}…; at most {_LONGEST_SENTENCE}"
