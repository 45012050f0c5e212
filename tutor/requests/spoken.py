"""An experiment's parameters from a learner's words, and the words themselves where they are misspelt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from demos.base import Demo, Param, Value
from demos.levels import Levels
from demos.quotes import QUOTATION_MARKS, QUOTED
from tutor.requests.numerals import in_digits
from tutor.requests.patterns import SPELLINGS, SWAPPED

_SHORTEST_TEXT = 3  # words: "No" is quoted to be asked about
_SHORT_SPELLING, _LONG_SPELLING = 6, 10  # letters from which one slip is mended, and two


# "Whole rows rather than single weights", "letters, not words": what stands behind is not meant. "Why not 2 bits?" proposes.
_REJECTED = re.compile(
    r"\b(?:instead of|rather than|in place of|as opposed to|(?<!why )(?<!or )not(?! (?:only|just|so|too|as|more|less|fewer|over|under|above|below)\b))\s+"
    r"((?:(?:with|in|on|at|to|by|for|of|the|a|an|using|having)\s+)*"
    r"(?:(?!(?:but|now|and|or|only|just|please|then|this|that|with|for|in|on|at|to|by|use|take|try|make|do)\b)(?:[\w%'’-]|[.:](?=\d))+\s*){1,3})",
    re.IGNORECASE,
)

_BARE_LIST = re.compile(r"(?<![\w.:,-])\d{1,2}(?: \d{1,2}){2,}(?![\w.:%-])")  # "I wanted 30 40 50 60"
_LAUGHS = re.compile(r" (?:lo+l|lmao|(?:ha){2,}h?)\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?![\d,]))")  # "1,000 tokens"
# "8 4 and 2 bits": numbers that only spaces part are listed.
_LISTED = re.compile(
    r"(?<![\w.:,-])\d{1,2}(?= (?:\d{1,2} ){0,4}(?:(?:and|or|&) )?\d{1,2} ?(?:-?bits?|percent|pct|%)(?![\w-]))",
    re.IGNORECASE,
)


def spoken_values(text: str, demo: Demo, loosely: bool = False) -> dict[str, Value]:
    """The values of the experiment's parameters in the text, by name; `loosely` where it is known that this experiment is meant."""
    values = {name: value for name, (value, _) in _found(text, demo, loosely).items()}
    for param in demo.params:
        for pattern, other, factor in param.relative if param.name not in values else ():
            if re.search(pattern, text, re.IGNORECASE):
                default = next(setting.default for setting in demo.params if setting.name == other)
                values[param.name] = type(param.default)(factor * float(values.get(other, default)))
    return values


def without_values(text: str, demo: Demo) -> str:
    """The text less the words that set the experiment's parameters."""
    kept = list(text)
    for _, (start, end) in _found(text, demo).values():
        kept[start:end] = " " * (end - start)
    return "".join(kept)


def without_quotes(text: str) -> str:
    """The text with each quotation as one word: a learner's own sentence does not make a request long."""
    return re.sub(QUOTED, "…", text)


def tells_a_value(text: str, demo: Demo) -> bool:
    """Whether a parameter is set by a word of its own ("2 bits") and not by a mere "at 2" or a mere quotation."""
    spans = [text[start:end] for _, (start, end) in _found(text, demo).values()]
    spans = [re.sub(r"\b(?:with|until|from|size)\b", "", span) for span in spans if span[0] not in QUOTATION_MARKS]
    return any(re.search(r"[^\W\d_]{3,}|%|:", span) for span in spans)


def quotes_a_text(text: str, demo: Demo) -> bool:
    """Whether a text that the experiment is to read stands in quotation marks."""
    free = {param.name for param in demo.params if _is_free(param)}
    return re.search(QUOTED, text) is not None and not free.isdisjoint(_found(text, demo))


def quoted_text(text: str) -> str:
    """A quotation that is long enough to be a text, with its marks; or empty."""
    return next((m.group() for m in re.finditer(QUOTED, text) if len(m.group().split()) >= _SHORTEST_TEXT), "")


def gives_a_text(text: str, demo: Demo) -> bool:
    """Whether it holds a text that the experiment is to read, in quotation marks or not."""
    return any(_is_free(param) for param in demo.params if param.name in _found(text, demo))


def mended(text: str, demos: Sequence[Demo]) -> str:
    """The text with misspelt words of the experiments put right and numbers in digits; a text that an experiment is to read stays."""
    own = [
        match.span(told(match))
        for demo in demos
        for param in demo.params
        for pattern in param.spoken
        if _is_free(param) and isinstance(pattern, str) and (match := re.search(pattern, text, re.IGNORECASE))
    ]
    pieces, done = [], 0
    for start, end in sorted(own):
        if start >= done:
            pieces += [_mended(text[done:start]), text[start:end]]
            done = end
    return "".join([*pieces, _mended(text[done:])])


