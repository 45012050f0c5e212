"""Follow-up questions to offer: authored ones of the same set that this turn did not answer."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.passages import Concept, Passage
from knowledge.search import Hit

# After a definition a learner is best helped by the difference, then by a picture in words, then by what is often got wrong.
_ORDER = ("contrast", "analogy", "misconception", "when", "example", "how", "why", "numbers", "limits", "definition")


def suggest(concept: Concept, query: str, hits: Sequence[Hit], count: int = 3) -> tuple[str, ...]:
    """Up to `count` questions of different kinds, none answered by the first hit, none equal to the query."""
    answered = {hit.passage.id for hit in hits[:1]}
    suggestions: list[str] = []
    for kind in _ORDER:
        passage = next((p for p in concept.passages if p.kind == kind and p.id not in answered), None)
        question = _question(passage) if passage else None
        if question and question.lower() != query.lower() and question not in suggestions:
            suggestions.append(question)
    return tuple(suggestions[:count])


def _question(passage: Passage) -> str | None:
    """The passage's first well-formed question."""
    return next((ask.text for ask in passage.asks if ask.text[:1].isupper() and ask.text.endswith("?")), None)
