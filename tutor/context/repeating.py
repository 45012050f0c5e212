"""What the last answers said, which nobody who asks on wants to read again: "that's not what I asked", "not the Raspberry, my card"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.passages import Knowledge, Reference
from tutor.context.topic import told_in
from tutor.events import Exchange

_LATELY = 2  # answers
_ASKS_AGAIN = re.compile(
    r"\b(?:again|repeat|remind|once more|rephrase|summar\w+|sum up|recap)\b|\bwhat (?:did|was it that) you (?:say|said|tell|told)\b|\byou (?:said|told|mentioned|wrote)\b",
    re.IGNORECASE,
)


def said_lately(question: str, history: Sequence[Exchange], knowledge: Knowledge) -> frozenset[Reference]:
    """The sentences of the last two answers; none for a learner who asks for what was said."""
    if _ASKS_AGAIN.search(question):
        return frozenset()
    return frozenset().union(*(told_in(exchange.tutor, knowledge) for exchange in history[-_LATELY:]))
