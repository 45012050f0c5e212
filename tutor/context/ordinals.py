""" "The first one", "the second", "the latter": which of the sides that were talked of a follow-up points at."""

from __future__ import annotations

import re
from collections.abc import Sequence

_POINTED = (
    # "The first one to use it" is somebody, and "the first of them" may be anything: only what nothing else can follow is a side.
    r"(?: (?:one|ones|kind|type|method|option|way|approach|technique|model|phase|stage|variant|side)(?! (?:to|who|that|of)\b)"
    r"|(?=\s*(?:[,;?.!]|$|is\b|are\b|does\b|do\b|can\b|will\b|need|work|cost|hurt|pay|know|make|have|has\b|any\b|less|more|too\b|then\b|again|instead)))"
)
_LATTER = (
    r"(?! (?:half|part|stages?|years?|case)\b)(?: (?:one|ones|kind|type|method|option|way|approach|technique|model)\b)?"
)
_ORDINALS = tuple(
    (re.compile(rf"\b(?:the|that) (?:{words}){behind}", re.IGNORECASE), place)
    for words, behind, place in (
        ("first|1st", _POINTED, 0),
        ("former", _LATTER, 0),
        ("second|2nd", _POINTED, 1),
        ("latter", _LATTER, 1),
        ("third|3rd", _POINTED, 2),
        ("fourth|4th", _POINTED, 3),
        ("last", _POINTED, -1),
    )
)


def pointed_at(question: str, sides: int) -> list[tuple[re.Pattern[str], int]]:
    """The words by which the question points at one of so many sides, and its place (-1: the last)."""
    return [(words, place) for words, place in _ORDINALS if -sides <= place < sides and words.search(question)]


def by_name(question: str, names: Sequence[str]) -> str:
    """The question with the names in the place of such words."""
    for words, place in pointed_at(question, len(names)):
        question = names[place].join(words.split(question))
    return question
