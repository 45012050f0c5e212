"""The questions that one message holds: "How big is the gap, and what does it mean for me?" asks two, and a story asks with its last sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.mentions import Mentions
from knowledge.words import content_words

VERDICT = r"(?:true or (?:false|not|untrue)|yes or no|right or wrong|fact or (?:myth|fiction)|correct or (?:not|wrong))"
"""A pattern for what asks to be told whether a claim holds."""

_WORDS = r"(?:what|whats|what's|how|why|which|who|whom|whose|where|when)"
_AUXILIARY = r"(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|must|may)"
# "Pruning: does it …", a rewritten follow-up; what asks for a verdict is none.
TOPIC = re.compile(
    rf"^(?!{VERDICT}\b|(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have) )[\w ,/-]{{2,120}}: ",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.?!;…])\s+|\s*\n+\s*|(?:^|\s+)[1-9][.)]\s+")
_JOINT = re.compile(
    rf"(?:\s*[,;:–—-]+\s*(?:and|but|or|so|then)?|\s+(?:and|but|or))\s+(?=(?:also |then |if so,? )*(?:(?:in|for|to|at|from|with|by|after) )?{_WORDS}\b)"
    rf"|\s*[,;]\s*(?:and|but|or)\s+(?={_AUXILIARY}\s+(?:it|they|that|this|i|you|we|one|there|the|an?)\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"\?|^\W*(?:(?:and|so|but|ok|also|then|please|pls|or)\W+)*(?:(?:in|for|to|at|from|with|by|after)\s+)?(?:{_WORDS}\b|{_AUXILIARY}\s|explain|describe|give|show|tell|name|compare|i (?:want|need|wonder))"
    rf"|(?<!to )\b(?:explain|tell me|i wonder|dont get|don't get|{_WORDS} (?:should|do|does|is|are|can|would|will)|how (?:much|many|big|long|far|fast|often))\b"
    rf"|,\s*{_AUXILIARY}\s+(?:it|they|that|this|i|you|we|one|there|the|an?|my)\b",
    re.IGNORECASE,
)
# Of a sentence without a question mark beside others that have one: a story tells "how many" too.
_REQUESTS = re.compile(
    r"^\W*(?:(?:and|so|but|ok|also|then|please|pls|or)\W+)*(?:explain|describe|give|show|tell|name|compare|i (?:want|need|wonder|would like|'d like))\b"
    r"|(?<!to )\b(?:please (?:explain|tell|say|name|compare)|tell me|explain|i wonder|dont get|don't get)\b",
    re.IGNORECASE,
)
# What asks only whether the claim before it holds: "A colleague says that …. Is he right?"
_ECHO = re.compile(
    r"(?:(?<=[.!?;,…–-])|(?<= ))\s*\b(?:(?:so|and|but|well|now|then),? )*"
    r"(?:(?:is|was|isn'?t|wasn'?t) (?:that|this|it|he|she|my \w+|our \w+|the \w+)(?: (?:really|actually|even|indeed))? (?:so|true|right|correct|the case|accurate)"
    r"|are they (?:right|correct)|am i (?:right|correct)|(?:did|have|do) i (?:get|got|understand|understood) (?:this|that|it)(?: (?:right|correctly))?"
    r"|(?:should|can) i (?:believe|trust) (?:him|her|them|that|it|this)|that'?s (?:right|true|correct),? (?:yes|no|right)|(?:can|could) (?:that|this|it) be (?:right|true|correct)"
    r"|does (?:he|she|that|this) (?:have a point|hold)|do you agree)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
# "When a company releases weights, what …": before what is asked, a circumstance and no question.
_CIRCUMSTANCE = re.compile(rf"^\W*(?:when|where|if)\s+(?!{_AUXILIARY}\b)(?!.*\?)", re.IGNORECASE)
_EACH = re.compile(r"\b(?:each|both|respectively|either of them)\b", re.IGNORECASE)
_THE_ONE_THE_OTHER = re.compile(r"\bthe one\b[^.?!]*\bthe other\b", re.IGNORECASE)
_POINTS = re.compile(r"\b(?:it|its|they|them|their|that|this|these|those|ones|which one)\b|\bthere\W*$", re.IGNORECASE)
_JOINED_ON = re.compile(r"[,;:\s–—-]*(?:\b(?:and|but|or|so|then|also)\b[,\s]*)*$", re.IGNORECASE)  # at a part's end
_LEADING = re.compile(r"^[\W_]+")
_CLAUSES = re.compile(r"[.?!;,]\s+")
_STOPS = (".", "!", "…")
_MOST = 4
_SHORT = 7  # words of a part that leaves out what it shares with the one before it
_SUBJECT = 5  # words that stand for a subject which has no name


@dataclass(frozen=True)
class Asked:
    """One part of a message: `text` has the names that only other parts have before it, `words` are its own with what leads up to them,
    and `after` are the words of the part that it goes on from."""

    text: str
    words: str
    after: str = ""


def without_topic(query: str) -> str:
    """The question without the subject that rewriting put in front."""
    return TOPIC.sub("", query.strip())


def parts_of(query: str, mentions: Mentions) -> tuple[Asked, ...]:
    """The parts that ask; empty where the message is one question and no more. What is asked of each of several sides is asked once a side."""
    topic = TOPIC.match(query)
    rest = without_echo(query[topic.end() :] if topic else query)
    # `led` are the same with what leads up to them: "if it had 70B, how many GB would it take?"
    asked: list[str] = []
    led: list[str] = []
    for sentence in _asking_sentences(rest):
        parts = _asking(sentence)
        asked += parts
        led += [sentence[: sentence.index(part) + len(part)] if n == 0 else part for n, part in enumerate(parts)]
    sides = {mention.sides: mention.words for mention in mentions.find(query)}
    of_each = _THE_ONE_THE_OTHER.search(rest) or (len(asked) < 2 and _EACH.search(rest))
    if of_each and 2 <= len(sides) <= _MOST:
        return tuple(Asked(f"{name}: {rest}", f"{name}: {rest}") for name in sides.values())
    if not asked or (len(asked) == 1 and len(asked[0]) > 0.8 * len(rest)):
        return ()
    every = [topic.group()[:-2]] if topic else [mention.words for mention in mentions.find(rest)]
    filled: list[str] = []
    for part in asked:
        filled.append(_without_gap(part, filled[-1] if filled else "", mentions))
    leads: list[str] = []
    for n, part in enumerate(filled[:_MOST]):
        lead = _lead(part, rest.partition(asked[n])[0], every, mentions)
        leads.append(next(filter(None, leads), lead) if lead and not every else lead)
    texts = [f"{lead}: {part}" if lead else part for lead, part in zip(leads, filled, strict=False)]
    if len(texts) == 1:
        return (Asked(texts[0], texts[0]),)
    begins = rest.index(led[1], rest.index(asked[0]) + len(asked[0]))
    head = _JOINED_ON.sub("", (topic.group() if topic else "") + rest[:begins])
    words = [head if head.endswith((".", "!", "?")) else f"{head}?"]
    for part, was, whole in zip(filled[1:], asked[1:], led[1:], strict=True):
        words.append(_LEADING.sub("", whole) if part == was else part)
    return tuple(Asked(text, own, before) for text, own, before in zip(texts, words, ["", *words], strict=False))


def without_echo(query: str) -> str:
    """The claim alone, of a message that ends with asking whether it holds."""
    claim = _ECHO.sub("", query)
    return claim if len(claim.split()) > 3 else query


def _asking_sentences(text: str) -> list[str]:
    """The sentences that ask; where one has a question mark, those that end otherwise only if they are requests."""
    sentences = _SENTENCE.split(text)
    marked = any(sentence.endswith("?") for sentence in sentences)
    return [s for s in sentences if (_REQUESTS if marked and s.endswith(_STOPS) else _ASKS).search(s)]


def _asking(sentence: str) -> list[str]:
    """The parts of a sentence that ask."""
    parts = [part.strip(" ,;") for part in _JOINT.split(sentence)]
    asked = [part for part in parts if len(part.split()) >= 2 and _ASKS.search(part)]
    return asked[1:] if len(asked) > 1 and _CIRCUMSTANCE.match(asked[0]) else asked


def _without_gap(part: str, before: str, mentions: Mentions) -> str:
    """ "Who hands out points in RLHF, and who does in RLVR?" asks "Who hands out points in RLVR" with its second part."""
    mine, theirs = mentions.find(part), mentions.find(before)
    if len(part.split()) > _SHORT or len(mine) != 1 or len(theirs) != 1 or mine[0].sides == theirs[0].sides:
        return part
    other_set = {concept for concept, _ in mine[0].sides}.isdisjoint(concept for concept, _ in theirs[0].sides)
    beyond = {*content_words(part)} - {*content_words(before), *content_words(mine[0].words), "one"}
    if other_set or beyond:
        return part
    there = theirs[0].start
    return before[:there] + mine[0].words + before[there + len(theirs[0].words) :]


def _lead(part: str, before: str, every: Sequence[str], mentions: Mentions) -> str:
    """What the part leaves to the rest of the message: the names, or where there are none, the words that "it" points to."""
    own = {mention.words for mention in mentions.find(part)}
    if not own and every:
        return ", ".join(dict.fromkeys(every))
    if not _POINTS.search(part):
        return ""
    if own:
        return ", ".join(dict.fromkeys(m.words for m in mentions.find(before) if m.words not in own))
    clauses = (_telling(clause) for clause in reversed(_CLAUSES.split(before.replace("'s ", " "))))
    return " ".join(next(filter(None, clauses), [])[:_SUBJECT])


def _telling(clause: str) -> list[str]:
    """Its words that say something by themselves."""
    return [word for word in re.findall(r"[\w'-]+", clause) if content_words(word)]
