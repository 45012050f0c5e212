"""Who did not understand an answer and says no more than that, "I do not understand, again please, more simple", wants what was explained explained in another way."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tutor.events import Exchange
from tutor.requests.patterns import words_of

AS_A_PICTURE, BY_EXAMPLE = "Explain it like I'm five", "Give me an example"
_ONLY = words_of(
    "a again all and another any anything at bit but can could complicated confused confusing did didn't difficult do don't dont easier easily easy english explain explained explanation",
    "explanations follow for get give got hard here hm hmm huh i idea in is it just lost little lot make me mean more much no not nothing now of oh ok okay once one other please pls",
    "plain point put quite really repeat say see simple simpler simplest simply slow slower slowly sorry still technical tell terms thank thanks that the them then this to too",
    "try understand understandable understood very way well what with word words would yet you your",
)
_SAYS_SO = re.compile(
    r"\b(?:(?:do(?:n'?t| not)|did(?:n'?t| not)|can(?:'?t|not)|still not|not) (?:\w+ ){0,2}?(?:understand|understood|get|got|follow|see)|(?:more|very|too|in|really) (?:simple|easy|plain|complicated|technical|difficult|hard)|simpl(?:er|y|est)|easier|confus(?:ed|ing)"
    r"|(?:explain|say|tell|once more|in other words)\b.*\bagain|again\b.*\b(?:explain|say|words)|in other words|another way)\b",
    re.IGNORECASE,
)
_ANSWERED = re.compile(r"\[\d+\]")


def simplified(question: str, history: Sequence[Exchange]) -> str:
    """What to ask instead: for the picture of what the last answer was about, or, if that was wished for before, for an example; the question itself if it says anything else."""
    if not history or not _only_says_so(question) or not _ANSWERED.search(history[-1].tutor):
        return question
    return BY_EXAMPLE if _only_says_so(history[-1].user) else AS_A_PICTURE


def _only_says_so(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.lower())
    return _ONLY.issuperset(words) and _SAYS_SO.search(text) is not None
