"""The questions that one message holds: "How big is the gap, and what does it mean for me?" asks two, and a story asks with its last sentence."""

from __future__ import annotations

import re

from knowledge.mentions import Mentions

_WORDS = r"(?:what|whats|what's|how|why|which|who|whom|whose|where|when)"
_AUXILIARY = r"(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|must|may)"
TOPIC = re.compile(r"^[\w ,/-]{2,120}: ")  # "Pruning: does it …", a rewritten follow-up
_SENTENCE = re.compile(r"(?<=[.?!;…])\s+|\s*\n+\s*|(?:^|\s+)[1-9][.)]\s+")
_JOINT = re.compile(
    rf"(?:\s*[,;:–—-]+\s*(?:and|but|or|so|then)?|\s+(?:and|but|or))\s+(?=(?:also |then |if so,? )*(?:(?:in|for|to|at|from|with|by|after) )?{_WORDS}\b)"
    rf"|\s*[,;]\s*(?:and|but|or)\s+(?={_AUXILIARY}\s+(?:it|they|that|this|i|you|we|one|there|the|an?)\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"\?|^\W*(?:(?:and|so|but|ok|also|then|please|pls|or)\W+)*(?:(?:in|for|to|at|from|with|by|after)\s+)?(?:{_WORDS}\b|{_AUXILIARY}\s|explain|describe|give|show|tell|name|compare|i (?:want|need|wonder))"
    rf"|\b(?:explain|tell me|i wonder|dont get|don't get|{_WORDS} (?:should|do|does|is|are|can|would|will))\b",
    re.IGNORECASE,
)
_EACH = re.compile(r"\b(?:each|both|respectively|either of them)\b", re.IGNORECASE)
_MOST = 4


def parts_of(query: str, mentions: Mentions) -> tuple[str, ...]:
    """The parts that ask, each with the names that only the others have before it; empty where the message is one question and no more.

    What is asked of each of several sides is asked once a side.
    """
    topic = TOPIC.match(query)
    rest = query[topic.end() :] if topic else query
    asked = [part for sentence in _SENTENCE.split(rest) if _ASKS.search(sentence) for part in _JOINT.split(sentence)]
    asked = [part.strip(" ,;") for part in asked if len(part.split()) >= 2 and _ASKS.search(part)]
    if len(asked) < 2 and _EACH.search(rest):
        sides = {mention.sides: mention.words for mention in mentions.find(query)}
        if 2 <= len(sides) <= _MOST:
            return tuple(f"{name}: {rest}" for name in sides.values())
    if not asked or (len(asked) == 1 and len(asked[0]) > 0.8 * len(rest)):
        return ()
    names = topic.group()[:-2] if topic else ", ".join(dict.fromkeys(mention.words for mention in mentions.find(rest)))
    return tuple(part if mentions.find(part) or not names else f"{names}: {part}" for part in asked[:_MOST])
