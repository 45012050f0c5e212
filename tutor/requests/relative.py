"""A value that is said against the last run: "double it", "half as many users", "two bits fewer", a mere "and 8?"."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from demos.base import Demo, Param, Value
from demos.levels import Levels, several
from tutor.errors import DemoError
from tutor.requests.numerals import folded
from tutor.requests.spoken import rejected_spans, spoken_values, starts_within, told, value_of, without_values

# Does not follow a setting's number: how long an answer is to be, "3 sentences", how often, "3 times", or a size, "8 GB".
_UNCOUNTED = (
    r"(?! ?(?:(?!an?\b|per\b|each\b|every\b|this\b)[\w-]+ )?(?:sentences?|lines?|points?|bullets?|words?|paragraphs?|questions?|requests?|years?|"
    r"times|minutes?|seconds?|hours?|days?|[gmtk]i?b|gigabytes?|megabytes?|euros?|dollars?)\b)"
)
_LONE_NUMBER = re.compile(
    rf"(?<![\w.:])(?<!i am )(?<!i['’]m )(?<!aged )(?:\d+(?:\.\d+)?|\.\d+)(?!\w|[.:]\w){_UNCOUNTED}", re.IGNORECASE
)
# "8 or 4?" is a choice, "8 against 4" compares.
_AGAINST = re.compile(
    r"\b(?:against|vs|versus|besides?|compare|next to|alongside|along with|side by side)\b", re.IGNORECASE
)
# What comes out, beside what it grows by: "twelve more, so sixteen in all".
_TOTAL = re.compile(
    rf"\bso (\d+(?:\.\d+)?)\b(?!\W*\?|\.\d){_UNCOUNTED}|\b(\d+(?:\.\d+)?) (?:in all|in total|altogether)\b",
    re.IGNORECASE,
)
# "It" is what the last run was told: after "top-p 0.9", "lower it to 0.4" sets top-p.
_POINTED = re.compile(
    rf"\b(?:it|that|this) (?:(?:all the way|right|up|down|back) )*(?:to|at) (\d*\.?\d+)(?!\w|[.:]\w){_UNCOUNTED}",
    re.IGNORECASE,
)
# A number from one up to here is hardly a percentage: after "top-p 0.6", "and 1.2?" is a temperature.
_LEAST_PERCENT = 5
_LENGTHS = ("steps", "tokens", "rl-steps")  # settings that make a run "longer"
_DEFAULT = re.compile(
    r"\b(?:back|at|to|with|in|the usual) (?:to )?(?:(?:its|the|their|a) )?(?:\w+ )?(?:default|standard|usual|normal|original)\b(?! (?:of|for)\b)",
    re.IGNORECASE,
)
_NEAR = 20  # letters from that word within which the setting is named
_LONGER = re.compile(r"\b(?:longer|shorter)\b(?! than)", re.IGNORECASE)

_FACTORS = {"dou": 2.0, "twi": 2.0, "thr": 3.0, "tri": 3.0, "tre": 3.0, "qua": 4.0, "hal": 0.5}
_LINKS = r"(?: (?:the|that|this|it|them|those|these|of|as|many|much|long|large|big|high|low|number|amount|share|our|my|its|your)\b)*"
_TIMES = re.compile(
    rf"\b(?:(?P<word>doubl(?:ed?|ing)|twice|thrice|tripl(?:ed?|ing)|trebled?|quadrupled?|halv(?:ed?|ing)|half)|(?P<number>\d+) times)\b(?P<links>{_LINKS})",
    re.IGNORECASE,
)
_IN_HALF = re.compile(
    rf"\b(?:cut|slash|split|reduce|bring)\b{_LINKS}(?P<what>(?: \w+){{0,3}}?) (?:in|by|to|into) (?:half|2)\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?P<by>\d+(?:\.\d+)?|one) ?(?P<percent>%|percent)?(?: (?P<unit>\w+))? (?:(?P<more>more)|less|fewer)\b(?! (?:than|times?|runs?|go|round|things?|sentences?|lines?|points?|words?|questions?|requests?)\b)",
    re.IGNORECASE,
)
# "I understood half of that" says how much came across.
_TAKEN_IN = re.compile(
    r"\b(?:i|we|they)(?:['’]ve| have| had)?(?: \w+ly| just| about)* (?:underst\w+|read|heard|follow(?:ed)?|missed|forgot\w*|kn[eo]w|believed?|got)\b",
    re.IGNORECASE,
)
# "More steps, 90", "bigger groups: 64".
_TOWARDS = re.compile(
    r"\b(?:more|fewer|less|higher|lower|bigger|larger|smaller) (?P<what>\w+(?: \w+)?)[,:] ?(?:(?:say|so|to|like|maybe|perhaps|just|only) )*(?P<number>\d*\.?\d+)",
    re.IGNORECASE,
)
# What may stand behind where no setting is named: "too brutal, halve that please".
_POINTS = re.compile(
    r"^\W*(?:(?:please|pls|then|now|again|instead|this time|for me|would you|if you can)\W*)*(?:$|[,.;!?])",
    re.IGNORECASE,
)


def bare_value(
    text: str, demo: Demo, last: Mapping[str, Value] | None = None, before: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """A lone number, taken as the numeric setting that the `last` run changed against the one `before`, and else as the first; empty
    where the text has none or several."""
    first = next(iter(_numeric(demo)), None)
    if first is None:
        return {}
    beside = next((param for param in demo.params if isinstance(param, Levels) and param.of == first), None)
    if beside is not None and _AGAINST.search(text) and (listed := re.search(several(""), text)):
        return {beside.name: listed.group(1)}  # "rather 8 against 6"
    rejected = rejected_spans(text)
    numbers = [match.group() for match in _LONE_NUMBER.finditer(text) if not starts_within(match, rejected)]
    if not numbers and re.search(r"\b(?:only|just) one\b", text, re.IGNORECASE):
        numbers = ["1"]
    fitting = [param for param in _likely(text, demo, last or {}, before or {}) if param.percent or "%" not in text]
    if len(numbers) != 1 or not fitting:
        return {}
    taking = _taking(numbers[0], fitting, demo)
    return {taking.name: value_of(numbers[0], taking)}


def scaled_value(
    text: str, demo: Demo, last: Mapping[str, Value], before: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """A number that grows or shrinks against the last run's: "twice as many notes", "halve that", "two bits fewer"."""
    if not _numeric(demo):
        return {}
    towards = _TOWARDS.search(text)
    if towards and (param := _claimed(towards["what"], demo)):
        return {param.name: value_of(towards["number"], param)}
    rest = without_values(text, demo)
    if outright := _TOTAL.search(rest) or _POINTED.search(rest):
        number = next(group for group in outright.groups() if group)
        taking = _taking(number, _likely(text, demo, last, before or {}), demo)
        return {taking.name: value_of(number, taking)}
    if more := _MORE.search(text):
        return _stepped(text, more, demo, last, before or {})
    match = _IN_HALF.search(text) or _TIMES.search(text)
    if match is None or _TAKEN_IN.search(text[: match.start()]):
        return {}
    groups = match.groupdict()
    links, word, rest = (groups.get("links") or "").split(), folded(groups.get("word") or ""), text[match.end() :]
    if groups.get("number") and not links:  # "run it 3 times"
        return {}
    factor = float(groups.get("number") or _FACTORS[(word or "half")[:3]])
    if "long" in links or re.match(r"\W*length\b", rest):
        param = next((param for param in _numeric(demo) if param.name in _LENGTHS), None)
        if param is None:
            return {}
    else:
        param = _claimed(groups.get("what") or rest, demo) or (_claimed_before(text[: match.start()], demo))
    if param is None and _POINTS.match(rest) and not groups.get("what") and (links or word[:4] in ("doub", "halv", "")):
        param = _likely(text, demo, last, before or {})[0]
    if param is None or param.name in spoken_values(text, demo):  # "double the rank to 16" says what comes out
        return {}
    return _set(param, float(last[param.name]) * factor)


