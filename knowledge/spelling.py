"""Misspelt words and text-speak put right before a question is searched: "wat do ppl do 2 get rid of teh junk".

A word that neither English nor the notes know becomes the nearest word that notes and taught questions use often, by symmetric deletion (Garbe's SymSpell,
in symspellpy, whose English word list tells which words are right). Names, numbers and words that nothing is near to stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symspellpy import SymSpell

_RARE = 20_000  # times in the word list's sources: "cheeper", a young partridge, is more often meant to be cheaper
_OFTEN = 5  # times that a word must stand in notes and taught questions to be what somebody meant
_SHORT, _LONG = 4, 9  # letters from which one slip is mended, and two
_FOREIGN = 0.5  # share of unknown words from which a text is taken for another language
_WORD = re.compile(r"(?<![\w|<])[^\W\d_]+(?:['’][^\W\d_]+)?(?![\w|])")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_OTHER_FORM = re.compile(r"(?:s|es|(?<=e)[dr]|'s|less|ly)$")
# Text-speak and the slips of short words, each with what is meant.
_SLIPS = (
    "u you; ur your; ppl people; pls please; plz please; thx thanks; abt about; cuz because; coz because; bcuz "
    "because; bcs because; tho though; altho although; wat what; wot what; wht what; wen when; wich which; hw "
    "how; wy why; hav have; teh the; hte the; da the; dat that; dis this; wiv with; fr for; frm from; smth "
    "something; sth something; kno know; gud good; evry every; els else; jus just; gimme give me; lemme let "
    "me; dunno do not know; gonna going to; wanna want to; whats what's; thats that's; hows how's; whos who's; "
    "wheres where's; theres there's; ive I've; im I'm; youre you're; theyre they're; cant can't; wont won't; "
    "dosnt doesn't; shud should; cud could; wud would; coud could; tmrw tomorrow"
)
_DENIED = ("do", "does", "did", "is", "are", "was", "were", "has", "have", "had", "would", "could", "should")
_CHAT = dict(slip.split(" ", 1) for slip in _SLIPS.split("; ")) | {f"{word}nt": f"{word}n't" for word in _DENIED}
# What stands for a word only among others such: "2 get", "4 promting", "b4", "cheeper n quicker", "what r agents".
_AMONG = (
    (re.compile(r"\bb4\b", re.IGNORECASE), "before"),
    (
        re.compile(
            r"(?<=[a-z] )2(?= (?:be|do|get|go|have|keep|know|learn|make|my|me|run|see|tell|the|train|use|work)\b)"
        ),
        "to",
    ),
    (re.compile(r"(?<=[a-z] )4(?= (?:a|an|it|me|my|that|the|this|us|you|[a-z]{4,}ing)\b)"), "for"),
    (re.compile(r"\b(?<=[a-z] )n(?= [a-z]{3,})"), "and"),
    (re.compile(r"\b(?<=[a-z] )r(?= [a-z]{3,})"), "are"),
)


class Spelling:
    """Immutable, so that all learners share it."""

    def __init__(self, texts: Iterable[str]) -> None:
        """`texts` use the words that a misspelt one may stand for; takes a fifth of a second for the tutor's own."""
        from symspellpy import SymSpell

        seen = Counter(word for text in texts for word in _WORD.findall(text.lower()))
        listed = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
        counts = (line.split(" ") for line in listed.splitlines())
        english = {word for word, count in counts if int(count) >= _RARE}
        often = {word: count for word, count in seen.items() if count >= _OFTEN and len(word) >= _SHORT}
        self._right = english.union(word for word, count in seen.items() if count >= _OFTEN).difference(_CHAT)
        self._near: SymSpell = SymSpell(max_dictionary_edit_distance=2)
        for word, count in often.items():
            if word in english and word not in _CHAT:
                self._near.create_dictionary_entry(word, count)

    def mended(self, text: str) -> str:
        """The text with what is surely misspelt put right; case and all else stay."""
        found = [match.group().lower() for match in _WORD.finditer(text)]
        if sum(not self._is_right(word) for word in found if word not in _CHAT) > _FOREIGN * len(found):
            return text
        words = _WORD.sub(lambda match: self._mend(match.group(), match.start() > 0), text)
        if words == text:
            return text
        for pattern, word in _AMONG:
            words = pattern.sub(word, words)
        return words

    def _mend(self, word: str, inside: bool) -> str:
        """`inside` a sentence a capital makes a name."""
        lower = word.lower()
        if word[1:] == lower[1:] and lower in _CHAT:
            return _as(word, _CHAT[lower])
        if word != lower and (inside or word[1:] != lower[1:]):
            return word
        lower = lower if self._is_right(lower) else _DRAWN_OUT.sub(r"\1", lower)
        lower = lower if self._is_right(lower) else lower.replace("ise", "ize").replace("isa", "iza")
        if self._is_right(lower) or not lower.isalpha() or len(lower) < _SHORT:
            return _as(word, lower)
        return _as(word, self._nearest(lower, 2 if len(lower) >= _LONG else 1))

    def _is_right(self, word: str) -> bool:
        return word in self._right or _OTHER_FORM.sub("", word) in self._right

    def _nearest(self, word: str, slips: int) -> str:
        from symspellpy import Verbosity

        found = self._near.lookup(word, Verbosity.CLOSEST, max_edit_distance=slips)
        # The first letter is hardly ever missed, except in "xactly".
        alike = [item.term for item in found if item.term[0] == word[0] or item.term[1:2] == word[0] == "x"]
        return alike[0] if alike else word


def _as(word: str, right: str) -> str:
    return right[0].upper() + right[1:] if word[0].isupper() else right
