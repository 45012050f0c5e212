"""The sampling experiment's settings, how learners say them, and the rules that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demos.base import Param
from demos.decoding_rules import Rules
from demos.quotes import QUOTED, after_colon

_TO = r"(?: (?:of|to|at|is|be|being)| =|=|:)? ?"
# "top-p, set it to 0.8": "it" is what was named just before.
_SET_IT = r"(?:(?!temp)\D){0,25}?\b(?:set|put|turn|move|bring|raise|lower) it (?:up |down )?(?:to|at)"
PARAMS = (
    Param(
        "temperature",
        1.5,
        "what the scores are divided by; 0 is greedy",
        0.0,
        3.0,
        spoken=(
            rf"\btemp(?:erature)?(?: up| down)?{_TO}(\d*\.?\d+|one\b)",
            r"\btemp(?:erature)?(?: \w+){1,3} (?:to|at) (\d*\.?\d+)",
            r"\b(?:turn|heat|crank|lower|raise|cool|bring|set) it (?:up |down )?to (\d*\.?\d+)",
            (r"\bgreed(?:y|ily)\b", 0.0),
        ),
    ),
    Param(
        "top-k",
        5,
        "how many of the likeliest tokens are kept; 0 keeps all",
        0,
        1000,
        spoken=(
            rf"\btop[-_ ]?k{_TO}(\d+|one\b)",
            r"(?<![-\w])k(?: *= *| )(\d+)",
            rf"\btop[-_ ]?k\b{_SET_IT} (\d+)",
            (r"\b(?:no|without(?: any)?) top[-_ ]?k\b", 0),
        ),
    ),
    Param(
        "top-p",
        0.9,
        "the share of probability that the kept tokens reach; 1 keeps all",
        0.01,
        1.0,
        spoken=(
            rf"\b(?:top[-_ ]?p|nucleus(?: sampling)?(?: with)?){_TO}(\d*\.?\d+)",
            r"\bnucleus\b[^.;]{0,20}?\b(\d+) ?%",
            rf"\btop[-_ ]?p\b{_SET_IT} (\d*\.?\d+)",
        ),
        percent=True,
    ),
    Param(
        "min-p",
        0.1,
        "the share of the favourite's probability that a token needs; 0 keeps all",
        0.0,
        1.0,
        spoken=(rf"\bmin[-_ ]?p{_TO}(\d*\.?\d+)", rf"\bmin[-_ ]?p\b{_SET_IT} (\d*\.?\d+)"),
        percent=True,
    ),
    Param(
        "prompt",
        "The old sailor opened the box and found a",
        "the beginning of a sentence, in your own words",
        spoken=(
            rf"\b(?:prompt|after|continu\w+|complet\w+|from|for|in)\b[^\"“”]{{0,20}}(?:{QUOTED})",
            QUOTED,
            after_colon(r"prompts?|after|beginning|sentence|start|text|continue|complete"),
        ),
    ),
)


def rules_of(settings: Mapping[str, Any]) -> dict[str, Rules]:
    """The rules that are compared, by name: the model's own, each setting by itself, and "all" of them."""
    every = Rules(*(settings[name] for name in ("temperature", "top-k", "top-p", "min-p")))
    return {
        "own": Rules(),
        "temperature": Rules(temperature=every.temperature),
        "top_k": Rules(top_k=every.top_k),
        "top_p": Rules(top_p=every.top_p),
        "min_p": Rules(min_p=every.min_p),
        "all": every,
    }


def labels_of(every: Rules) -> dict[str, str]:
    """What the learner reads for each rule."""
    return {
        "own": "as the model gives it",
        "temperature": f"temperature {every.temperature:g}",
        "top_k": f"top-k {every.top_k}" if every.top_k else "top-k off",
        "top_p": f"top-p {every.top_p:g}" if every.top_p < 1 else "top-p off",
        "min_p": f"min-p {every.min_p:g}" if every.min_p else "min-p off",
        "all": "all together",
    }
