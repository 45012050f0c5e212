"""A learner who doubts the tutor's own Yes or No, which no note holds: "you say yes, but then it is weak", "no? to which part?"."""

from __future__ import annotations

import re

_SAID = re.compile(r"(Yes|No)\.\s")
# What is doubted is the word itself: "you said yes", "your “no”", "was that a yes?", "why no?", "yes what??", "“no” is a bit strong".
_DOUBTS = re.compile(
    r"\b(?:you|u)(?:'ve| have)? (?:just |only |first )?(?:say|said|told me|wrote|answered):? \W?(?:yes|no)\b|\byour \W?(?:yes|no)\b|\b(?:is|was) (?:that|this|it) an? \W?(?:yes|no)\b"
    r"|\bwhy \W?(?:yes|no)\b(?! one)|^\W*(?:(?:wait|hm+|so|but|and|ok|what|huh|hey)\W+)*(?:yes|no)\b\W{0,2}(?:(?:it|that|this) is \w+|(?:to )?wh(?:at|ich)(?: part)?)?\W{0,2}\?|^\W*(?:yes|no)\W+is (?:a bit|too|rather|pretty) \w+",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[^.?!]*\?")
_SHORTEST = 5  # words of a question that stands beside the doubt


def doubts(question: str) -> bool:
    """Whether it asks about a Yes or No of the tutor's, which no note settles."""
    return _DOUBTS.search(question) is not None


def doubted(question: str, answered: str) -> str:
    """The word of the last answer that the question doubts: "Yes", "No" or nothing."""
    said = _SAID.match(answered)
    return said[1] if said and doubts(question) else ""


def asks_more(question: str) -> bool:
    """Whether something else is asked beside the doubt: "You say yes, but then it is weak. Which one should I take now?"."""
    rest = [sentence for sentence in _ASKS.findall(question) if not doubts(sentence.strip())]
    return any(len(sentence.split()) >= _SHORTEST for sentence in rest)
