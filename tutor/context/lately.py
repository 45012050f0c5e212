"""What the turns before mean for the answer to come: what nobody wants to read again, and a Yes or No that is doubted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.passages import Knowledge, Reference
from tutor.context.topic import told_in
from tutor.events import Exchange
from tutor.verdict.doubted import doubted

_LATELY = 2  # answers
_ASKS_AGAIN = re.compile(
    r"\b(?:again|repeat|remind|once more|rephrase|summar\w+|sum up|recap)\b|\bwhat (?:did|was it that) you (?:say|said|tell|told)\b|\byou (?:said|told|mentioned|wrote)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Lately:
    """How many `turns` there were; which sentences are `stale`, not to be said first once more ("not the Raspberry, my card"); and the last answer's word, Yes or No, that is `doubted`."""

    turns: int = 0
    stale: frozenset[Reference] = frozenset()
    doubted: str = ""


NOTHING_BEFORE = Lately()


def look_back(question: str, history: Sequence[Exchange], knowledge: Knowledge) -> Lately:
    """What the last two answers said is stale, but for a learner who asks for it or doubts a word before it."""
    word = doubted(question, history[-1].tutor) if history else ""
    if word or _ASKS_AGAIN.search(question):
        return Lately(len(history), doubted=word)
    told = (told_in(exchange.tutor, knowledge) for exchange in history[-_LATELY:])
    return Lately(len(history), frozenset().union(*told))
