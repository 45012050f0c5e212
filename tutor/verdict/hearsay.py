"""A claim that waits for a Yes or No without being put as a question of its own: "Someone at work insists that …", "According to my boss, …", "…, or so a slide said."

Likewise what is to be judged: "Tell me whether …", "Claim to check: …", "…. Yes or no?" Whatever is asked beside it makes it a story before a question.
"""

from __future__ import annotations

import re

from tutor.requests.parts import VERDICT

JUDGED_FIRST = re.compile(
    rf"^\W*(?:{VERDICT}|(?:please )?correct me if i(?:['’]?m| am) (?:\w+ )?(?:off|wrong|mistaken))\s*[:,–—-]\s*(?:that |but )?(?=\w)",
    re.IGNORECASE,
)
"""“True or not: …”, “Correct me if I'm wrong, but …” before a claim."""

_LONGEST = 600  # characters; what is longer tells a story
_SAYS = (
    r"(?:insists?|insisted|claims?|claimed|says?|said|swears?|swore|maintains?|argues?|argued|reckons?|believes?|thinks?|assures?|assured|warns?|warned"
    r"|told|tells|taught|keeps? (?:on )?(?:saying|telling|insisting|claiming)|(?:is|are) (?:sure|convinced|certain)|wrote|writes)"
)
_WHO = (
    r"(?:some(?:one|body|\s+(?:people|folks))?|many|most|people|colleagues|friends|experts|teachers|bloggers|vendors|critics|every(?:one|body)|they|he|she|one of"
    r"|an?|my|our|the|his|her|this|another)"
)
# Words between, apart from each other by what no word holds, so that no run of dashes can be split in many ways; "a model that thinks" is no speaker.
_GAP = r"(?:[^\w'’.?!-]+(?!(?:that|which|models?|networks?|llms?)\b)[\w'’-]+){0,6}?[^\w'’.?!-]+"
_NO_ORDER = r"(?!\W*(?:(?:me|us|him|her|them|you) )?(?:to|how|what|why|which|about|goodbye|hello)\b)"  # "I was told to look it up"
_CLAIM = re.compile(
    rf"^\W*(?:(?:so|and|but|ok(?:ay)?|well|hm+|yesterday|today|just)\b[\s,]*)*(?:according to [^,.?!]{{2,50}},\s+\w"
    rf"|i(?:'ve| have|'m| am| was)?(?: \w+)? (?:been )?(?:told|taught|assured)\b{_NO_ORDER}"
    r"|my (?:take|guess|understanding|theory|view|impression|bet|claim)(?: is\b|[:,])"
    r"|(?:i )?(?:just )?(?:heard|read)\b[^.?!]{0,40}?(?: that\b|:)"
    rf"|{_WHO}\b{_GAP}{_SAYS}\b{_NO_ORDER}(?=\W+\w+\W+\w+))",
    re.IGNORECASE,
)
_TOLD_AFTER = re.compile(
    rf"[,;–—-]\s*(?:(?:or|at least|that'?s what)\s+)?(?:so\s+)?(?:(?:i|we) (?:was|were|have been|'ve been)? ?(?:told|heard|read|gather|take it)"
    rf"|(?:{_WHO}|one)\b[^,.?!]{{0,30}}\b(?:{_SAYS}(?: us)?|goes)|(?:says|said|claims|claimed|insists|argues) {_WHO}\b[^,.?!]{{0,30}})\W*$",
    re.IGNORECASE,
)
_WHETHER = re.compile(
    r"^\W*(?:(?:so|and|but|ok(?:ay)?)\b[\s,]*)*(?:(?:please )?tell me|let me know|i(?:'d| would) like to know|i wonder|can you (?:tell|say)(?: me)?) (?:whether|if)\b(?! (?:you|there)\b)(?!.*\bor\b(?! not))",
    re.IGNORECASE,
)
_TO_BE_JUDGED = re.compile(
    rf"^\W*(?:(?:a |my )?(?:claim|statement|thesis|hypothesis)(?: to (?:verify|check|judge|test))?:|it (?:has been|is|was|gets) (?:\w+ )?(?:claimed|said|rumou?red|argued|believed|assumed)\b)"
    rf"|[.!?,;:–—-]\s*{VERDICT}\W*$",
    re.IGNORECASE,
)
_ELSE = re.compile(
    r"^\W*(?:with |an? )?(?:example|case|picture|image)\b|[,;:]\s*(?:and |so |but )?(?:(?:what|whats|why|how)\b|(?:which|who|where|when)\b[^.!]*\?)|\b(?:what|why|how|which|who|where|when)\b[^,.?!]*\?"
    r"|\b(?:correct (?:him|her|them)|tells? \w*\s*apart|explain|describe|compare|define|summari[sz]e|spell out|walk me|(?:show|give|help) me|tell me (?!whether|if))\b",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"^\W*(?:(?:i (?:really )?(?:doubt|don'?t (?:believe|buy|think)|wonder|disagree|agree|am not sure)|i'?m not (?:so )?sure|really|true|hm+|huh"
    rf"|sounds (?:odd|wrong|right|off)|(?:is|was) (?:he|she|that|it|this)\b|right|correct|agreed|fair|{VERDICT}"
    r"|(?:do|does|did|is|are|can|could|will|would|has|have) (?:it|they|he|she|that|this|you agree|i repeat (?:that|this|it)|you buy (?:that|this|it)))\b[^.?!]*[.?!…]*)?\s*$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.?!…])\s+")


def is_hearsay(query: str) -> bool:
    """Whether the message is such a claim, and nothing more than a remark on it."""
    query = query.strip()
    if len(query) > _LONGEST:
        return False
    if judged := JUDGED_FIRST.match(query):
        # A claim, whatever words it holds ("True or not: what limits decode is memory."), but no question for words.
        return not (
            query.endswith("?")
            and re.match(r"(?:what|why|how|which|who(?:m|se)?|where|when)\b", query[judged.end() :], re.IGNORECASE)
        )
    if _ELSE.search(query):
        return False
    claim, *remarks = _SENTENCE.split(query)
    told = any(pattern.search(query) for pattern in (_CLAIM, _WHETHER, _TO_BE_JUDGED))
    told = told or (not claim.endswith("?") and _TOLD_AFTER.search(claim) is not None)
    return told and all(_REMARK.match(remark) for remark in remarks)