def default_value(text: str, demo: Demo) -> dict[str, Value]:
    """A setting that goes back to what it is by itself: "the rank back to its default", "at the standard length"."""
    if (default := _DEFAULT.search(text)) is None or starts_within(default, rejected_spans(text)):
        return {}
    own = [
        param for param in demo.params if not isinstance(param, Levels) and (param.choices or param in _numeric(demo))
    ]
    first = Counter(param.name.partition("-")[0] for param in own)
    near = text[max(0, default.start() - _NEAR) : default.end() + _NEAR]
    for param in own:
        whole, _, rest = param.name.partition("-")
        name = rf"{whole}[- ]{rest}" if rest else whole
        name += rf"|{whole}" if rest and first[whole] == 1 else ""
        if re.search(rf"\b(?:{name})\b", near, re.IGNORECASE):
            return {param.name: param.default}
    lengths = [param for param in own if param.name in _LENGTHS]
    return {lengths[0].name: lengths[0].default} if lengths and re.search(r"\blength\b", text, re.IGNORECASE) else {}


def _stepped(
    text: str, more: re.Match[str], demo: Demo, last: Mapping[str, Value], before: Mapping[str, Value]
) -> dict[str, Value]:
    """ "Two more experts", "one bit fewer", "20 percent more"."""
    by, rest = float(1 if more["by"].lower() == "one" else more["by"]), text[more.end() :]
    if more["percent"]:
        shares = [param for param in _numeric(demo) if param.percent]
        param, by = (shares[0] if len(shares) == 1 else None), by / 100
    else:
        param = _claimed(more["unit"] or rest, demo)
        if param is None and not more["unit"] and more["by"].lower() != "one" and _POINTS.match(rest):
            param = _likely(text, demo, last, before)[0]
        by = by / 100 if param is not None and param.percent and by > 1 else by  # "10 less" of 70 %
    return {} if param is None else _set(param, float(last[param.name]) + (by if more["more"] else -by))


