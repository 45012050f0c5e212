"""What a learner wants: an answer, an experiment with its parameters, a quiz, a chat, or nothing that can be answered.

By rule, and by meaning where rules find nothing or leave open whether a run is wanted (manner.py): asking the language model would cost
seconds on two cores. History is replayed, so "now with 2 bits" knows which experiment ran last and with what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demos.base import Demo, Value
from demos.levels import Levels
from demos.quotes import QUOTED
from tutor import patterns
from tutor.errors import DemoError
from tutor.events import DemoCall, Exchange, Intent
from tutor.manner import Judge, Judged, Manners, unjudged
from tutor.spoken import (
    bare_value,
    mended,
    quotes_a_text,
    scaled_value,
    spoken_values,
    tells_a_value,
    without_quotes,
    without_values,
)

LONGEST_QUESTION = 2_000  # characters
_TURNS = 6  # of the history, which are replayed
_LONGEST_CHANGE = 16  # words of a request that takes up what ran last: "now the same with 2 bits"
_LONGEST_VALUE = 5  # words of one that does not say so: "only the attention layers"


@dataclass(frozen=True)
class Routed:
    """`reason` says which reply fits: a kind of small talk, or why a question is refused."""

    intent: Intent
    reason: str = ""
    demo: DemoCall | None = None


def route(
    question: str,
    history: Sequence[Exchange],
    demos: Sequence[Demo],
    concept: str | None = None,
    judge: Judge = unjudged,
) -> Routed:
    """Decide what the question asks for. `concept` is the set in play, which "show me live" refers to.

    Patterns of words speak first; where they find nothing, `judge` does, and it weighs whether a run or words are wanted.

    Raises DemoError when an experiment is clearly meant and a parameter is out of its range.
    """
    text = question.replace("\x00", "").strip()
    if len(text) > LONGEST_QUESTION:
        return Routed("refuse", "long")
    wordless = not re.search(r"[^\W\d_]", text)
    if wordless and not _calls(history, demos, concept, judge):
        return Routed("refuse", "empty")
    if patterns.INJECTION.search(text):
        return Routed("refuse", "injection")
    for kind, pattern in patterns.SMALLTALK:
        if text and pattern.search(text):
            return Routed("smalltalk", kind)
    judged = judge(text)
    about_quizzes = patterns.QUIZ_TOPIC.search(text) or (judged.asked and patterns.QUESTION.match(text))
    if patterns.QUIZ.search(text) and not about_quizzes and len(text.split()) <= 16:
        return Routed("quiz")
    call = _call(mended(text, demos), history, demos, concept, judged, judge)
    if call is not None:
        return Routed("demo", demo=call)
    return Routed("refuse", "empty") if wordless else _by_manner(judged.aside)


def _by_manner(manner: Manners | None) -> Routed:
    match manner:
        case None:
            return Routed("ask")
        case "quiz":
            return Routed("quiz")
        case "injection" | "empty":
            return Routed("refuse", manner)
        case _:
            return Routed("smalltalk", manner)


def last_question(
    history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None = None, judge: Judge = unjudged
) -> str:
    """The learner's latest turn that asked for an answer, each turn routed with what came before it; or empty."""
    for i in range(len(history) - 1, -1, -1):
        try:
            asked = route(history[i].user, history[:i], demos, concept, judge).intent == "ask"
        except DemoError:
            continue
        if asked:
            return history[i].user
    return ""


def _call(
    text: str, history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None, judged: Judged, judge: Judge
) -> DemoCall | None:
    if patterns.WORDS.search(text):
        return None
    calls = _calls(history, demos, concept, judge)
    if calls and (call := _continued(text, calls, demos, judged)):
        return call
    if history and patterns.SAME_TEXT.search(text) and (quoted := re.search(QUOTED, history[-1].user)):
        text = f"{text} {quoted.group()}"
    demo = _requested(text, history, demos, concept, judged)
    return DemoCall(demo.name, demo.settings(spoken_values(text, demo))) if demo is not None else None


