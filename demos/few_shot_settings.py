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
        loose=(
            rf"\b([2-8]|{COUNT}) (?:\w+ ){{0,2}}?(?:shots?|examples?|exemplars?|samples?|cases|demonstrations?|demos|tasks|solutions|pairs)\b",
            r"(?<![-\w])k ?= ?([2-8])\b",
            r"\b(?:to|with|at|only|just|take|use) ([2-8])\b(?!\s*(?:%|[.:]\d|[^\W\d_]))",
            r"\b([2-8]) (?:(?:solved|done|worked|sample) ones|of (?:them|these|those))\b",
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
        loose=(
            (
                r"\b(?:other|wrong) way (?:a)?round\b|\bfrom (?:the )?(?:last|end)\b|\b(?:back|last) to (?:front|first)\b"
                r"|\bturn\b[^.;]{0,30}\baround\b|\blast (?:one )?(?:at|to) the (?:front|start|beginning)\b",
                "reversed",
            ),
            (r"\b(?:mixed up|jumbl(?:ed?|ing)|scrambl(?:ed?|ing)|randomi[sz]ed|random)\b", "shuffled"),
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
        loose=((r"\b(?:a and b|a/b|a or b|single characters?|alphabet)\b", "letters"),),
    ),
    Param(
        "answers",
        "right",
        "what the solved examples say: the right feeling, or the wrong one",
        choices=("right", "wrong"),
        spoken=(
            (
                r"\b(?:wrong|flipped|false|incorrect|swapped|inverted|bad) (?:labels?|answers?|examples?|solutions?|feelings?)\b"
                r"|\b(?:labels?|answers?|solutions?|feelings?)(?: (?:are|being|were|all))* (?:flipped|wrong|false|swapped|inverted)\b"
                r"|\b(?:flip|swap|invert|falsify) (?:(?:all|the|their|its) )*(?:labels?|answers?|solutions?|feelings?)\b",
                "wrong",
            ),
            (r"\b(?:right|correct|true|proper) (?:labels?|answers?|solutions?|feelings?)\b", "right"),
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
        loose=(
            r"\b([1-8]) (?:\w+ ){0,2}?(?:orders?|orderings?|permutations?|arrangements?|sequences?|shuffles)\b",
            r"\borders?\b\D{0,12}\b([1-8])\b",
        ),
    ),
)
