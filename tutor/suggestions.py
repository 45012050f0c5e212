"""Follow-up questions to offer: authored ones of the same set that this turn did not answer, or the nearest sets' own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from demos.base import Demo
from knowledge.passages import Concept, Knowledge, Passage
from knowledge.search import Hit
from knowledge.sentences import without_citations
from knowledge.words import content_words
from tutor.choosing.taught import SAYS, SILENCE, Votes
from tutor.events import Checked, Source

# After a definition a learner is best helped by the difference, then by a picture in words, then by what is often got wrong.
_ORDER = ("contrast", "analogy", "misconception", "when", "example", "how", "why", "numbers", "limits", "definition")
SUGGESTED = 3  # questions under an answer
_SHORTEST = 4  # words of what was left out
# What can be asked by itself: "so rag not enough?" and "why, model has 128k context" read oddly on a button.
_QUESTION = re.compile(
    r"^(?:\w[\w /-]{1,60}: )?(?:(?:and|but|so|also|then|ok)\b,? )*(?:what|how|why|which|who|when|where|is|are|was|were|do|does|did|can|could|should|would|will|has|have)(?:'s|n't)? [^.!]*\?$",
    re.IGNORECASE,
)
_ALIKE = 0.7  # share of content words from which two questions are nearly the same


def suggest(concept: Concept, query: str, hits: Sequence[Hit], count: int = SUGGESTED) -> tuple[str, ...]:
    """Up to `count` questions of different kinds: not answered by the first hit, and nearly equal to neither query nor each other."""
    answered = {hit.passage.id for hit in hits[:1]}
    suggestions: list[str] = []
    for kind in _ORDER:
        passages = (p for p in concept.passages if p.kind == kind and p.id not in answered)
        fresh = (q for q in _questions(passages) if not any(alike(q, other) for other in (query, *suggestions)))
        question = next(fresh, None)
        if question:
            suggestions.append(question)
    return tuple(suggestions[:count])


def left_out(votes: Votes, sources: Sequence[Source], sentences: Sequence[Checked]) -> tuple[str, ...]:
    """Of several things asked the one that no sentence said surely answers, as the learner put it: asked by itself it may be.

    Of 98 such messages of the labelled set's tuning part 60 did lack something, too few to say so in the answer and enough to offer the question again.
    """
    shown = {without_citations(sentence.text) for sentence in sentences}
    cited = [source.hit.passage for source in sources if source.cited]
    said = [(passage.id, i) for passage in cited for i, text in enumerate(passage.sentences) if text in shown]
    if not said or not votes.parts:
        return ()
    best = {part.query: max(part.read.get(reference, SILENCE) for reference in said) for part in votes.parts}
    least = min(best, key=best.__getitem__)
    offered = best[least] < SAYS and len(least.split()) >= _SHORTEST and _QUESTION.search(least)
    return (least,) if offered else ()


def nearest_sets(knowledge: Knowledge, hits: Sequence[Hit], count: int = SUGGESTED) -> tuple[str, ...]:
    """The questions of the sets that lie nearest to what was asked, then of the first ones."""
    near = [knowledge.by_id[hit.passage.concept] for hit in hits]
    questions = dict.fromkeys(concept.question for concept in (*near, *knowledge.concepts))
    return tuple(questions)[:count]


def sayings(demos: Sequence[Demo], concept: Concept | None, count: int = SUGGESTED) -> tuple[str, ...]:
    """Requests that start experiments, those on the set first."""
    return tuple(demo.say for demo in sorted(demos, key=lambda demo: not concept or concept.id not in demo.concepts))[
        :count
    ]


def alike(one: str, other: str) -> bool:
    """Whether two questions share most of their content words."""
    words, others = set(content_words(one)), set(content_words(other))
    if not words or not others:
        return one.strip().lower() == other.strip().lower()
    return len(words & others) / len(words | others) >= _ALIKE


def _questions(passages: Iterator[Passage]) -> Iterator[str]:
    """Each passage's first well-formed question."""
    for passage in passages:
        yield from [ask.text for ask in passage.asks if ask.text[:1].isupper() and ask.text.endswith("?")][:1]