def _requested(
    text: str, history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None, judged: Judged
) -> Demo | None:
    """The experiment that the words ask for, if they ask for one, or that is meant where a run is wished whatever the words."""
    command = patterns.LEAD.sub("", text)
    spoken = [demo for demo in demos if tells_a_value(text, demo)]
    asks = bool(patterns.QUESTION.match(text) or patterns.CHOICE.search(text) or patterns.ASKS_THEN.search(text))
    wished = judged.wished and not patterns.QUESTION.match(text)
    live = wished or bool(patterns.LIVE.search(text) or (patterns.COMMAND.match(command) and not asks))
    live = live or bool(spoken and patterns.MAY_SEE.search(text))
    ordering = next((demo for demo in demos if demo.verbs and re.match(demo.verbs, command, re.IGNORECASE)), None)
    if ordering is not None and patterns.COLON.search(command):
        return ordering  # "measure this computer: how fast is it?" asks for what the run tells
    if not live and (asks or patterns.EXPLAINS.search(text)):
        return None
    named = _named(text, demos)
    ordered = named in spoken and patterns.ORDER.match(command)
    if named is not None and "?" not in text and (ordered or quotes_a_text(text, named)):
        return named
    # "Can you run a mixture of experts on one GPU?" has the words of a request and the meaning of a question.
    if judged.asked and (
        not patterns.LIVE.search(text) or (patterns.QUESTION.match(text) and not patterns.SHOW.search(text))
    ):
        return None
    if ordering is not None:
        return ordering
    polite = patterns.PLEASE.search(text) and "?" not in text and len(text.split()) <= _LONGEST_VALUE and spoken
    if not (live or polite or patterns.SHOW.search(text) or patterns.SHOW.match(command)):
        return None
    if named is not None:
        return named
    if len(spoken) == 1:
        return spoken[0]
    pointed = _pointed_at(text, history, demos, concept)
    return pointed or next((demo for demo in demos if live and demo.name == judged.experiment), None)


def _named(text: str, demos: Sequence[Demo]) -> Demo | None:
    """The experiment that is named; the longest name counts: "few-shot prompts" over "prompts"."""
    lengths = {
        demo.name: max((len(match.group()) for match in re.finditer(_name_of(demo), text, re.IGNORECASE)), default=0)
        for demo in demos
    }
    best = max(lengths, key=lambda name: lengths[name], default="")
    return next((demo for demo in demos if demo.name == best and lengths[best]), None)


def _name_of(demo: Demo) -> str:
    """What learners call it, or its own name before "demo" or "experiment"."""
    own = rf"\b{demo.name.replace('_', '[-_ ]?')}s? (?:demo|experiment)\b"
    return f"{demo.words}|{own}" if demo.words else own


