"""Numbers in a learner's words, and a setting that holds several of them ("compare 8, 4 and 2 bits")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from demos.base import Param, Value
from tutor.errors import DemoError

COUNT = "two|three|four|five|six|seven|eight|nine|ten"
TENS = "ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_START = r"(?<![\w.])(?<!\d:)(?<!groups of )(?<!group of )(?<!size )(?<!size of )"  # a group's size is no level
# Between a setting's name and its number: "alpha = 16", "top-p down to 0.5", "alpha all the way up to 32", "twice that alpha, so 32".
TO = (
    r"(?:\s*[=:]|(?:,? (?:of|to|at|is|be|on(?= [\d.]+(?:\W*$|[,;]| and\b))|being|was|should|up|down|back|all the way|right|only|just|set|turned|raised|lowered|so|say|as (?:high|low|far) as))*"
    r"(?: (?:higher|lower|larger|bigger|smaller),?)?) ?"
)
# "See when it gets dumb": levels from hardly any change to ruin.
UNTIL_IT_BREAKS = (
    r"\b(?:see|find out|show (?:me|us)|know|watch|tell me|test|measure)\b[^.?!]{0,30}\b(?:when|where|at (?:what|which) (?:point|level)|how (?:far|low|few|much|many)|until)\b"
    r"[^.?!]{0,40}\b(?:breaks?|broken|dumb\w*|stupid\w*|bad|worse|collapses?|falls? apart|fails?|crash\w*|garbage|nonsense|rubbish|useless|suffers?|cliff)\b"
    r"|\buntil (?:it|the model) (?:breaks?|is broken|collapses?|falls? apart|fails?|talks? nonsense)\b"
)
MOST = 4  # levels in one comparison: more would take longer than a learner waits
# Both match any text in one way only: a second way would double the time with each word that repeats.
_DIGITS = r"(?:\d+(?:\.\d+)?|\.\d+)"
BETWEEN = r"\s*(?:(?:,|/|&|\b(?:and|or|compare(?: (?:it|that|this|them))?|live|vs\.?|versus|with|to|against|then|at|next to|beside(?: one)?)\b)\s*)+"


def first_of_several(unit: str, words: str = COUNT) -> str:
    """A pattern for a number before its unit, also where more follow: the 8 of "8, 4 and 2 bits" is group 1."""
    number = rf"(?:{_DIGITS}|\b(?:{words}))"
    return rf"{_START}({number})(?:\s*-?\s*(?:{unit}))?(?:{BETWEEN}{number}(?:\s*-?\s*(?:{unit}))?)*?\s*-?\s*(?:{unit})"


def several(unit: str, words: str = COUNT) -> str:
    """A pattern for two or more numbers before their unit: group 1 is "8, 4 and 2" in "8, 4 and 2 bits"."""
    number = rf"(?:{_DIGITS}|\b(?:{words}))"
    between = rf"(?:\s*-?\s*(?:{unit}))?{BETWEEN}" if unit else BETWEEN
    return rf"{_START}({number}(?:{between}{number})+)\s*-?\s*(?:{unit})"


def several_decimals() -> str:
    """A pattern for two or more numbers below one, which need no unit: "0.2, 0.5 and 0.8"."""
    return rf"{_START}(0?\.\d+(?:{BETWEEN}0?\.\d+)+)"


def beside(number: str) -> str:
    """A pattern for numbers that are put next to what was named: group 1 is "five and eight" in "with five and eight next to it"."""
    return rf"\b(?:with|and|put|hold|set|then) ({number}(?:(?:,|/| and| then| or)+ ?{number})*)(?: right| up)? (?:next to|beside|alongside|against) (?:it|that|this|them)\b"


SAID_BITS = (first_of_several("bits?"), r"\b(?:int|bits *[=:] *|bits (?:(?:down|up|back) )?to )(\d+)\b")
SAID_STEPS = (r"\b(\d+) (?:\w+ )?steps\b", rf"\bsteps{TO}(\d+)\b")
LOOSELY_STEPS = (
    r"\b(\d+) (?:\w+ ){0,2}?(?:rounds|iterations|updates)\b",
    r"\b(?:steps?|rounds|iterations|updates)\b[^.;\d]{0,25}?(\d+)\b",
)


@dataclass(frozen=True)
class Levels(Param):
    """Several values of another setting in one text; "8, 4 and 2 bits" becomes "8,4,2", each checked by `of`."""

    of: Param | None = None

    def parse(self, value: Value) -> str:
        """Return the values joined by commas, each once, in the order given; raises DemoError naming what is allowed."""
        text = str(value).strip()
        numbers = re.findall(_DIGITS, text)
        if re.sub(
            rf"{_DIGITS}|{BETWEEN}|bits?|int|percent|pct\.?|temp(?:erature)?s?|[\s%-]", "", text, flags=re.IGNORECASE
        ):
            raise DemoError(f"--{self.name} is {value!r}; give {self.allowed()}.")
        parsed = list(dict.fromkeys(self._one(number) for number in numbers))
        if len(parsed) > MOST:
            raise DemoError(f"--{self.name} names {len(parsed)} levels; give at most {MOST}.")
        return ",".join(f"{level:g}" for level in parsed)

    def implies(self, value: Value) -> dict[str, Value]:
        """A comparison's first level is the run's own: "compare 8 and 2 bits" need not measure the default as well."""
        levels = read_levels(self.parse(value))
        return {self.of.name: f"{levels[0]:g}"} if levels and self.of is not None else {}

    def _one(self, number: str) -> float:
        level = float(number) / 100 if self.percent and float(number) > 1 else float(number)
        if self.of is not None:
            self.of.parse(f"{level:g}")
        return level

    def allowed(self) -> str:
        each = self.of.allowed() if self.of is not None else "a number"
        return f"up to {MOST} values joined by commas, each {each}"


def read_levels(text: object) -> tuple[float, ...]:
    """The levels that a parsed `Levels` setting holds."""
    return tuple(float(level) for level in str(text).split(",") if level)