def _set(param: Param, value: float) -> dict[str, Value]:
    """The setting; nothing where the number is so long that it means none."""
    return {param.name: type(param.default)(round(value, 6))} if math.isfinite(value) else {}


def _numeric(demo: Demo) -> list[Param]:
    return [param for param in demo.params if not isinstance(param.default, str)]


def _likely(text: str, demo: Demo, last: Mapping[str, Value], before: Mapping[str, Value]) -> list[Param]:
    """The numeric settings that a number without a name may mean, the likeliest first."""
    numeric = _numeric(demo)
    if _LONGER.search(text) and (lengths := [param for param in numeric if param.name in _LENGTHS]):
        return lengths[:1]
    changed = [param for param in numeric if last.get(param.name) not in (None, before.get(param.name, param.default))]
    return [*(changed if numeric[:1] != changed[:1] else []), *numeric[:1], *changed[1:]]


def _taking(number: str, params: Sequence[Param], demo: Demo) -> Param:
    """The first setting whose range holds the number; if none does, the experiment's first, which says so."""
    for param in params:
        if param.percent and 1 < float(number) < _LEAST_PERCENT:
            continue
        try:
            param.parse(value_of(number, param))
        except DemoError:
            continue
        return param
    return next(param for param in demo.params if param in params)


def _claimed(words: str, demo: Demo) -> Param | None:
    """The numeric setting that goes by the first of the words: learners say "12 users" of rows, and "rank 12"."""
    named = re.findall(r"[\w-]+", words)[:3]
    return _called((" ".join(named[:count]) for count in range(1, len(named) + 1)), demo)


def _claimed_before(words: str, demo: Demo) -> Param | None:
    """The same of words that stand before: "the rank doubled"."""
    named = re.findall(r"[\w-]+", words)[-2:]
    return _called((" ".join(named[i:]) for i in range(len(named))), demo)


def _called(names: Iterable[str], demo: Demo) -> Param | None:
    for name in names:
        probes = (f"12 {name}", f"{name} 12", f"12 {name}s")
        for param in _numeric(demo):
            patterns = [pattern for pattern in param.spoken if isinstance(pattern, str)]
            found = (re.search(pattern, probe, re.IGNORECASE) for pattern in patterns for probe in probes)
            if any(match is not None and match.group(told(match)) == "12" for match in found):
                return param
    return None