def _pointed_at(text: str, history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None) -> Demo | None:
    """The experiment of the set in play, for "show me live"; of several, the one that was spoken of last."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    if not patterns.POINTS.issuperset(words) or patterns.STARTS.isdisjoint(words):
        return None
    fitting = [demo for demo in demos if concept is None or concept in demo.concepts]
    for exchange in reversed(history[-_TURNS:]):
        named = _named(exchange.user, fitting)
        if named is not None:
            return named
    return fitting[0] if fitting and concept is not None else None


def _continued(text: str, calls: Sequence[DemoCall], demos: Sequence[Demo], judged: Judged) -> DemoCall | None:
    """The last experiment with other parameters: "now with 2 bits", "and 90 percent?", "again".

    A parameter of another experiment names that one: after "prune 70%", "now with 2 bits" quantizes.
    """
    by_name, last = {demo.name: demo for demo in demos}, calls[-1]
    demo = by_name[last.name]
    others = [other for other in demos if other is not demo]
    command = patterns.LEAD.sub("", text)
    if any(other.verbs and re.match(other.verbs, command, re.IGNORECASE) for other in others):
        return None
    live = (judged.wished and not patterns.QUESTION.match(text)) or patterns.LIVE.search(text) is not None
    about = patterns.ABOUT.match(text)
    asks = patterns.QUESTION.match(text) or patterns.ASKS_THEN.search(text) or patterns.EXPLAINS.search(text)
    if asks and not about and not live:
        return None
    rest = patterns.AGAIN.sub("", text).strip(" ?!.")
    change = live or about or rest != text.strip(" ?!.") or patterns.CHANGES.search(text)
    short = len(without_quotes(text).split()) <= (_LONGEST_CHANGE if change else _LONGEST_VALUE)
    named = _named(without_values(text, demo), others)
    if named is not None and patterns.SHOW.search(text):
        return None
    given = scaled_value(text, demo, last.params) | spoken_values(text, demo)
    if given and short:
        return DemoCall(demo.name, demo.settings({**last.params, **_beside(text, given, demo)}))
    if not given and short:
        if named is not None:
            return _returned_to(text, named, calls)
        meant = _meant_by_value(text, others, calls)
        if meant is not None:
            return DemoCall(meant.name, meant.settings(spoken_values(text, meant)))
        brief = not about or len(text.split()) <= _LONGEST_VALUE + 2
        if brief and (bare := bare_value(text, demo)):
            return DemoCall(demo.name, demo.settings({**last.params, **_beside(text, bare, demo)}))
    return last if not rest and patterns.REPEAT.search(text) else None


def _beside(text: str, given: Mapping[str, Value], demo: Demo) -> Mapping[str, Value]:
    """What was said; in "compare that with 8 bits" the value stands beside the last one instead of replacing it."""
    beside = next((p for p in demo.params if isinstance(p, Levels) and p.of is not None and p.of.name in given), None)
    if beside is None or beside.of is None or beside.name in given or not patterns.BESIDE.search(text):
        return given
    kept = {name: value for name, value in given.items() if name != beside.of.name}
    return {**kept, beside.name: given[beside.of.name]}


def _returned_to(text: str, demo: Demo, calls: Sequence[DemoCall]) -> DemoCall | None:
    """Another experiment with a value ("and 2-bit quantization?"), or one that ran before: "back to temperature, 0.3"."""
    before = next((call.params for call in reversed(calls) if call.name == demo.name), None)
    back = before is not None and patterns.BACK.search(text)
    given = spoken_values(text, demo) or (bare_value(text, demo) if back else {})
    if back and before is not None:
        return DemoCall(demo.name, demo.settings({**before, **given}))
    return DemoCall(demo.name, demo.settings(given)) if given else None


def _meant_by_value(text: str, others: Sequence[Demo], calls: Sequence[DemoCall]) -> Demo | None:
    """The experiment that alone has such a parameter, or, of several, the one that ran latest."""
    telling = {other.name: other for other in others if tells_a_value(text, other)}
    if len(telling) == 1:
        return next(iter(telling.values()))
    return next((telling[call.name] for call in reversed(calls) if call.name in telling), None)


def _calls(history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None, judge: Judge) -> list[DemoCall]:
    """The experiments of the last turns, in order: as they ran, or found by replaying the turns on the set in play."""
    calls: list[DemoCall] = []
    recent = history[-_TURNS:]
    for i, exchange in enumerate(recent):
        if exchange.run is not None and any(demo.name == exchange.run.name for demo in demos):
            calls.append(DemoCall(exchange.run.name, exchange.run.params))
            continue
        text, judged = mended(exchange.user.strip(), demos), judge(exchange.user.strip())
        if patterns.WORDS.search(text):
            continue
        try:
            call = _continued(text, calls, demos, judged) if calls else None
            if call is None:
                demo = _requested(text, recent[:i], demos, concept, judged)
                call = DemoCall(demo.name, demo.settings(spoken_values(text, demo))) if demo is not None else None
        except DemoError:
            continue
        calls += [call] if call is not None else []
    return calls