def _mended(text: str) -> str:
    digits = in_digits(re.sub(r"[^\W\d_]{4,}", lambda word: _mend(word.group()), _LAUGHS.sub("", text)))
    listed = _BARE_LIST.sub(lambda numbers: numbers.group().replace(" ", ", "), _THOUSANDS.sub("", digits))
    return _LISTED.sub(r"\g<0>,", listed)


def rejected_spans(text: str) -> list[tuple[int, int]]:
    """Where the words stand that name what is not meant."""
    return [match.span(1) for match in _REJECTED.finditer(text)]


def starts_within(match: re.Match[str], spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= match.start() < end for start, end in spans)


def told(match: re.Match[str]) -> int:
    """The group that holds the value: a pattern of several alternatives has one for each."""
    return next((group for group, value in enumerate(match.groups(), 1) if value is not None), 0)


def _found(text: str, demo: Demo, loosely: bool = False) -> dict[str, tuple[Value, tuple[int, int]]]:
    """Each spoken parameter's value, and where in the text it stands."""
    found: dict[str, tuple[Value, tuple[int, int]]] = {}
    rejected = rejected_spans(text)
    for param in demo.params:
        for spoken in (*param.spoken, *(param.loose if loosely else ())):
            pattern, value = spoken if isinstance(spoken, tuple) else (spoken, None)
            matches = re.finditer(pattern, text, re.IGNORECASE)
            match = next((m for m in matches if _is_free(param) or not starts_within(m, rejected)), None)
            if match:
                found[param.name] = (
                    value if value is not None else value_of(match.group(told(match)), param),
                    match.span(),
                )
                break
    return _one_of_each(found, demo)


def _one_of_each(
    found: Mapping[str, tuple[Value, tuple[int, int]]], demo: Demo
) -> dict[str, tuple[Value, tuple[int, int]]]:
    """What was found, less what the same words mean already: the 8 of "8, 5 and 3 bits" is a level to compare, and no setting
    by itself, a quotation that lists words is no text to be cut into tokens, "a 300-token prompt" is not to be written, and "top-p: set it to 0.8" sets no temperature."""
    kept = dict(found)
    for param in demo.params:
        if param.name not in kept:
            continue
        span = kept[param.name][1]
        if isinstance(param, Levels) and param.of is not None and _is_listed(kept.get(param.of.name), kept[param.name]):
            del kept[param.of.name]
        if param.name == "words" and _within(kept.get("text"), span):
            del kept["text"]
        # The 2 of "each token goes to 2 experts" is no number of experts to have; in "2 of 8 experts" the 8 is one.
        if param.name == "active" and _within(kept.get("experts"), span) and kept["experts"][0] == kept["active"][0]:
            del kept["experts"]
        if param.name == "prompt" and _within(kept.get("tokens"), span):
            del kept["tokens"]
        if param.name in ("top-k", "top-p", "min-p") and _within(kept.get("temperature"), span):
            del kept["temperature"]
    return kept


def _is_listed(single: tuple[Value, tuple[int, int]] | None, several: tuple[Value, tuple[int, int]]) -> bool:
    """Whether a number is one of several that are to be measured: also in "he says the cliff is at 3 bits: measure 5, 3 and 2"."""
    if single is None:
        return False
    return _within(single, several[1]) or str(single[0]) in re.findall(r"\d+(?:\.\d+)?", str(several[0]))


def _within(one: tuple[Value, tuple[int, int]] | None, span: tuple[int, int]) -> bool:
    """Whether the words of the one value share some with the span."""
    return one is not None and one[1][0] < span[1] and span[0] < one[1][1]


def _is_free(param: Param) -> bool:
    """Whether the parameter takes any text, which must then stay as it was typed."""
    return isinstance(param.default, str) and not param.choices and not isinstance(param, Levels)


def value_of(text: str, param: Param) -> Value:
    """The words as the parameter takes them; "eight" is 8, and 70 of a percentage 0.7. A free text stays as it is."""
    if _is_free(param):
        text = text.strip()
        return (
            re.sub(r"[\"“”]", "", text) if text.startswith(('"', "“")) else text
        )  # words that stand in quotation marks each
    text = re.sub(r"^one$", "1", in_digits(text.strip()), flags=re.IGNORECASE)
    try:
        return float(text) / 100 if param.percent and float(text) > 1 else text
    except ValueError:
        return text


def _mend(word: str) -> str:
    lower = word.lower()
    if lower in SWAPPED:
        return SWAPPED[lower]
    if len(lower) < _SHORT_SPELLING - 1:
        return word
    if lower in SPELLINGS or any(right.startswith(lower) or lower.startswith(right) for right in SPELLINGS):
        return word  # right, or another form of it: "token", "experiments"
    for right in sorted(SPELLINGS):
        slips = 2 if len(right) >= _LONG_SPELLING else 1 if len(right) >= _SHORT_SPELLING else 0
        if lower[0] == right[0] and abs(len(lower) - len(right)) <= slips and _slips(lower, right) <= slips:
            return right
    return word


def _slips(one: str, other: str) -> int:
    """How many letters are missing, added, wrong or swapped (optimal string alignment distance)."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
