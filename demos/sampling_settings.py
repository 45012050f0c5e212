"""The sampling experiment's settings, how learners say them, and the rules that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demos.base import Param
from demos.decoding_rules import Rules
from demos.levels import BETWEEN, TO, Levels, read_levels
from demos.quotes import QUOTED, after_colon

# "top-p, set it to 0.8": "it" is what was named just before.
_SET_IT = r"(?:(?!temp)\D){0,25}?\b(?:set|put|turn|move|bring|raise|lower) it (?:up |down )?(?:to|at)"
# "Keep only the best three": not "the best 3 of 10 runs", so with a word that keeps.
_BEST = r"(?:(?:keep\w*|among|from|leave|leaving)(?: it)?(?: (?:only|just|to))*|only|just) (?:the |its )?(?:best|top|likeliest|most likely)"


def _off(name: str) -> str:
    """A pattern for words that switch a setting off."""
    return rf"\b(?:no|without(?: any)?|(?:switch|turn) off(?: the)?|drop|disable) {name}\b|\b{name} (?:is |be |been |switched |turned |set to )?(?:off|disabled)\b"


_TEMPERATURE = r"(?:\d?\.\d+|[0-3])(?![.\d]*\d)(?! ?(?:%|-|tokens|words|candidates|examples|prompts|texts|sentences|top|min|of the|likeliest|best|times))"
# "Low and then really high": two that show what each does to the odds.
_EXTREMES = (
    r"\b(?:low|cold|cool)(?:er|est)?\b(?:(?!\b(?:top|min)\b)[^.;?!\d]){0,60}\b(?:high|hot|warm)(?:er|est)?\b"
    r"|\b(?:high|hot|warm)(?:er|est)?\b(?:(?!\b(?:top|min)\b)[^.;?!\d]){0,60}\b(?:low|cold|cool)(?:er|est)?\b"
)

TEMPERATURE = Param(
    "temperature",
    1.5,
    "what the scores are divided by; 0 is greedy",
    0.0,
    3.0,
    spoken=(
        rf"\btemp(?:erature)?{TO}(\d*\.?\d+|one\b)",
        r"(?<![-\w])t ?= ?(\d*\.?\d+)",
        r"\bdivid\w+ (?:(?:the|all|its|their|your) )*(?:scores|logits) by (\d*\.?\d+)",
        r"\btemp(?:erature)?(?: \w+){1,3} (?:to|at) (\d*\.?\d+)",
        r"\b(?:heat|warm|cool|crank) it (?:up |down )?to (\d*\.?\d+)",
        rf"\btemp(?:erature)?\b(?![^.;]{{0,25}}\b(?:top|min)\b){_SET_IT} (\d*\.?\d+)",
        (
            r"\bgreed(?:y|ily)\b|(?<!non-)(?<!non )(?<!not )(?<!n't )(?<!n’t )(?<!less )\bdeterministic\w*",
            0.0,
        ),
    ),
    loose=(
        r"\bdivid\w+ (?:[a-z]+ ){0,6}?by (\d*\.?\d+)",
        r"(?-i:(?<![-\w])T:?) (\d?\.\d+)|(?<![\w.])(\d*\.?\d+) temperature\b",
        r"^(?!.*\b(?:top|min)[-_ ]?[kp]\b).*\b(?:high|hot|low|cold)(?:er)?,? (?:(?:like|say|maybe|at|to|of|such as),? )?(\d*\.?\d+)(?![\d.]*\d)(?! ?(?:%|tokens|words|candidates|examples|prompts|texts|sentences))",
        r"\b(?:temp\w*|heat|hotter|warm\w*|cool\w*|colder)\b(?:(?!\b(?:top|min)\b)[^;\d]){0,25}?(\d*\.?\d+)(?![\d.]*\d)(?! ?(?:%|tokens|words|candidates|examples|prompts|texts|sentences))",
    ),
)

PARAMS = (
    TEMPERATURE,
    Levels(
        "compare",
        "",
        "further temperatures beside it",
        of=TEMPERATURE,
        spoken=(
            rf"\btemp(?:erature)?s?{TO}(?:between |from )?({_TEMPERATURE}(?:{BETWEEN}(?:temp(?:erature)?s? ?)?{_TEMPERATURE})+)",
        ),
        loose=((_EXTREMES, "0.2,2"),),
    ),
    Param(
        "top-k",
        5,
        "how many of the likeliest tokens are kept; 0 keeps all",
        0,
        1000,
        spoken=(
            rf"\btop[-_ ]?k{TO}(\d+|one\b)",
            r"(?<![-\w])k(?: *= *| (?:of )?)(\d+)",
            rf"\btop[-_ ]?k\b{_SET_IT} (\d+)",
            rf"\b{_BEST} (\d+)(?! ?%)(?: (?:tokens|words|candidates|options|choices|ones))?\b",
            r"\b(?:only|just) (?:the )?(\d+) (?:(?:most likely|likeliest|best|top)(?: (?:tokens|words|candidates|options|choices|ones))?|candidates|options)(?=\W|$)",
            (_off(r"top[-_ ]?k"), 0),
        ),
        loose=(
            r"\btop[-_ ]?k\b(?:(?!\b(?:temp|min|top[-_ ]?p))[^;\d]){0,20}?(\d+)\b(?!\.\d)",
            r"\b(\d+) (?:likeliest|most likely|most probable|best|top|favou?rite) (?:tokens?|words?|candidates?|options?|ones|continuations?)?",
            r"\b(?:likeliest|most likely|most probable|best|top) (\d+)\b(?! ?%)",
            r"\bkeep\w*(?: (?:only|just|the|its|all))* (\d+)\b(?! ?%|\.\d)",
        ),
    ),
    Param(
        "top-p",
        0.9,
        "the share of probability that the kept tokens reach; 1 keeps all",
        0.01,
        1.0,
        spoken=(
            rf"\b(?:top[-_ ]?p|nucleus(?: sampling)?(?: with)?){TO}(\d*\.?\d+)",
            r"\bnucleus\b[^.;]{0,20}?\b(\d+) ?%",
            rf"\btop[-_ ]?p\b{_SET_IT} (\d*\.?\d+)",
            (_off(r"top[-_ ]?p"), 1.0),
        ),
        loose=(
            r"\b(?:top[-_ ]?p|nucleus)\b(?:(?!\b(?:temp|min|top[-_ ]?k))[^;\d]){0,20}?(\d*\.?\d+)",
            (r"\b(?:top[-_ ]?p|nucleus)\b[^.;\d]{0,20}\bhalf\b|\bhalf (?:of )?the (?:probabil\w*|probabl?ity)", 0.5),
        ),
        percent=True,
    ),
    Param(
        "min-p",
        0.1,
        "the share of the favourite's probability that a token needs; 0 keeps all",
        0.0,
        1.0,
        spoken=(rf"\bmin[-_ ]?p{TO}(\d*\.?\d+)", rf"\bmin[-_ ]?p\b{_SET_IT} (\d*\.?\d+)", (_off(r"min[-_ ]?p"), 0.0)),
        loose=(
            r"\bmin[-_ ]?p\b(?:(?!\b(?:temp|top))[^;\d]){0,20}?(\d*\.?\d+)",
            r"\b(\d+) ?% (?:of|as likely as) the (?:best|top|likeliest|favou?rite)",
        ),
        percent=True,
    ),
    Param(
        "prompt",
        "The old sailor opened the box and found a",
        "the beginning of a sentence, in your own words",
        spoken=(
            rf"\b(?:prompt|after|continu\w+|complet\w+|from|for|in)\b[^\"“”]{{0,20}}(?:{QUOTED})",
            QUOTED,
            after_colon(r"prompts?|after|beginning|sentence|start|text|continue|complete|go(?:es)? on|finish"),
        ),
        # What ends in the middle of a sentence is to be gone on with.
        loose=(
            r":\s+((?-i:(?!I\b)[A-Z])[^:.?!\"“”]{8,120}\b(?:and|but|the|an?|to|of|in|on|with|was|is|were|said|my|his|her|their))\W*$",
        ),
    ),
)


def rules_of(settings: Mapping[str, Any]) -> dict[str, Rules]:
    """The rules that are compared, by name: the model's own, each setting by itself, and "all" of them."""
    every = Rules(*(settings[name] for name in ("temperature", "top-k", "top-p", "min-p")))
    return {
        "own": Rules(),
        "temperature": Rules(temperature=every.temperature),
        **{name: Rules(temperature=level) for name, level in compared(settings).items()},
        "top_k": Rules(top_k=every.top_k),
        "top_p": Rules(top_p=every.top_p),
        "min_p": Rules(min_p=every.min_p),
        "all": every,
    }


def compared(settings: Mapping[str, Any]) -> dict[str, float]:
    """The temperatures that are put beside the run's own, by the names of their rules."""
    levels = (level for level in read_levels(settings["compare"]) if level != settings["temperature"])
    return {f"temperature_{level:g}": level for level in levels}


def labels_of(every: Rules, beside: Mapping[str, float]) -> dict[str, str]:
    """What the learner reads for each rule; `beside` are `compared` temperatures."""
    return {
        "own": "as the model gives it",
        "temperature": f"temperature {every.temperature:g}",
        **{name: f"temperature {level:g}" for name, level in beside.items()},
        "top_k": f"top-k {every.top_k}" if every.top_k else "top-k off",
        "top_p": f"top-p {every.top_p:g}" if every.top_p < 1 else "top-p off",
        "min_p": f"min-p {every.min_p:g}" if every.min_p else "min-p off",
        "all": "all together",
    }
