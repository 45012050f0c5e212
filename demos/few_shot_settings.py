"""The few-shot experiment's settings, and how learners say them."""

from __future__ import annotations

from demos.base import Param
from demos.levels import COUNT

# "Flip the order", "flip them", "flip the five examples round".
_THEM = r"(?: (?:the|their|its))?(?: (?:order|sequence)(?: of (?:the|these|those|them))?| (?:\w+ )?(?:examples|exemplars|shots)| (?:them|'?em)\b)"

PARAMS = (
    Param(
        "shots",
        4,
        "solved examples in the few-shot prompt",
        2,
        8,
        spoken=(
            rf"\b([2-9]|\d\d+|{COUNT})[- ]?(?:(?:solved|worked|labelled|labeled) )?(?:shots?|examples?|exemplars?|demonstrations?)\b",
            r"\bshots *= *(\d+)",
        ),
    ),
    Param(
        "order",
        "fixed",
        "order of the examples in the prompt",
        choices=("fixed", "reversed", "shuffled"),
        spoken=(
            (
                r"\brevers\w+|\bbackwards?\b|\b(?:back to front|last to first|upside down)\b|\b(?:opposite|inverse) order\b"
                rf"|\blast (?:one |example )?(?:\w+ )?first\b|\b(?:flip|invert|turn|swap(?! them))\w*{_THEM}(?: (?:a?round|over|about))?\b",
                "reversed",
            ),
            (
                r"\bshuffl\w+|\brandom(?:ly)? order\w*|\bany old order\b"
                rf"|\b(?:mix|jumbl|scrambl|randomi[sz])\w*(?: up)?{_THEM}(?: up)?\b",
                "shuffled",
            ),
            (r"\b(?:fixed|original|usual|normal) order\b", "fixed"),
        ),
    ),
    Param(
        "labels",
        "words",
        "how feelings are written: as words, or as letters that the instruction explains",
        choices=("words", "letters"),
        spoken=(
            (r"\bletters?\b", "letters"),
            (
                r"\bword labels?\b|\blabels?\b.{0,12}\bwords\b|\bwords\b.{0,12}\b(?:labels?|letters|again)\b|\b(?:real|whole|full|proper) words\b",
                "words",
            ),
        ),
    ),
    Param(
        "orders",
        5,
        "orders of the same examples that are tried",
        1,
        8,
        spoken=(
            rf"\b(\d+|{COUNT}) (?:different |random |other )?order(?:ing)?s\b",
            r"\borders *= *(\d+)",
            r"\b(?:more|fewer|other) orders?[,:]? (\d+)\b",
            (r"\b(?:(?:just|only) (?:one|1)|a single) order(?:ing)?\b", 1),
        ),
    ),
)
