"""What a learner wants: an answer, an experiment with its parameters, a quiz, a chat, or nothing that can be answered.

By rule: a model call for routing would cost seconds on two cores. History is replayed, so "now with 2 bits" knows which
experiment ran last and with what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from demos.base import Demo, Value
from tutor.errors import DemoError
from tutor.events import DemoCall, Exchange, Intent

LONGEST_QUESTION = 2_000  # characters

_SHOW = re.compile(
    r"\b(?:show (?:me|us)|let(?: me|'?s| us) (?:see|watch|try|run|do)|(?:can|could|may) (?:i|we|you) (?:see|watch|run|try|demo|show)|demo(?:nstrate)?\b|experiment\b|"
    r"live\b|try (?:it|out|this|that|with)\b|simulate|visuali[sz]e|measure|plot\b|test (?:it|this) out|do it\b|i (?:want|would like|'?d like) to (?:see|try|watch)|see it\b|start (?:the|an?)\b|"
    r"run (?:the|an?|it|this|that|some|again|quant\w*|prun\w*|few\w*|zero\w*|one\w*)\b)|^(?:please )?(?:compare|run|plot|measure|try)\b",
    re.IGNORECASE,
)
_LIVE = re.compile(
    r"\blive\b|\bdemo\b|\bexperiment\b|\bin action\b|\bfor real\b|\bon (?:a|the|this) (?:real )?model\b|^(?:please )?(?:run|simulate|measure)\b",
    re.IGNORECASE,
)
# These make "show me …" a request for words.
_EXPLAINS = re.compile(
    r"\b(?:difference|differences|explain|why|what (?:is|are|does)|meaning|definition|how (?:do|does|to|is|are|can|would|many|much)|what|example|examples|analogy|source|sources|passage|paper|"
    r"steps|list|summary|is it|does|should|where (?:do|can|should|would) i|my own|right\?|correct\?|\w+n't (?:it|they|that)\?)\b|(?:right|correct|n'?t (?:it|they|that|you))\s*\?\s*$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:what|why|how|when|which|who|where|is|are|does|do|did|can a|can an|can the|should|would|will|could a|has|have)\b",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"^(?:(?:and|now|ok(?:ay)?|again|then|also|please|so|but|what about|how about|try|same|repeat|run|do|redo|make|use|with|at|for|it|that|this|only|just|compare|instead|let'?s|show me|once more|one more time)\b[\s,]*)+",
    re.IGNORECASE,
)
_QUIZ = re.compile(
    r"\bquizz?(?:es)?\b|\btest (?:me|my)\b|\bask me (?:a |some |another )?(?:questions?|something)\b|\b(?:another|next) (?:quiz )?question\b|\bflash ?cards?\b|\bcheck my (?:knowledge|understanding)\b|\bexamine me\b",
    re.IGNORECASE,
)
_QUIZ_TOPIC = re.compile(r"\bquiz(?:zes)? (?:show|night|master|app|website)\b|\bwhat is a quiz\b", re.IGNORECASE)
_SMALLTALK: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "hello",
        re.compile(
            r"^(?:hi|hello|hey|hiya|good (?:morning|evening|afternoon|day)|greetings|howdy|yo)(?: there| tutor| everyone| all)?[^\w]*$",
            re.IGNORECASE,
        ),
    ),
    (
        "thanks",
        re.compile(
            r"^(?:(?:ok(?:ay)?|great|perfect|cool|nice|awesome|got it|super|wow|good|alright|makes sense)[\s,!.]*)*(?:thanks?(?: you)?(?: so much| a lot| very much)?|thx|ty|cheers)?(?: that (?:helped|helps|was helpful|makes sense))?[\s!.]*$",
            re.IGNORECASE,
        ),
    ),
    (
        "bye",
        re.compile(
            r"^(?:good)?(?:bye|night)(?: for now| bye)?[\s!.]*$|^(?:see you|cya|see ya)(?: later| soon| tomorrow)?[\s!.]*$",
            re.IGNORECASE,
        ),
    ),
    (
        "who",
        re.compile(
            r"\bwho (?:are|made|built|created) you\b|\bwhat are you\b|\bare you (?:an? )?(?:ai|bot|human|robot|real|chatgpt|person|gpt|llm)\b|\byour name\b|\bhow are you\b|\bwhat model (?:are|do) you\b|\bwhich model (?:are you|do you (?:use|run))\b",
            re.IGNORECASE,
        ),
    ),
    (
        "help",
        re.compile(
            r"^(?:help|help me|menu|start|topics?|what (?:can|do) you (?:do|know|teach|cover|help with)(?: .{0,20})?|(?:what|which) (?:topics|subjects|concepts|sets) (?:can|do|are|could|should|does)\b.{0,40}|what can i (?:ask|learn)(?: .{0,20})?|how do(?:es)? (?:you|this|i use) .{0,20}|list (?:the |all )?(?:topics|sets|concepts))[\s?!.]*$",
            re.IGNORECASE,
        ),
    ),
)
_INJECTION = re.compile(
    r"(?:^|[.!,:;>\n]\s*|\b(?:please|now|and|then|first|just|must|should|to)\s+)(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:instructions?|prompts?|rules?|previous|above|system|everything|guidelines)\b|"
    r"\b(?:system|developer) prompt\b|\byou are now\b|\bact as\b|\bpretend (?:to be|you)\b|\bjailbreak\b|\bDAN\b|\brepeat (?:the|your|everything) .{0,20}(?:above|prompt|instructions)\b|"
    r"\breveal\b.{0,30}\b(?:prompt|instructions|secret|key)\b|\b(?:api|secret) key\b.{0,20}\b(?:your|reveal|print)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Routed:
    """`reason` says which reply fits: a kind of small talk, or why a question is refused."""

    intent: Intent
    reason: str = ""
    demo: DemoCall | None = None


def route(question: str, history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None = None) -> Routed:
    """Decide what the question asks for. `concept` is the set in play, which "show me live" refers to.

    Raises DemoError when an experiment is clearly meant and a parameter is out of its range.
    """
    text = question.replace("\x00", "").strip()
    if len(text) > LONGEST_QUESTION:
        return Routed("refuse", "long")
    if not re.search(r"[^\W\d_]", text) and _last_call(history, demos, concept) is None:
        return Routed("refuse", "empty")
    if _INJECTION.search(text):
        return Routed("refuse", "injection")
    for kind, pattern in _SMALLTALK:
        if text and pattern.search(text):
            return Routed("smalltalk", kind)
    if _QUIZ.search(text) and not _QUIZ_TOPIC.search(text) and len(text.split()) <= 16:
        return Routed("quiz")
    call = _demo_call(text, history, demos, concept)
    if call is not None:
        return Routed("demo", demo=call)
    if not re.search(r"[^\W\d_]", text):
        return Routed("refuse", "empty")
    return Routed("ask")


def _demo_call(text: str, history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None) -> DemoCall | None:
    last = _last_call(history, demos, concept)
    if last is not None and (call := _continued(text, last, demos)):
        return call
    demo = _requested(text, demos, concept)
    if demo is None:
        return None
    return DemoCall(demo.name, demo.settings(_spoken(text, demo)))


def _requested(text: str, demos: Sequence[Demo], concept: str | None) -> Demo | None:
    """The experiment that the words ask for, if they ask for one."""
    explains = _EXPLAINS.search(text) and not _LIVE.search(text)
    command = re.sub(
        r"^(?:please|now|ok(?:ay)?|can you|could you|let'?s|go ahead and|i want to|try to|and)\b[\s,]*",
        "",
        text,
        flags=re.IGNORECASE,
    )
    if not explains and not _QUESTION.match(text):
        for demo in demos:
            if demo.verbs and re.match(demo.verbs, command, re.IGNORECASE):
                return demo
    if not _SHOW.search(text) or explains or (_QUESTION.match(text) and not _LIVE.search(text)):
        return None
    named = [demo for demo in demos if demo.words and re.search(demo.words, text, re.IGNORECASE)]
    if named:
        # The longest match names the experiment best: "few-shot prompts" over "prompts".
        return max(named, key=lambda demo: max(len(m.group()) for m in re.finditer(demo.words, text, re.IGNORECASE)))
    spoken = [demo for demo in demos if _spoken(text, demo)]
    if len(spoken) == 1:
        return spoken[0]
    pointing = re.match(
        r"^.{0,24}\b(?:live|it|that|this|demo|experiment|run|try)\b[\s!.?]*(?:live|please|now|in action)?[\s!.?]*$",
        text,
        re.IGNORECASE,
    )
    if concept and pointing:
        return next((demo for demo in demos if concept in demo.concepts), None)
    return None


def _continued(text: str, last: DemoCall, demos: Sequence[Demo]) -> DemoCall | None:
    """The last experiment with other parameters: "now with 2 bits", "and 90 percent?", "again"."""
    demo = next(demo for demo in demos if demo.name == last.name)
    if any(other.verbs and re.search(other.verbs, text, re.IGNORECASE) for other in demos if other is not demo):
        return None
    if _QUESTION.match(text) and not re.match(r"^(?:what|how) about\b", text, re.IGNORECASE):
        return None
    given = _spoken(text, demo)
    if not given:
        # "now with 2 bits" after pruning means quantize: only a number that fits no other experiment is this one's.
        others = [other for other in demos if other is not demo and _spoken(text, other)]
        if len(others) == 1:
            demo, last = others[0], DemoCall(others[0].name, {})
            given = _spoken(text, demo)
        else:
            given = _spoken(text, demo, bare=True)
    rest = _AGAIN.sub("", text).strip(" ?!.")
    if given and (rest != text.strip(" ?!.") or len(text.split()) <= 5) and len(text.split()) <= 12:
        return DemoCall(demo.name, demo.settings({**last.params, **given}))
    if not rest and re.search(r"\b(?:again|repeat|redo|once more|one more time)\b", text, re.IGNORECASE):
        return last
    return None


def _spoken(text: str, demo: Demo, bare: bool = False) -> dict[str, Value]:
    """Parameter values in the words. With `bare`, a lone number is the experiment's first numeric parameter."""
    found: dict[str, Value] = {}
    for param in demo.params:
        for spoken in param.spoken:
            pattern, value = spoken if isinstance(spoken, tuple) else (spoken, None)
            match = re.search(pattern, text, re.IGNORECASE)
            if match:
                found[param.name] = value if value is not None else _number(match.group(1), param.percent)
                break
    if not found and bare:
        numbers = re.findall(r"(?<![\w.:])\d+(?:\.\d+)?(?![\w.:]\w)", text)
        first = next((param for param in demo.params if not isinstance(param.default, str)), None)
        if len(numbers) == 1 and first is not None and (first.percent or "%" not in text):
            found[first.name] = _number(numbers[0], first.percent)
    return found


_NUMBER_WORDS = {
    word: n
    for n, word in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"])
}


def _number(text: str, percent: bool) -> Value:
    text = text.strip().lower()
    if text in _NUMBER_WORDS:
        text = str(_NUMBER_WORDS[text])
    if not percent:
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    return value / 100 if value > 1 else value


def _last_call(history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None) -> DemoCall | None:
    """The experiment of the latest turn that ran one, found by replaying the last six turns on the set in play."""
    last: DemoCall | None = None
    for exchange in history[-6:]:
        text = exchange.user.strip()
        try:
            call = _continued(text, last, demos) if last is not None else None
            if call is None:
                demo = _requested(text, demos, concept)
                call = DemoCall(demo.name, demo.settings(_spoken(text, demo))) if demo is not None else None
        except DemoError:
            continue
        last = call or last
    return last
