"""What the notes hold for a question, before a word is answered: which sentences answered questions like it, and the passages.

The votes come first, since the passage of the sentence that the language model finds likeliest (tutor/choosing/causal_classifier.py) is to be among the notes: for the second of two
requests, which leans on a story, it finds what embeddings and words do not. It also tells whether any of them answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.passages import Concept, Passage
from knowledge.search import Hit, Part, Retrieval, Search
from tutor.choosing.compound import read_parts
from tutor.choosing.taught import NO_VOTES, Taught, Votes
from tutor.followup import Standalone
from tutor.requests.parts import without_topic

NOTES = 4


@dataclass(frozen=True)
class Found:
    """What was taught of questions like this one, and the notes for it."""

    votes: Votes
    retrieval: Retrieval


def look_up(standalone: Standalone, search: Search, taught: Taught | None, wish: str | None = None) -> Found:
    """The votes of what was `taught`, and the notes; of the kind that is wished there is one among them. Raises EngineError or WeightsError if the language model that votes cannot be loaded."""
    query, vector = standalone.query, standalone.vector
    parts = read_parts(query, search)
    votes = taught.votes(query, parts, vector, standalone.context) if taught else NO_VOTES
    read, doubt = votes.passages_read(), votes.doubt
    found = search.search(query, _notes_for(parts), standalone.concept, parts, vector, wish, read, doubt)
    if (
        wish == "misconception"
        and standalone.topic
        and (told := _misconceptions(query, standalone.topic.concept, search))
    ):
        hits = tuple(Hit(passage, found.confidence, found.confidence) for passage in told)
        found = replace(found, hits=hits, covered=True)
    return Found(votes, found)


def _misconceptions(query: str, concept: Concept, search: Search) -> list[Passage]:
    """Up to `NOTES` of the set: those of the sides that are named, if some are, in their author's order."""
    held = [p for p in search.knowledge.passages if p.concept == concept.id and p.kind == "misconception"]
    # What rewriting put in front names all that was talked of.
    named = set(search.mentions.sides(without_topic(query), concept.id))
    return ([p for p in held if not named.isdisjoint(p.about)] or held)[:NOTES]


def _notes_for(parts: Sequence[Part]) -> int:
    """How many notes an answer is chosen from: one more where several things are asked."""
    return NOTES + (len(parts) > 1)
