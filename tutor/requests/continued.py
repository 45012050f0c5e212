"""The last experiment with other parameters: "now with 2 bits", "and 90 percent?", "half as many", "again"; or what was refused, with one that can be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from demos.base import Demo, Value
from demos.levels import Levels
from demos.quotes import QUOTED
from tutor.events import DemoCall
from tutor.requests import patterns
from tutor.requests.manner import Judged
from tutor.requests.naming import is_wished, named_in, ordering_of
from tutor.requests.relative import bare_value, default_value, scaled_value
from tutor.requests.spoken import spoken_values, tells_a_value, value_of, without_quotes, without_values

# How many words a request may have.
_LONGEST_CHANGE = 24  # that takes up what ran last: "now the same with 2 bits"
_LONGEST_DOUBTFUL = 16  # whose meaning is rather a question's
_LONGEST_VALUE = 9  # that has no subject: "only the attention layers"
LONGEST_NAMED = (
    12  # that names experiment and value beside its courtesy: "hardware measurement with fp32 and 24 rows please"
)
LONGEST_BARE = 5  # that may as well ask or state something, and so is hardly more than a value: "2 bits, then"
_LONGEST_SUPPOSED = 12  # that supposes a mere number: "and if you go all the way down to 2?"
_LONGEST_ABOUT = 7  # that asks about a mere number: "how about 2?"
_LONGEST_LEAD = 6  # in the courtesies before it: "Most kind of you."
_ANOTHER_MODEL = re.compile(
    r"\b(?:llama|gpt|chatgpt|mistral|mixtral|qwen|gemma|deepseek|claude|falcon|bert)\b|\b\d+(?:\.\d+)? ?b(?:illion)?\b(?! ?(?:bits?|tokens))",
    re.IGNORECASE,
)
NOT_SO = "I can run that, but not so: "
"""What the tutor says before what is wrong with a setting."""
UNLIKELY = 0.3  # the probability of a wish for a run below which a sentence that states something is none


def continued(text: str, calls: Sequence[DemoCall], demos: Sequence[Demo], judged: Judged) -> DemoCall | None:
    """The last experiment with other parameters: "now with 2 bits", "and 90 percent?", "again".

    A parameter of another experiment names that one: after "prune 70%", "now with 2 bits" quantizes.
    """
    by_name, last = {demo.name: demo for demo in demos}, calls[-1]
    demo = by_name[last.name]
    others = [other for other in demos if other is not demo]
    text = _request_of(text, demo)
    command = patterns.LEAD.sub("", text)
    if ordering_of(command, others) is not None:
        return None
    live = is_wished(text, judged) or patterns.LIVE.search(text) is not None
    supposes = patterns.SUPPOSES.match(text)
    about = supposes or patterns.ABOUT.match(text)
    if _ANOTHER_MODEL.search(text) and not live:
        return None  # "And Llama 3.1 405B, how big is it at 4 bits?"
    asks = patterns.QUESTION.match(text) or patterns.ASKS_THEN.search(text) or patterns.EXPLAINS.search(text)
    if asks and not about and not live:
        return None
    rest, length = patterns.AGAIN.sub("", text).strip(" ?!."), len(without_quotes(text).split())
    changes = (
        patterns.CHANGES.search(text) or (patterns.ORDER.match(text) and not judged.asked) or default_value(text, demo)
    )
    takes_up = bool(live or changes or rest != text.strip(" ?!."))
    short = length <= _longest(text, bool(live or about or changes), takes_up, judged)
    named = named_in(without_values(text, demo), others)
    if named is not None and patterns.SHOW.search(text):
        return None
    before = calls[-2].params if len(calls) > 1 and calls[-2].name == last.name else {}
    spoken = spoken_values(text, demo, loosely=bool(takes_up or about))
    given = default_value(text, demo) | spoken | scaled_value(text, demo, last.params, before)
    if given and short:
        return changed(text, given, demo, last)
    if not given and short:
        if named is not None:
            return _returned_to(text, named, calls)
        meant = _meant_by_value(text, others, calls)
        if meant is not None:
            return DemoCall(meant.name, meant.settings(spoken_values(text, meant)))
        if patterns.COUNTED.search(text) or patterns.POINTS_AT.search(text):
            return None
        longest = _LONGEST_SUPPOSED if supposes else _LONGEST_ABOUT if about else _LONGEST_DOUBTFUL if takes_up else 0
        if length <= max(longest, LONGEST_BARE) and (bare := bare_value(text, demo, last.params, before)):
            return changed(text, bare, demo, last)
    return last if not rest and patterns.REPEAT.search(text) else None


def _longest(text: str, wished: bool, takes_up: bool, judged: Judged) -> int:
    """How many words a request for other parameters may have; one that may as well be a question, or states something, has fewer."""
    unlikely = judged.manners.get("run", 0.0) < UNLIKELY
    if unlikely and not wished and patterns.STATES.search(text):
        return LONGEST_BARE  # "so 4 bits is enough for attention"
    doubtful = judged.asked or (unlikely and "?" in text)
    if wished or takes_up:
        return _LONGEST_DOUBTFUL if doubtful else _LONGEST_CHANGE
    bare = patterns.BARE.search(patterns.LEAD.sub("", text))
    return _LONGEST_VALUE if bare and not doubtful else LONGEST_BARE


def _request_of(text: str, demo: Demo) -> str:
    """The text less what leads up to a request and sets nothing: "Most kind of you. And without mid-training?"."""
    if re.search(QUOTED, text):
        return text
    sentences = re.split(r"(?<=[.!])\s+", text)
    # "31 %, close to my quarter. Now rank 32. I guess about 60 %": only one of them takes up what ran.
    taking = [said for said in sentences if patterns.AGAIN.match(said) and spoken_values(said, demo)]
    if len(sentences) > 1 and len(taking) == 1 and "?" not in text:
        return taking[0]
    told = [i for i, said in enumerate(sentences) if "?" in said or re.search(r"\d", said) or spoken_values(said, demo)]
    lead, rest = sentences[: (begin := min([*told, len(sentences) - 1]))], sentences[begin:]
    return " ".join(rest) if len(" ".join(lead).split()) <= _LONGEST_LEAD else text


def changed(text: str, given: Mapping[str, Value], demo: Demo, last: DemoCall) -> DemoCall:
    """The last run with what was said. Levels to compare, where nothing ran beside, begin anew: their first is the run's own. Raises DemoError for a value out of its range."""
    kept, given = dict(last.params), _beside(text, given, demo)
    levels = [param for param in demo.params if isinstance(param, Levels) and param.name in given]
    if "text" in given:
        kept.pop("beside", None)
    for param in levels if not patterns.BESIDE.search(text) else ():
        kept.pop(param.of.name if param.of is not None else "", None)
    return DemoCall(demo.name, demo.settings({**kept, **given}))


def _beside(text: str, given: Mapping[str, Value], demo: Demo) -> Mapping[str, Value]:
    """What was said; in "compare that with 8 bits" the value stands beside the last one instead of replacing it."""
    if "text" in given and any(param.name == "beside" for param in demo.params) and patterns.BESIDE.search(text):
        given = {"beside": given["text"]} | {name: value for name, value in given.items() if name != "text"}
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


def refused_before(text: str, said: str, demos: Sequence[Demo], calls: Sequence[DemoCall]) -> DemoCall | None:
    """What was to run with a value that cannot be, with the number that a few words name instead: "ok, then just 8"."""
    found = [(demo, param) for demo in demos for param in demo.params if f"{param.name} ({param.help}) is " in said]
    numbers = re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", text)
    if len(found) != 1 or len(numbers) != 1 or len(text.split()) > LONGEST_BARE or not said.startswith(NOT_SO):
        return None
    ((demo, param),) = found
    last = calls[-1].params if calls and calls[-1].name == demo.name else {}
    return DemoCall(demo.name, demo.settings({**last, param.name: value_of(numbers[0], param)}))
