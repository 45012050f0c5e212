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
_SAID = tuple(
    (re.compile(pattern, re.IGNORECASE), digits)
    for pattern, digits in (
        (r"\bhalf a dozen\b", "6"),
        (r"\bhalf a hundred\b", "50"),
        (r"\b(?:a )?quarter (?:of a )?thousand\b", "250"),
        (r"(?<=\d)²", "^2"),
        (r"(?<=\d)³", "^3"),
    )
)
_DOZENS = re.compile(rf"\b(?P<dozens>{_UNIT}|\d) dozens?\b", re.IGNORECASE)
# As engineers write them: "2^8 tokens", "0.2k updates".
_POWER = re.compile(r"(?<![\w.])(?P<base>\d{1,3}) ?(?:\^|\*\*) ?(?P<exponent>\d{1,2})(?![\w.^]\w|\w)")
_SCIENTIFIC = re.compile(r"(?<![\w.])(?P<number>\d(?:\.\d+)?e\d)(?!\w)", re.IGNORECASE)
_RATIO = re.compile(r"(?<![\w./])(?P<some>\d{1,2})/(?P<all>\d{1,3})(?![\w/]|\.\d)")
_COMMA = re.compile(r"(?<=\s)0?,(?P<digits>\d{1,2})(?!\w)")
_THOUSANDS = re.compile(r"(?<![\w.])(?P<thousands>\d+(?:\.\d+)?)k(?![\w-])", re.IGNORECASE)
# "One in five", "three out of ten"; "2 out of 4" is a pattern of pruning, and "one in eight experts" no share.
_OUT_OF = re.compile(
    rf"\b(?P<some>one|{_UNIT}|\d+)(?: times?)? (?:in|out of)(?: every)? (?P<all>{_UNIT}|ten|twenty|a hundred|\d+)\b(?!\.\d|\s*(?:experts?|seconds?|minutes?|hours?|days?)\b)",
    re.IGNORECASE,
)
_WHOLES = (10, 20, 100)
# "Every bit width from 5 down to 2".
_RANGE = re.compile(
    rf"\b(?:every|each|all)\b(?P<what>[^.;?\d]{{0,24}}?)\bfrom (?P<begin>{_UNIT}|\d) (?:bits? )?(?:down |up |through )?to (?P<end>{_UNIT}|\d)\b(?!\.\d)",
    re.IGNORECASE,
)

