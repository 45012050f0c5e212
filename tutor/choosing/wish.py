"""Does a question want a difference, or a picture from daily life, and nothing more, or what others get wrong?

By its words: what stands beside the names and the wish must be said of any question, or be a story around it. "How do LoRA and QLoRA differ in memory?" asks for
memory. Either may also be wanted by the meaning of the whole (tutor/choosing/unspoken.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from knowledge.search import Search
from knowledge.words import content_words
from tutor.choosing.unspoken import SURER, Wish, unspoken_wish
from tutor.requests.parts import without_topic
from tutor.requests.patterns import any_of, words_of
from tutor.verdict.polarity import by_rule, is_tagged

_PICTURE = any_of(
    r"\beli ?\d+\b|\b(?:like|as if|as though) (?:i'?m|i am|i was|i were|to)\b.*\b(?:five|six|seven|ten|\d+|child|kid|beginner)\b|\b(?:\w+|\d+)[- ](?:year|yr)s?[- ]olds?\b|\b(?:years?|yrs?) old\b|\bi'?m five\b"
    r"|\b(?:child(?:ren)?|kids?|toddlers?|kindergart\w+|(?<!i am )(?<!i am a )(?<!i'm a )(?<!i'm )beginners?|newbies?|dummies|grand(?:ma|pa|mother|father|parents?)|granny|mum|mom|laym[ae]n(?:'s)?|laypersons?)\b|\b(?:primary|elementary|grade) school\b",
    r"\b(?:analog(?:y|ies)|metaphors?|everyday (?:pictures?|comparisons?|terms|words|life))\b|\bbaby (?:words|talk|language)\b",
    r"\b(?:who|as if|as though)\b.{0,20}\bnever (?:seen|used|heard)\b|\bkn[eo]ws? nothing\b|\bknowing nothing\b",
)
_SIMPLY = re.compile(
    r",?\s*\b(?:in|using|with) (?:very |really |more )?(?:simpler?|simplest|plain|easy) (?:words|terms|english|language)\b",
    re.IGNORECASE,
)
_DIFFERS = re.compile(
    r"differ(?:s|ed|ing|ences?|entiates?)?|diffs?|distinguish(?:es)?|distinctions?|apart|vs|versus|compar(?:e|es|ed|ison)|contrast(?:s|ed)?|separates?|different(?:ly)?",
    re.IGNORECASE,
)
_DIFFERENCE = any_of(
    r"\bside by side\b|\b(?:the|a) line between\b|\bone from the other\b|\b(?:what|how)\b.*\bnot the same\b",
    rf"\b(?!different)(?:{_DIFFERS.pattern})\b",
    r"\b(?:what|what'?s|how|where)\b.*\bdifferent(?:ly)?\b",
)
_OTHERS = r"(?:people|learners?|students?|pupils?|beginners?|newcomers?|newbies|every(?:one|body)|most(?: of us)?|folks|many|journalists|reporters|editors|writers|readers|engineers|developers|devs|programmers|managers|bosses|teachers|professors|companies|teams|users|customers|colleagues)"
_ASKS_FOR = (
    r"^\W*(?:(?:so|and|but|ok(?:ay)?|well|also|now|please|thanks?|thank you|thx|great|cool|nice|hm+)\W+)*(?:(?:what|which|whats|where|any|are there|is there|do you know|name|list"
    r"|tell me|give me|show me|the|some|most|common|typical|popular|usual|frequent|classic)\b|(?=misconceptions?\b|myths\b))"
)
_ERRORS = r"(?:misconceptions?|misunderstandings?|myths|(?:common|popular|typical|frequent|usual|classic) (?:mistakes|errors|confusions?))"
# "Is it a common misconception that …?" asks about one, and "did larger models fall for popular errors?" about models.
_MISTAKEN = any_of(
    rf"{_ASKS_FOR}(?!.*\b(?:larger?|bigger|big|small(?:er)?|giants|tests?|tested|trial|size|makes?|made)\b)[^:.]*\b{_ERRORS}\b(?!\W*(?:that|check|i hear)\b)[^:.]*$",
    rf"{_ASKS_FOR}.*\bmistakes (?:do )?{_OTHERS} (?:\w+ )?make\b",
    rf"{_ASKS_FOR}[^:.?!]*\b{_OTHERS} (?:\w+ ){{0,3}}?(?:(?:gets?|go(?:es)?|got|believes?|thinks?) (?:\w+ ){{0,3}}?wrong(?:ly)?|wrongly (?:believe|think|assume)|misunderstand|misbelieve|trip up|stumble|slip up)\b",
)
# What may stand beside names and wish. Another word narrows the question if the notes know it, and then its best sentence is chosen.
_PLAIN = words_of(
    "a about actual actually again ai all always an and another any approach approaches ask asked asks said says told architectures are aren't arent as attention b basic basically be",
    "being between bit both btw but by can comes concept concepts confuse confused confusing could d decoding describe designs didn't didnt do does don't",
    "dont each either em even ever every everyone exactly explain explanation fit for from fully general get gets give got had has have he hello help her",
    "hey hi him his how how'd however i i'd i'm idea if in is isn't isnt it it's its just keep keeps kind kinds know language learning let let's lets",
    "letters like little llm llms lot m machine main make makes me mean means method methods mix mixing ml model models my n need needs no not now numbers",
    "of off ok okay on one ones or other others our out overall people phases please pls plz point prompting pruning quick quickly r re really right s same",
    "say saying set sets she should show side sides simple simply so some somebody someone something sort still struggle struggling stuff sum summarise",
    "summarize sure t technique techniques tell tells term terms than thanks that that's the their them then there these they thing things this those",
    "though three to together topic two type types u understand understands up us ve very wanna want wants was way ways we were what what's whats when",
    "where where's which who whole with words would yes you you'd your",
)
# And of somebody to whom it is to be told simply.
_LISTENER = words_of(
    "age class completely computer computers easy english enough everyday expert friend friendly gets heard imagine knew knowing knows life math new non",
    "nothing old person picture pictures plain pretend seen small smart speak speaking talking till total used year years you're young",
)
_NAME, _WISH = "\x00", "\x01"  # in the place of a name, and of what wishes for a picture
_NOUN = re.compile(
    rf"{_NAME}\s*(?:training|learning|phases?|steps?|models?|prompts?|prompting|pruning|methods?|approach(?:es)?|decoding|attention|layers?|tokens?|versions?|parts?|sampling)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"(.+?)([.?!;:…\n]+(?=\s|$)|,\s|\s[–—-]+\s|$)", re.DOTALL)
_NARROWS = re.compile(
    r"^\W*(?:(?:and|so|but|also|or)\s+)*(?:(when|if|for|given|suppose|assuming|during)|with|in|on|at|by|since|as|after|before)\b",
    re.IGNORECASE,
)
_BRIEFLY = re.compile(
    r"\b(?:short|brief(?:ly)?|(?:one|two|three|few|\d) (?:\w+ )?(?:lines?|sentences?|slides?|words?))\b", re.IGNORECASE
)
_NARROWLY = re.compile(
    rf"\bwhy\b|\bhow (?:much|many|long|fast|big)\b|\bwhich\b|^\W*(?:and )?on \w|{_BRIEFLY.pattern}", re.IGNORECASE
)
_RESPECT = re.compile(
    rf"(?:{_DIFFERS.pattern})\b.*?\b(?:in|on|when|if|for|about|regarding|concerning|at|with)\b(.*)", re.IGNORECASE
)
_ASKS = re.compile(
    r"^\W*(?:(?:and|so|but|also|or)\s+)*(?:what|how|why|which|who|where|when|is|are|do|does|did|can|could|will|would|should)\b",
    re.IGNORECASE,
)


def wish_of(query: str, search: Search) -> Wish | None:
    """The kind of note that the question wants to hear, if its words want nothing else, or its meaning as a whole tells."""
    if _MISTAKEN.search(without_topic(query)):
        return "misconception"
    rest = without_wish(query)
    known: set[str] = set()
    for mention in reversed(search.mentions.find(rest)):
        rest = f"{rest[: mention.start]}{_NAME}{rest[mention.start + len(mention.words) :]}"
        known.update(*(search.knowledge.spoken[concept] for concept, _ in mention.sides))
    clauses = [(words, end) for words, end in _CLAUSE.findall(_NOUN.sub(_NAME, rest)) if words.strip()]
    picture = any(_WISH in words for words, _ in clauses)
    wishes = picture or any(_DIFFERENCE.search(words) for words, _ in clauses)
    if wishes and not any(_is_narrower(words, end, picture, known) for words, end in clauses):
        # "Explain to my father, a retired baker, how A differs from B" asks for the difference, in a baker's words.
        picture = picture or unspoken_wish(query, search.mentions, search.embedder, SURER) == "analogy"
        # "So pruning is kind of useless compared to quantization, right?" wants to hear whether.
        return "analogy" if picture else None if is_tagged(query) else "contrast"
    wish = unspoken_wish(query, search.mentions, search.embedder)
    return None if wish == "contrast" and by_rule(query) else wish


def _is_narrower(clause: str, end: str, picture: bool, known: Set[str]) -> bool:
    """Whether a part of the question asks for something else, or under which circumstance; a story may stand beside the wish.

    A word of the wish itself narrows it if the notes about these concepts know it: they have nothing to say of a vendor or an exam.
    """
    wishes = _WISH in clause if picture else _DIFFERENCE.search(clause) is not None
    plain = _PLAIN | _LISTENER if picture else _PLAIN
    words = [word for word in re.findall(r"[a-z']+", clause.lower()) if not _DIFFERS.fullmatch(word)]
    others = [word for word in words if word not in plain]
    if wishes:
        if not picture and (("there" in words and "is" not in words) or _in_a_respect(clause)):
            return True
        return _NARROWLY.search(clause) is not None or _knows(others, known)
    if not others:
        return False
    circumstance = _NARROWS.search(clause)
    if circumstance and not re.search(r"[.!?]", end) and (circumstance[1] or _knows(others, known)):
        return True
    return "?" in end or _BRIEFLY.search(clause) is not None or _ASKS.search(clause) is not None


def _knows(words: Sequence[str], known: Set[str]) -> bool:
    return any(known & {*content_words(word)} for word in words)


def _in_a_respect(clause: str) -> bool:
    """ "How do they differ in what I have to store?": what stands behind the wish and a preposition is what the question is about."""
    behind = _RESPECT.search(clause)
    return behind is not None and any(word not in _PLAIN for word in re.findall(r"[a-z']+", behind[1].lower()))


def without_wish(query: str) -> str:
    """The question without the words that wish for a picture or for simple words, which may look like names ("in simple words")."""
    return _PICTURE.sub(_WISH, _SIMPLY.sub("", query))
