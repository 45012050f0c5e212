"""A free text in a learner's words: between quotation marks of any kind, or after a colon."""

from __future__ import annotations

QUOTATION_MARKS = "\"“„«「'‘"
_SINGLE = r"(?<!\w)['‘]((?:[^'‘’]|(?<=\w)['’](?=\w))+)['’](?!\w)"  # the apostrophe of "can't" ends nothing
QUOTED = rf"(?<!\w)[\"“„«](?=\S)([^\"“”„«»]+)[\"”“»]|「([^「」]+)」|{_SINGLE}"
# One text, and not one of several words that are to be compared: "king", "queen".
LONE_QUOTED = rf"(?<![\"”'’」], )(?<![\"”'’」] and )(?<!, and )(?:{QUOTED})(?!\s*(?:,|and\b)\s*[\"“„«「'‘])"


def after_colon(lead: str) -> str:
    """A pattern for what stands after a colon, to the end, where the words before it hold `lead`."""
    return rf"\b(?:{lead})\b[^:\"“”]{{0,40}}:\s+(\S.*?)\s*$"
