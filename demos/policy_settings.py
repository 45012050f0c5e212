"""The settings of on-policy and off-policy learning, and how learners say them."""

from __future__ import annotations

from demos.base import Param
from demos.levels import TO

_ANSWERS = r"(?:answers|tries|samples|responses|attempts|rollouts|completions)"
# "A teacher that is wrong 30 %" must not become one that is right 30 %.
_RIGHT = r"(?:(?!wrong|mistak|error)[^.;]){0,40}?"
_WRONG = tuple(
    (
        rf"\bteacher\b[^.;]{{0,30}}?\b(?:wrong|mistak\w+|errors?|errs)\b[^.;\d]{{0,20}}\b{n} ?(?:%|percent\b)"
        rf"|\bteacher\b[^.;\d]{{0,20}}\b{n} ?(?:%|percent) (?:of the time )?(?:wrong|mistaken)\b",
        1 - n / 100,
    )
    for n in range(5, 85, 5)
)

PARAMS = (
    Param(
        "steps",
        400,
        "updates of each method, 128 answers each",
        40,
        800,
        spoken=(r"\b(\d+) (?:\w+ )?(?:steps|updates)\b", rf"\b(?:steps|updates){TO}(\d+)"),
        loose=(
            r"\b(\d+) (?:\w+ ){0,2}?(?:rounds|iterations)\b",
            r"\b(?:steps|updates|rounds|iterations)\b[^.;\d]{0,25}?\b(\d+)\b",
            r"(?<![\w.])(\d{3})(?![\w%]|\.\d)(?! ?(?:seconds?|minutes?|answers|questions|prompts|tokens)\b)",
        ),
    ),
    Param(
        "group-size",
        16,
        "answers to one prompt, which GRPO compares with each other",
        choices=(2, 4, 8, 16, 32, 64),
        spoken=(
            rf"\b(?:groups?|grp)(?:[- ]size)?{TO}(\d+)\b|(?-i:(?<!\w)G) ?= ?(\d+)\b",
            (rf"\b(?:a|one|only a|just a) (?:pair|couple) of {_ANSWERS}\b", 2),
            r"\b(?:small|larg|bigg?)(?:er|est) groups?[,:]? (\d+)\b",
            rf"\b(\d+) {_ANSWERS} (?:(?:to compare|compared) )?(?:a|per|each|every|in (?:a|each|every)|for (?:a|each|every)|at a|at once|to (?:each|every|a|one))(?: (?:prompt|question|group|time|round|step)\b|(?=\W*$))",
            rf"\b(?:each|every|per|a) (?:prompt|question|group)(?: \w+){{0,3}} (\d+)(?: {_ANSWERS}\b|(?=\W*$))|\bcompar\w+ (\d+) {_ANSWERS}\b",
        ),
        loose=(
            r"\b(2|4|8|16|32|64) (?:\w+ ){0,2}?(?:per|a|to a|in (?:a|each|every|the)|for (?:a|each|every|the)) (?:group|prompt|question|time)\b",
            rf"\bgroups?\b[^.;\d]{{0,25}}?\b(2|4|8|16|32|64)\b(?! ?(?:%|percent|steps))|\b(2|4|8|16|32|64) (?:\w+ )?{_ANSWERS}\b",
        ),
    ),
    Param(
        "teacher-accuracy",
        0.8,
        "share of the teacher's answers that are right",
        0.2,
        1.0,
        spoken=(
            rf"\bteacher\b{_RIGHT}\b(\d+(?:\.\d+)?) ?(?:%|percent\b)(?! (?:wrong|mistak|error))",
            r"\b(\d+(?:\.\d+)?) ?(?:%|percent) (?:\w+ )?teacher\b",
            r"\bteacher(?:[- ]accuracy)?(?: of| at| is| =|=|:| like|, like)? ?(0?\.\d+|1\.0)\b",
            *_WRONG,
            (
                r"\bteacher\b.{0,30}\b(?:right|correct|wrong|mistaken)\b.{0,12}\bhalf\b|\bteacher\b.{0,20}\bhalf (?:of )?the time\b|\bcoin[- ]?flip\w* teacher\b",
                0.5,
            ),
            (
                r"\b(?:perfect|flawless|faultless|infallible) teacher\b|\bteacher\b(?: (?!(?:not|never|hardly|barely|almost|nearly|near|far|less|than|\w+nt)\b)\w+){0,3} (?:perfect|flawless|faultless|infallible)\b"
                r"|\bteacher\b.{0,16}\b(?:(?<!not )(?<!n't )(?<!n’t )always (?:\w+ )?(?:it )?(?:right|correct)|never (?:\w+ ){0,3}(?:wrong|mistakes?|mistaken|errors?|errs?)|(?:makes? no|without(?: any)?|with no) (?:mistakes?|errors?))\b",
                1.0,
            ),
            (
                r"(?<!my )(?<!our )(?<!dear )\bteacher\b[^.;?]{0,30}?\b(?:right|correct|wrong|mistaken|gets|solves|fails|errs)\b[^.;?]{0,12}?"
                r"\b(?:half (?:of )?(?:the|its|his|her|their|all) (?:answers|solutions|cases|tasks)|every (?:other|second) (?:time|answer|solution))\b",
                0.5,
            ),
            (r"\b(?:bad|weak|poor|lousy|mediocre) teacher\b", 0.4),
        ),
        loose=(r"\b(\d+(?:\.\d+)?) ?(?:%|percent\b)(?! (?:wrong|mistak|error))", r"(?<![\w.])(0?\.\d+)\b"),
        percent=True,
    ),
)
