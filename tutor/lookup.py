"""What the notes hold for a question, before a word is answered: which sentences answered questions like it, and the passages.

The votes come first, since the passage of the sentence that the language model finds likeliest (tutor/choosing/causal_classifier.py) is to be among the notes: for the second of two
requests, which leans on a story, it finds what embeddings and words do not. It also tells whether any of them answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.search import Part, Retrieval, Search
from tutor.choosing.compound import read_parts
from tutor.choosing.taught import NO_VOTES, Taught, Votes
from tutor.followup import Standalone

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
    return Found(votes, search.search(query, _notes_for(parts), standalone.concept, parts, vector, wish, read, doubt))


def _notes_for(parts: Sequence[Part]) -> int:
    """How many notes an answer is chosen from: one more where several things are asked."""
    return NOTES + (len(parts) > 1)
