"""Elliptical follow-ups made standalone, by rule, from the concepts in play.

A question is rewritten only when it leans on what came before: it says "it" or "the other one", begins with "and", or is only
"why?". Anything that can be searched as it stands is left alone. No model is called; the same history gives the same rewrite,
so earlier turns are replayed instead of remembered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.mentions import Mentions
from knowledge.passages import Concept, Knowledge
from tutor.events import Exchange

_TURNS = 6


@dataclass(frozen=True)
class Topic:
    """What the conversation is about: a set, the sides last named (all of them for a contrast), the last full question."""

    concept: Concept
    sides: tuple[str, ...]
    query: str

    def named(self, sides: Sequence[str] | None = None, joint: str = " or ") -> str:
        """The sides' names, "pruning or quantization", in the set's order."""
        wanted = set(self.sides if sides is None else sides)
        return joint.join(side.name for side in self.concept.sides if side.id in wanted)


@dataclass(frozen=True)
class Standalone:
    """A question that needs no history, and whether it had to be rewritten for that."""

    query: str
    rewritten: bool
    topic: Topic | None


_LEAD = re.compile(r"^(?:(?:and|but|so|ok(?:ay)?|then|well|also|hmm+|right|yes|no|now)\b[\s,.!]*)+", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:(?:what|how)\s*(?:'s|is)?\s*about|what of|and for|for|with|same for|and)\s+(?P<rest>.+?)[?.!\s]*$", re.IGNORECASE)
_OTHER = re.compile(r"\b(?:the|that|this)?\s*(?:other|opposite)(?:\s+(?:one|ones|side|method|approach|way|two))?\b", re.IGNORECASE)
_ORDINAL = (
    (re.compile(r"\bthe (?:first|former)(?: one| method| option)?\b", re.IGNORECASE), 0),
    (re.compile(r"\bthe (?:second|latter)(?: one| method| option)?\b", re.IGNORECASE), 1),
    (re.compile(r"\bthe third(?: one| method| option)?\b", re.IGNORECASE), 2),
    (re.compile(r"\bthe last(?: one| method| option)?\b", re.IGNORECASE), -1),
)
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|that|this|those|these|both|each|either|neither|one|ones|all three|the two|the three)\b", re.IGNORECASE
)
_POINTLESS_IT = re.compile(r"\bis it (?:true|possible|correct|right|a fact|fair to say)\b|\bdoes it (?:matter|make sense)\b|\bone of\b|\bone[- ]shot\b", re.IGNORECASE)
_WHY = re.compile(r"^(?:but\s+|and\s+|so\s+)?(?:why|how come|how so|why (?:is|are|was) (?:that|this|it)(?: so)?|why not|what for)[?.!\s]*$", re.IGNORECASE)
_SIMPLER = re.compile(
    r"^(?:(?:can|could|please|would)\s.{0,12})?(?:explain|say|put|tell|make)?\s*(?:it|that|this|me)?\s*"
    r"(?:again|simpler|more simply|simply|shorter|in simple(?:r)? (?:words|terms)|in plain (?:words|english)|like (?:i'?m|i am) (?:five|5)|to (?:a|my) \w+|eli5)[\s\S]{0,12}$"
    r"|^(?:i (?:still )?(?:don'?t|do not) (?:get|understand)(?: it| that| this)?|simpler(?: please)?|eli5|huh|what do you mean)[?.!\s]*$",
    re.IGNORECASE,
)
_MORE = re.compile(r"^(?:(?:can you |please )?(?:tell me |explain |give me |say )?(?:a bit |some )?more(?: details?| about (?:it|that|this))?|go on|continue|elaborate|details?|more please)[?.!\s]*$", re.IGNORECASE)
_EXAMPLE = re.compile(r"^(?:(?:can|could) you |please )?(?:give|show|got|have|any|an?|some|for|with|do you have|tell)?\s*(?:me |us )?(?:an? |any |some |one )?(?:concrete |simple |real |short |worked )?(?:example|examples|instance)(?: please)?(?: of (?:it|that|this|both|each))?[?.!\s]*$", re.IGNORECASE)
_COMPARATIVE = re.compile(
    r"\bwhich\b|\bwhat(?:'s| is) (?:the )?(?:better|best|faster|fastest|cheaper|cheapest|difference|smaller|easier|safer)\b|"
    r"\b(?:faster|cheaper|better|worse|smaller|bigger|easier|harder|slower|safer|simpler|more accurate|more expensive|best)\b",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"^(?:how (?:much|many|fast|long|big|large|hard|expensive|slow|often)|how\b|when\b|where\b|what does|what are the|what is the|what'?s the|does|do|is|are|can|will|should|any)\b"
    r".{0,60}\b(?:memory|speed|cost|costs|quality|accuracy|size|data|time|compute|risk|risks|downside|downsides|drawback|drawbacks|disadvantages?|advantages?|pros|cons|"
    r"limits?|limitations?|trade-?offs?|combine|combined|together|work|works|use|used|slower|expensive|catch|benefits?|difference|point|matter|training|hardware|retrain\w*|name|alternatives?)\b",
    re.IGNORECASE,
)
_TERSE = re.compile(
    r"^(?:the )?(?:memory|speed|costs?|quality|accuracy|size|pros and cons|pros|cons|drawbacks?|downsides?|disadvantages?|advantages?|limits?|limitations?|trade-?offs?|difference|differences|use cases?|when|how|numbers?)[?.!\s]*$",
    re.IGNORECASE,
)


def make_standalone(question: str, history: Sequence[Exchange], knowledge: Knowledge, mentions: Mentions) -> Standalone:
    """The question with what it leans on filled in; at most the last six turns are looked at."""
    topic: Topic | None = None
    for exchange in history[-_TURNS:]:
        step = _resolve(exchange.user, topic, knowledge, mentions)
        topic = step.topic or _topic(step.query, exchange.tutor, knowledge, mentions) or topic
    return _resolve(question, topic, knowledge, mentions)


def _resolve(question: str, topic: Topic | None, knowledge: Knowledge, mentions: Mentions) -> Standalone:
    question = " ".join(question.split())
    rewritten = _rewrite(question, topic, mentions) if topic else None
    query = rewritten or question
    return Standalone(query, rewritten is not None, _topic(query, "", knowledge, mentions))


def _rewrite(question: str, topic: Topic, mentions: Mentions) -> str | None:
    """The standalone form, or None if the question stands by itself."""
    named = mentions.sides(question)
    bare = _LEAD.sub("", question).strip()
    led = bare != question
    everything = topic.sides if len(topic.sides) > 1 else tuple(side.id for side in topic.concept.sides)
    if not named:
        if _WHY.match(question):
            return f"Why: {_lower(topic.query).rstrip('?.! ')}?"
        if _SIMPLER.match(bare):
            return f"Explain {topic.named(joint=' and ')} like I'm five."
        if _MORE.match(bare):
            return f"Tell me more about {topic.named(joint=' and ')}: how does it work?"
        if _EXAMPLE.match(bare):
            return f"Give me an example of {topic.named(joint=' and ')}."
    if _OTHER.search(bare) and not named:
        rest = [side.id for side in topic.concept.sides if side.id not in topic.sides] or list(topic.sides[1:])
        if rest and _is_only(bare, _OTHER):
            return _substitute(topic, rest, mentions)
        return _OTHER.sub(topic.named(rest), bare, count=1)
    for pattern, position in _ORDINAL:
        if pattern.search(bare) and not named and -1 <= position < len(topic.concept.sides):
            side = topic.concept.sides[position]
            return _substitute(topic, [side.id], mentions) if _is_only(bare, pattern) else pattern.sub(side.name, bare, count=1)
    about = _ABOUT.match(question)
    if about and named and len(about["rest"].split()) <= 6:
        return _substitute(topic, named, mentions) if len(about["rest"].split()) <= 1 + len(named) * 3 else None
    if named:
        return None
    if _TERSE.match(bare) or (_COMPARATIVE.search(bare) and len(bare.split()) <= 9):
        return f"{_upper(topic.named(everything))}: {_lower(bare).rstrip('?.! ')}?"
    pronoun = None if _POINTLESS_IT.search(bare) else _PRONOUN.search(bare)
    if pronoun and len(bare.split()) <= 14:
        if len(topic.sides) == 1 and pronoun.group().lower() in ("it", "its", "they", "them", "this", "that"):
            name = topic.named()
            possessive = pronoun.group().lower() == "its"
            return f"{bare[: pronoun.start()]}{name}{chr(39) + 's' if possessive else ''}{bare[pronoun.end() :]}"
        return f"{_upper(topic.named(joint=' and '))}: {_lower(bare).rstrip('?.! ')}?"
    if len(bare.split()) <= 8 and (_BARE.match(bare) or led):
        return f"{_upper(topic.named())}: {_lower(bare).rstrip('?.! ')}?"
    return None


def _substitute(topic: Topic, sides: Sequence[str], mentions: Mentions) -> str:
    """The last question asked of other sides: "What is pruning?" and "quantization" give "What is quantization?"."""
    names = " and ".join(side.name for side in topic.concept.sides if side.id in sides) or " and ".join(sides)
    found = mentions.find(topic.query)
    spans = [m for m in found if any(concept == topic.concept.id for concept, _ in m.sides)]
    if len(spans) == 1:
        start = spans[0].start
        return topic.query[:start] + names + topic.query[start + len(spans[0].words) :]
    return f"What is {names}?"


def _topic(query: str, answer: str, knowledge: Knowledge, mentions: Mentions) -> Topic | None:
    """The set that the query names most, the answer deciding ties and standing in where the query names none."""
    votes: Counter[str] = Counter()
    sides: dict[str, list[str]] = {}
    for text, weight in ((query, 10), (answer, 1)):
        for mention in mentions.find(text):
            for concept, side in mention.sides:
                votes[concept] += weight
                sides.setdefault(concept, [])
                if side not in sides[concept]:
                    sides[concept].append(side)
        if votes:
            break
    if not votes:
        return None
    best = max(votes, key=lambda concept: (len(sides[concept]), votes[concept]))
    return Topic(knowledge.by_id[best], tuple(sides[best]), query)


def _is_only(text: str, pattern: re.Pattern[str]) -> bool:
    rest = pattern.sub("", text, count=1)
    return not re.sub(r"\b(?:what|how|about|is|and|then|for|with)\b|[^a-z]", "", rest.lower())


def _lower(text: str) -> str:
    """First letter lower, unless the word is an acronym."""
    return text if len(text) > 1 and text[1].isupper() else text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
