"""A note told whole: the answer to a question that wants a difference, or a picture from daily life, and nothing more (tutor/choosing/wish.py).

"What is the difference between prefill and decode?" asks for all that tells the two apart. One sentence of four, though the likeliest, leaves a newcomer
with half of it, so the sentences about the sides that are named follow one another as their author put them.

Whoever asks what others get wrong hears of each misconception what is true, which is the first sentence of its note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.mentions import Mentions
from knowledge.passages import Passage
from knowledge.search import Hit
from tutor.choosing.wish import Wish, without_wish

# "Explain the three training phases to my sister" names no side and means all.
_ALL = re.compile(
    r"\b(?:both|(?:the|these|those|all|all the) (?:two|three|four|five|[2-5])|each of them)\b", re.IGNORECASE
)


def sentences_told_whole(wish: Wish, query: str, hits: Sequence[Hit], mentions: Mentions) -> list[tuple[str, int]]:
    """Passage id and numbers of the sentences that are told one after another; empty if no note is about just what is named."""
    if wish == "misconception":
        return [(hit.passage.id, 0) for hit in hits if hit.passage.kind == wish]
    fitting: list[tuple[int, int, list[tuple[str, int]]]] = []
    for place, hit in enumerate(hits):
        passage = hit.passage
        asked = sides_asked(query, passage, mentions)
        if not asked and passage.concept == hits[0].passage.concept and _ALL.search(query) and not mentions.find(query):
            asked = set(passage.about)
        if passage.kind == wish and len(asked) > (wish == "contrast"):
            told = [(passage.id, i) for i in sentences_about(passage, asked, mentions)]
            fitting += [(len(passage.about), place, told)] if told else []
    return min(fitting, default=(0, 0, []))[-1]


def sides_asked(query: str, passage: Passage, mentions: Mentions) -> set[str]:
    """The sides that a question names; none if it names one that the passage is not about."""
    found = mentions.find(without_wish(query))
    asked = {side for mention in found for concept, side in mention.sides if concept == passage.concept}
    within = all(any(concept == passage.concept for concept, _ in mention.sides) for mention in found)
    return asked if within and asked <= set(passage.about) else set()


def sentences_about(passage: Passage, asked: set[str], mentions: Mentions) -> list[int]:
    """The numbers of the sentences about nothing but the sides asked about, of the first that names each of these, and of what stands before or behind
    them without a name; none if a side is not named at all.
    """
    if asked >= set(passage.about):
        return list(range(len(passage.sentences)))
    told: list[int] = []
    left = set(asked)
    for i, sentence in enumerate(passage.sentences):
        named = set(mentions.sides(sentence, passage.concept)) & set(passage.about)
        introduces = i == 0 and (not named or (named >= asked and passage.kind == "analogy"))
        if introduces or (named and named <= asked) or named & left or (not named and i - 1 in told):
            told.append(i)
            left -= named if not introduces else set()
    return told if not left else []