_PARTS = {"third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10, "twentieth": 20}
# "A fifth example" and "the third stage" are no shares; "a quarter" is one always.
_FRACTION = re.compile(
    rf"\b(?P<of>a|one|{_UNIT}|\d)[ -](?:(?P<quarter>quarter)s?|(?P<part>third|fourth|fifth|tenth|twentieth)(?:s|(?<=one fifth)|(?<=one tenth)|(?=\s*(?:of\b|[,.;:?!]|$|(?:and|or|vs|versus|against)\b))))\b",
    re.IGNORECASE,
)
# "Half" by itself is seldom a number; beside another share it is.
_HALF = re.compile(
    r"\bone half\b|(?<!and a )(?<!and )\bhalf(?=\s*(?:,|and|or|vs\.?|versus|against|beside)\s*(?:\d+ ?%|\w+ (?:percent|per cent)\b))",
    re.IGNORECASE,
)
_AND_A_HALF = re.compile(rf"\b(?P<whole>one|{_UNIT}|\d+) (?:and|n|&) a half\b", re.IGNORECASE)
# As it is dictated: "a top p of point eight five", "zero point nine"; not "point five one more time".
_DECIMAL = re.compile(
    rf"\b(?:(?P<whole>zero|one|{_UNIT}|\d+) |(?P<name>(?:temperature|temp|top[- ]?p|min[- ]?p|noise)[ :=]+(?:(?:of|to|at|is|be) )?))"
    rf"point (?P<tenths>zero|one|{_UNIT}|\d+)(?: (?P<hundredths>zero|one|{_UNIT})(?! (?:more|last|times?|things?)\b))?\b",
    re.IGNORECASE,
)
_HUNDREDS = re.compile(r"\b(?P<many>\d{1,2}) hundred\b", re.IGNORECASE)
# "Teach it hundred steps"; behind any other word that counts, it is none of its own.
_HUNDRED = re.compile(r"\bhundred(?=(?: more)? (?:steps?|updates?|tokens?)\b)", re.IGNORECASE)
_BEFORE = 16  # characters: a long text is not looked through from each word on
_COUNTS = re.compile(r"(?:\d|\b(?:few|several|couple|of|many|every|half|dozen|a))\s*$", re.IGNORECASE)
# Zero is a number where a setting goes by it, not in "zero-shot".
_ZERO = re.compile(
    r"(?P<name>\b(?:temperature|temp|top[- ]?p|min[- ]?p|sparsity|noise)\W+(?:(?:of|to|at|is|be|on)\s+)?)(?:zero|nought|null)\b|\bzero(?=\s+temperature)",
    re.IGNORECASE,
)


def folded(word: str) -> str:
    """The word in small letters, without those that a pattern takes for others: the dotless i of "fıve", the long s of "ſix"."""
    return word.replace("ı", "i").replace("İ", "i").casefold()


def _percent(found: re.Match[str]) -> int:
    of = folded(found["of"])
    return round(100 * (int(of) if of.isdigit() else _WORTH[of]) / _PARTS[folded(found["quarter"] or found["part"])])


def in_digits(text: str) -> str:
    """The text with zero as a setting and numbers from two on in plain digits: "rank thirty-two" becomes "rank 32", "a quarter" and "1/4" "25%", "2^8" "256"."""
    for said, digits in _SAID:
        text = said.sub(digits, text)
    text = _DOZENS.sub(lambda found: str(12 * int(_digit(found["dozens"]))), text)
    text = _SCIENTIFIC.sub(lambda found: f"{float(found['number']):.9g}", text)
    text = _COMMA.sub(lambda found: f"0.{found['digits']}", _RATIO.sub(_share, text))
    text = _POWER.sub(lambda found: str(int(found["base"]) ** int(found["exponent"])), text)
    text = _THOUSANDS.sub(lambda found: f"{1000 * float(found['thousands']):.0f}", text)
    text = _RANGE.sub(_listed, _OUT_OF.sub(_share, text))
    text = _DECIMAL.sub(_decimal, text)
    text = _AND_A_HALF.sub(lambda found: f"{_digit(found['whole'])}.5", text)
    text = _ZERO.sub(lambda found: f"{found['name'] or ''}0", text)
    text = _HALF.sub("50%", _FRACTION.sub(lambda found: f"{_percent(found)}%", text))
    text = _NUMERAL.sub(lambda found: str(_worth(found)), text)
    text = _HUNDREDS.sub(lambda found: f"{found['many']}00", text)
    return _HUNDRED.sub(_hundred, text)


def _share(found: re.Match[str]) -> str:
    """A percentage, if it is likely a share: "24/7" is none, and 2 of 4 are a pattern of pruning."""
    some, of = (int(_digit(found[name])) for name in ("some", "all"))
    likely = some == 1 or of in _WHOLES or ("/" in found.group() and (some, of) != (2, 4))
    return f"{100 * some / of:g}%" if 0 < some < of and likely else found.group()


def _decimal(found: re.Match[str]) -> str:
    digits = "".join(_digit(word) for word in (found["tenths"], found["hundredths"]) if word)
    return f"{found['name'] or ''}{_digit(found['whole'] or 'zero')}.{digits}"


def _hundred(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - _BEFORE) : found.start()]
    return found.group() if _COUNTS.search(before) else "100"


def _listed(found: re.Match[str]) -> str:
    """Each number of a range, in its order."""
    begin, end = (int(_digit(found[name])) for name in ("begin", "end"))
    numbers = range(begin, end + 1) if begin < end else range(begin, end - 1, -1)
    return f"{', '.join(map(str, numbers))} bits" if "bit" in found["what"].lower() else found.group()


def _digit(word: str) -> str:
    return word if word.isdigit() else str({"zero": 0, "a hundred": 100, **_WORTH}[folded(word)])


def _worth(found: re.Match[str]) -> int:
    hundreds, rest = found["hundreds"], found["rest"] or found["dozen"] or found["small"] or ""
    return 100 * _WORTH.get(folded(hundreds or ""), 0) + sum(
        _WORTH[word] for word in re.findall("[a-z]+", folded(rest))
    )
