"""Numbers in words as digits, so that every setting understands "sixty-four" and "a hundred" as it does 64 and 100."""

from __future__ import annotations

import re

_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_UNITS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORTH = (
    {word: n for n, word in enumerate(_UNITS, 2)}
    | {word: n for n, word in enumerate(_TEENS, 10)}
    | dict(zip(_TENS, range(20, 100, 10), strict=True))
    | {"one": 1, "a": 1, "dozen": 12}
)

_UNIT = "|".join(_UNITS)
_BELOW_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:one|{_UNIT}))?|{'|'.join(_TEENS)}|{_UNIT})"
# "one" by itself is left: it is more often a pronoun ("which one") than a number.
_NUMERAL = re.compile(
    rf"\b(?:(?P<hundreds>a|one|{_UNIT}) hundred(?: (?:(?:and|n|&) )?(?P<rest>{_BELOW_HUNDRED}))?|a (?P<dozen>dozen)|(?P<small>{_BELOW_HUNDRED}))\b",
    re.IGNORECASE,
)

_PARTS = {"third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
# "A fifth example" and "the third stage" are no shares; "a quarter" is one always.
_FRACTION = re.compile(
    rf"\b(?P<of>a|one|{_UNIT}|\d)[ -](?:(?P<quarter>quarter)s?|(?P<part>third|fourth|fifth|tenth)(?:s|(?=\s*(?:of\b|[,.;:?!]|$|(?:and|or|vs|versus|against)\b))))\b",
    re.IGNORECASE,
)
# "Half" by itself is seldom a number; beside another share it is.
_HALF = re.compile(
    r"\bone half\b|(?<!and a )(?<!and )\bhalf(?=\s*(?:,|and|or|vs\.?|versus|against|beside)\s*(?:\d+ ?%|\w+ (?:percent|per cent)\b))",
    re.IGNORECASE,
)
_AND_A_HALF = re.compile(rf"\b(?P<whole>one|{_UNIT}|\d+) (?:and|n|&) a half\b", re.IGNORECASE)
_DECIMAL = re.compile(rf"\b(?P<whole>zero|one|{_UNIT}|\d+) point (?P<tenths>zero|one|{_UNIT}|\d+)\b", re.IGNORECASE)
# Zero is a number where a setting goes by it, not in "zero-shot".
_ZERO = re.compile(
    r"(?P<name>\b(?:temperature|temp|top[- ]?p|min[- ]?p|sparsity|noise)\W+(?:(?:of|to|at|is|be)\s+)?)(?:zero|nought|null)\b|\bzero(?=\s+temperature)",
    re.IGNORECASE,
)


def folded(word: str) -> str:
    """The word in small letters, without those that a pattern takes for others: the dotless i of "fıve", the long s of "ſix"."""
    return word.replace("ı", "i").replace("İ", "i").casefold()


def _percent(found: re.Match[str]) -> int:
    of = folded(found["of"])
    return round(100 * (int(of) if of.isdigit() else _WORTH[of]) / _PARTS[folded(found["quarter"] or found["part"])])


def in_digits(text: str) -> str:
    """The text with zero as a setting and numbers from two on, below a thousand, in digits: "rank thirty-two" becomes "rank 32", "a quarter" "25%"."""
    text = re.sub(r"\bhalf a dozen\b", "6", text, flags=re.IGNORECASE)
    text = _DECIMAL.sub(lambda found: f"{_digit(found['whole'])}.{_digit(found['tenths'])}", text)
    text = _AND_A_HALF.sub(lambda found: f"{_digit(found['whole'])}.5", text)
    text = _ZERO.sub(lambda found: f"{found['name'] or ''}0", text)
    text = _HALF.sub("50%", _FRACTION.sub(lambda found: f"{_percent(found)}%", text))
    return _NUMERAL.sub(lambda found: str(_worth(found)), text)


def _digit(word: str) -> str:
    return word if word.isdigit() else str({"zero": 0, **_WORTH}[folded(word)])


def _worth(found: re.Match[str]) -> int:
    hundreds, rest = found["hundreds"], found["rest"] or found["dozen"] or found["small"] or ""
    return 100 * _WORTH.get(folded(hundreds or ""), 0) + sum(
        _WORTH[word] for word in re.findall("[a-z]+", folded(rest))
    )
