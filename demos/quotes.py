"""A free text in a learner's words: between quotation marks of any kind, or after a colon."""

from __future__ import annotations

import re

QUOTATION_MARKS = "\"“„«「'‘"
_SINGLE = r"(?<!\w)['‘]((?:[^'‘’]|(?<=\w)['’](?=\w))+)['’](?!\w)"  # the apostrophe of "can't" ends nothing
QUOTED = rf"(?<!\w)[\"“„«](?=\S)([^\"“”„«»]+)[\"”“»]|「([^「」]+)」|{_SINGLE}"
# One text, and not one of several words that are to be compared: "king", "queen".
LONE_QUOTED = rf"(?<![\"”'’」], )(?<![\"”'’」] and )(?<!, and )(?:{QUOTED})(?!\s*(?:,|and\b)\s*[\"“„«「'‘])"

_UNTOLD = re.sub(r"\((?!\?)", "(?:", QUOTED)  # a quotation whose text is not the value
_BETWEEN = r"[^\"“”„«»「」]{1,60}?"


def first_of_two(lead: str, other: str) -> str:
    """A pattern for the first of two quotations, in a message that holds `lead` and does not hold `other`."""
    return rf"^(?!.*\b(?:{other})\b)(?=.*\b(?:{lead})\b).*?(?:{QUOTED})(?={_BETWEEN}(?:{_UNTOLD}))"


def second_of_two(lead: str, other: str) -> str:
    """The same for the second."""
    return rf"^(?!.*\b(?:{other})\b)(?=.*\b(?:{lead})\b).*?(?:{_UNTOLD}){_BETWEEN}(?:{QUOTED})"


def after_colon(lead: str) -> str:
    """A pattern for what stands after a colon, to the end, where the words before it hold `lead`."""
    return rf"\b(?:{lead})\b[^:\"“”]{{0,40}}:\s+(\S.*?)\s*$"
