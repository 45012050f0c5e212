"""The settings of the training stages, and how learners say them."""

from __future__ import annotations

from demos.base import Param
from demos.levels import TO

SKIPPING = (
    r"\b(?:without|never (?:had|saw|sees|got|gets|did|receives|received)|(?:nobody|no one) (?:had |ever )?(?:did|does|done|used)|skip(?:ping|s)?|(?:leav|tak|cutt?)(?:e|ing)? (?:out|off|away)|cut(?:ting)?|omit(?:ting)?|cancel|str(?:ike|iking)(?: out| off)?|drop(?:ping)?|"
    r"remov(?:e|ing)|exclud(?:e|ing)|ditch|scrap|spare|lose|get rid of|do(?:ing)? without|minus|no|except(?:ing)?(?: for)?|(?<!skip )(?<!drop )(?<!omit )(?:all|everything|every \w+|the rest) but|apart from|other than)\b (?:the |any |its )?"
)
# "It" is the stage that was named just before: "mid-training could be spared; leave it out".
_SKIPPED = r"(?: (?:stage|phase|part))? (?:left out|out|missing|skipped|off|away|omitted|dropped|removed|cut|gone)\b|[^.?!]{0,40}[.,;:?!] (?:so |and |please |just )*(?:(?:skip|omit|drop|cut|remove) it\b|leave it (?:out|off|away)\b)"

PARAMS = (
    Param(
        "rl-steps",
        60,
        "steps of reinforcement learning",
        10,
        90,
        spoken=(
            r"\b(\d+) (?:rl|rlvr|reinforcement(?: learning)?)[- ](?:steps?|rounds?|updates?)\b",
            r"\b(\d+) (?:steps?|rounds?|updates?) of (?:rl|rlvr|reinforcement)\b",
            r"\b(?:rl|rlvr) (?:for |with |only |just )*(\d+) (?:steps|rounds|updates)\b",
            rf"\brl[- ]steps{TO}(\d+)",
        ),
        loose=(
            r"\b(?:rl|rlvr|reinforcement\w*|rewards?)\b[^.;\d]{0,35}?\b(\d+)\b(?! ?(?:[\w-]+ ){0,2}(?:pairs|questions|examples)\b)",
            r"\b(\d+) (?:\w+ ){0,2}?(?:steps|rounds|updates|iterations)\b|\bsteps\b\D{0,15}\b(\d+)\b",
        ),
    ),
    Param(
        "skip",
        "none",
        "a stage to leave out",
        choices=("none", "mid-training", "sft", "rl"),
        spoken=(
            (rf"{SKIPPING}mid[- ]?train\w*|\bmid[- ]?train\w*(?:{_SKIPPED})", "mid-training"),
            (
                rf"{SKIPPING}(?:sft|supervised|instruction)\b|\b(?:sft|(?:instruction|supervised fine)[- ]?tuning)(?:{_SKIPPED})",
                "sft",
            ),
            (
                rf"{SKIPPING}(?:rl|rlvr|rewards?|reinforcement)\b(?! steps?|[\w -]{{0,25}}? to \d)|\b(?:rl|rlvr|reinforcement learning)(?:{_SKIPPED})",
                "rl",
            ),
            (r"\b(?:all|every|4|four) (?:the )?stages?\b|\bskip(?:ping)? (?:nothing|none|no stage)\b", "none"),
        ),
        loose=(
            (
                r"\bnothing (?:is |gets )?(?:left|skipped|dropped|missing|omitted|cut)\b|\b(?:do not|don['’]?t) (?:drop|skip|leave out|omit|cut) (?:anything|any|a)\b|\bleav(?:e|ing) nothing out\b",
                "none",
            ),
            (
                r"\b(?:w/o|skip ?=) ?(?:the )?mid|\b(?:without|leav\w+ out|jump\w* over|skip\w*|drop\w*|omit\w*)\b[^.;?]{0,45}\b(?:middle (?:part|phase|stage|one|class)|(?:part|phase|stage|one) in the middle)\b",
                "mid-training",
            ),
            (
                r"\b(?:w/o|skip ?=) ?(?:the )?sft|\b(?:without|never gets?|leav\w+ out|skip\w*|drop\w*|omit\w*)\b[^.;?]{0,30}\b(?:question[- ](?:and[- ])?answer|those|these) lessons\b",
                "sft",
            ),
            (
                r"\b(?:w/o|skip ?=) ?(?:the )?rl|\b(?:without|leav\w+ out|skip\w*|drop\w*|omit\w*)\b[^.;?]{0,30}\b(?:rewards|(?:last|final) (?:part|phase|stage))\b|\bleave that reinforcement part out\b",
                "rl",
            ),
            (r"\bleav(?:e|ing) (?:the )?(?:reinforcement\w*(?: learning)?|rl) (?:\w+ )?out\b", "rl"),
            (
                r"\bleav(?:e|ing) (?:the )?(?:supervised (?:fine[- ]?tuning|\w+)|sft|instruction[- ]tuning) (?:\w+ )?out\b",
                "sft",
            ),
        ),
    ),
    Param(
        "pairs",
        24,
        "question-answer pairs of SFT",
        8,
        100,
        spoken=(
            r"(?<!i have )(?<!i['’]ve got )(?<!ask )(?<!ask you )\b(\d+) (?:sft |answered |training |question[- ]answer |q&a |qa |answered )?(?:pairs|questions)\b",
            r"\bpairs *= *(\d+)",
        ),
        loose=(
            r"\b(\d+) (?:[\w-]+ ){0,3}?(?:pairs|examples|demonstrations|q&as?|exercises|dialogues|chats)\b",
            r"\b(?:sft|supervised|instruction|pairs)\b[^.;\d]{0,30}?\b(\d+)\b(?! ?(?:\w+ )?(?:steps|rounds|updates)\b)",
        ),
    ),
)
