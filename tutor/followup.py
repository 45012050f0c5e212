"""Elliptical follow-ups made standalone: by rule, from the concepts in play, for the learner to see, and as a vector for the search.

A question is rewritten only when it leans on what came before: it is only "why?" or a name, or context/leaning.py says so by what the notes hold for it with and
without the topic. The words of anything that can be searched as it stands are left alone. What a question means behind an exchange, rewritten or not, is read off both by an encoder
(knowledge/dialogue.py). No model writes; the same history gives the same rewrite, so earlier turns are replayed instead of remembered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.dialogue import in_context, in_dialogue
from knowledge.mentions import Mentions
from knowledge.search import Search
from tutor.context.leaning import LEAD, PRONOUN, load_leaning
from tutor.context.ordinals import by_name, pointed_at
from tutor.context.topic import Topic, named_topic, told_in
from tutor.events import TURNS, Exchange
from tutor.verdict.polarity import claim_of


@dataclass(frozen=True)
class Standalone:
    """A question that needs no history, and whether it had to be rewritten for that; `topic` is what it names, else what was talked of; `said` is what the last answer told already.

    `respelt` says whether misspelt words were put right. Behind an exchange, `vector` is what the encoder of dialogues makes of the question behind what was
    asked and answered before it, and `context` is the text of both for the classifier: both learned to leave a question of its own as it is.
    """

    query: str
    rewritten: bool
    topic: Topic | None
    said: frozenset[tuple[str, int]] = frozenset()
    respelt: bool = False
    vector: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    context: str = field(default="", compare=False, repr=False)

    @property
    def reader_context(self) -> str:
        """The `context` that readers of Yes and No get: they learned from follow-ups only."""
        return self.context if self.rewritten else ""

    @property
    def concept(self) -> str | None:
        """The set that a rewritten question is asked about."""
        return self.topic.concept.id if self.rewritten and self.topic else None


_ABOUT = re.compile(
    r"^(?:(?:what|how)\s*(?:'s|is)?\s*about|what of|(?:and )?how (?:is (?:it|that|this)|are things|does (?:it|that|this) look) (?:with|for|in)|and for|for|with|same for|and)\s+"
    # "and is DPO on-policy?" and "and DPO, is that on-policy?" are questions of their own.
    r"(?P<rest>(?!(?:.*[,;:-]\s+)?(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|what|how|why)\b"
    r"(?! (?:(?:it|that|this|they|you|so|too|as well|also|know|say|think) ?)*\W*$)).+?)[?.!\s]*$",
    re.IGNORECASE,
)
_BARE_NAME = re.compile(
    r"^(?:and|or|but|so|also|then|the|a|an|for|with|about|of|in|too|well|as|one|now|ok)$", re.IGNORECASE
)
_OTHER = re.compile(
    r"\b(?:the|that)\s+(?:other|opposite)\b(?:\s+(?:one|ones|side|sides|method|approach|way|two|trick|kind|type|technique|option|model|sort|half|family|camp|version|route|group|thing))?",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"^(?:and |so |but |ok(?:ay)? )*(?:then|next|after (?:that|this)|what (?:comes |happens |is )?(?:next|then|after(?: that| this)?))[?.!\s]*$",
    re.IGNORECASE,
)
_WHY = re.compile(
    r"^(?:but\s+|and\s+|so\s+)?(?:why|how come|how so|why(?:'?s| is| are| was) (?:that|this|it)(?: so| necessary| needed| the case| important| true)?|why (?:so|not|though|exactly)|what for|(?:for )?what reason)[?.!\s]*$",
    re.IGNORECASE,
)
_SIMPLER = re.compile(
    r"^(?:(?:can|could|please|would)\s.{0,12})?(?:explain|say|put|tell|make)?\s*(?:it|that|this|me)?\s*"
    r"(?:again|simpler|more simply|simply|shorter|in simple(?:r)? (?:words|terms)|in plain (?:words|english)|like (?:i'?m|i am) (?:five|5)|to (?:a|my) \w+|eli5)[\s\S]{0,12}$"
    r"|^(?:i (?:still )?(?:don'?t|do not) (?:get|understand)(?: it| that| this)?|simpler(?: please)?|eli5|huh|what do you mean)[?.!\s]*$",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"^(?:(?:can you |please )?(?:tell me |explain |give me |say )?(?:a bit |some )?more(?: details?| about (?:it|that|this))?|go on|continue|elaborate|details?|more please)[?.!\s]*$",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"^(?:(?:can|could) you |please )?(?:give|show|got|have|any|an?|some|for|with|do you have|tell)?\s*(?:me |us )?(?:an? |any |some |one )?(?:concrete |simple |real |short |worked )?(?:example|examples|instance)(?: please)?(?: of (?:it|that|this|both|each))?[?.!\s]*$",
    re.IGNORECASE,
)
_COMPARATIVE = re.compile(
    r"\bwhich\b|\bwhat(?:'s| is) (?:the )?(?:better|best|faster|fastest|cheaper|cheapest|difference|smaller|easier|safer)\b|"
    r"\b(?:faster|cheaper|better|worse|smaller|bigger|easier|harder|slower|safer|simpler|more accurate|more expensive|best)\b",
    re.IGNORECASE,
)
_TERSE = re.compile(
    r"^(?:the )?(?:memory|speed|costs?|quality|accuracy|size|pros and cons|pros|cons|drawbacks?|downsides?|disadvantages?|advantages?|limits?|limitations?|trade-?offs?|difference|differences|use cases?|when|how|numbers?)[?.!\s]*$",
    re.IGNORECASE,
)


def make_standalone(question: str, history: Sequence[Exchange], search: Search) -> Standalone:
    """The question with what it leans on filled in; at most the last six turns are looked at."""
    answered, before = history[-1].tutor if history else "", topic_of(history, search)
    found = _resolve(question, before, answered, search)
    said = told_in(answered, search.knowledge) if found.rewritten else found.said
    return replace(found, topic=found.topic or before, said=said)


def topic_of(history: Sequence[Exchange], search: Search) -> Topic | None:
    """What was talked of last."""
    topic, answered = None, ""
    for exchange in history[-TURNS:]:
        step = _resolve(exchange.user, topic, answered, search)
        answered = exchange.tutor
        topic = named_topic(step.query, answered, topic, search.knowledge, search.mentions) or topic
    return topic


def _resolve(question: str, topic: Topic | None, answered: str, search: Search) -> Standalone:
    typed = " ".join(question.split())
    question, rewritten, vector, context = search.spelling.mended(typed), None, None, ""
    if topic:
        order = topic.in_order(answered, search.mentions)
        meant = by_name(question, [topic.named([side]) for side in order])
        vector = read_in_dialogue(meant, topic, answered, search)
        rewritten = _ellipsis(question, topic, search.mentions)
        if rewritten is None and LEAD.sub("", question).strip():
            filled_in = fill_in(question, topic, search.mentions, order)
            leans = load_leaning().leans(question, filled_in, topic.concept.id, search, vector)
            rewritten = filled_in if leans else None
        context = in_context(claim_of(meant), topic.query, answered)
    query = rewritten or question
    topic = named_topic(query, "", topic, search.knowledge, search.mentions)
    return Standalone(
        query,
        rewritten is not None,
        topic,
        respelt=question != typed,
        vector=vector,
        context=context,
    )


def read_in_dialogue(question: str, topic: Topic, answered: str, search: Search) -> NDArray[np.float32] | None:
    """What the encoder of dialogues makes of a question behind the last one, asked in full, and its answer; None if the search has none."""
    return search.dialogue.embed([in_dialogue(question, topic.query, answered)])[0] if search.dialogue else None


def _ellipsis(question: str, topic: Topic, mentions: Mentions) -> str | None:
    """The standalone form of a question that is none by itself: "why?", "an example?", "and quantization?"; None of any other."""
    named = mentions.sides(question)
    bare = LEAD.sub("", question).strip()
    if _NEXT.match(question):
        return f"What comes after {topic.named()}?"
    if not named:
        if _WHY.match(question):
            return f"Why: {_lower(topic.query).rstrip('?.! ')}?"
        if _SIMPLER.match(bare):
            return f"Explain {topic.named(joint=' and ')} like I'm five."
        if _MORE.match(bare):
            return f"Tell me more about {topic.named(joint=' and ')}: how does it work?"
        if _EXAMPLE.match(bare):
            return f"Give me an example of {topic.named(joint=' and ')}."
    if _only_names(bare, mentions):
        first = mentions.find(bare)[0]
        return _substitute(topic, named, bare[first.start : first.start + len(first.words)], mentions)
    about = _ABOUT.match(question) or _ABOUT.match(bare)
    if about and named and len(about["rest"].split()) <= 1 + len(named) * 3:
        return _substitute(topic, named, about["rest"], mentions)
    return None


def fill_in(question: str, topic: Topic, mentions: Mentions, order: Sequence[str] = ()) -> str:
    """The question with the sides that it means before it: "the other one" is another than those last named, a comparison one of all.

    "The second" is that of the `order`, if there is one.
    """
    bare = LEAD.sub("", question).strip()
    everything = topic.compared
    if _OTHER.search(bare):
        rest = [side.id for side in topic.concept.sides if side.id not in topic.sides] or list(topic.sides[1:])
        if 0 < len(rest) <= 2:
            return _pointed(topic, rest, bare, _OTHER, mentions)
    places = order or everything
    pointed = pointed_at(bare, len(places))
    if len(pointed) == 1:
        return _pointed(topic, [places[pointed[0][1]]], bare, pointed[0][0], mentions)
    if pointed:
        return _upper(by_name(bare, [topic.named([side]) for side in places]))
    if _TERSE.match(bare) or (_COMPARATIVE.search(bare) and len(bare.split()) <= 9):
        return _prefixed(topic.named(everything), bare)
    return _prefixed(topic.named(joint=" and " if PRONOUN.search(bare) else " or "), bare)


def _prefixed(names: str, question: str) -> str:
    """`Pruning or quantization: which is faster?` is grammatical whatever the question is."""
    return f"{_upper(names)}: {_lower(question).rstrip('?.! ')}?"


def _pointed(topic: Topic, sides: Sequence[str], bare: str, pattern: re.Pattern[str], mentions: Mentions) -> str:
    """A question about "the other one" or "the second", asked of the sides that this means."""
    if not re.sub(r"\b(?:what|how|about|is|and|then|for|with)\b|[^a-z]", "", pattern.sub("", bare, count=1).lower()):
        return _substitute(topic, sides, "", mentions)
    return _prefixed(
        topic.named(sides), re.sub(r"\bit(\W+)(does|is|can|will) it\b", r"\2 it", pattern.sub("it", bare, count=1))
    )


def _substitute(topic: Topic, sides: Sequence[str], words: str, mentions: Mentions) -> str:
    """The last question asked of other sides: "What is pruning?" and "quantization" give "What is quantization?"."""
    names = " and ".join(side.name for side in topic.concept.sides if side.id in sides) or words
    spans = [m for m in mentions.find(topic.query) if any(concept == topic.concept.id for concept, _ in m.sides)]
    if len({m.words for m in spans}) == 1:
        start = spans[0].start
        return _joined(topic.query[:start], names, topic.query[start + len(spans[0].words) :])
    return f"What is {names}?"


def _joined(before: str, name: str, after: str) -> str:
    """The name in its new place: "an" or "a" before it as it sounds, and no "models model"."""
    if article := re.search(r"\ban? $", before, re.IGNORECASE):
        spelled = len(name) > 1 and name[:2].isupper()
        vowel = name[:1] in "AEFHILMNORSX" if spelled else name[:1].lower() in "aeio"
        before = before[: article.start() + 1] + ("n " if vowel else " ")
    last = re.search(r"(\w+?)s?$", name)
    if last and re.match(rf" {last[1]}s?\b", after, re.IGNORECASE):
        name = name[: last.start()].rstrip()
    return before + name + after


def _only_names(question: str, mentions: Mentions) -> bool:
    """Whether the question is nothing but names: "distillation?", "the KV cache too?"."""
    rest = question
    found = mentions.find(question)
    for mention in reversed(found):
        rest = rest[: mention.start] + " " + rest[mention.start + len(mention.words) :]
    return (
        bool(found) and len(question.split()) <= 6 and all(_BARE_NAME.match(word) for word in re.findall(r"\w+", rest))
    )


def _lower(text: str) -> str:
    """First letter lower, unless the word is an acronym or "I"."""
    return text if len(text) > 1 and (text[1].isupper() or text[:2] in ("I ", "I'")) else text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
