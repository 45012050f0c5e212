"""Misspelt words and text-speak put right before a question is searched: "wat do ppl do 2 get rid of teh junk".

A word that neither English nor the notes know becomes the nearest one that notes and taught questions use, by symmetric deletion (Garbe's SymSpell,
in symspellpy, whose English word list tells which words are right), if it is wrong in a way that slips are: a letter left out, two exchanged, one doubled, another vowel. "Sharding"
is one letter from "sharing" too, but nobody slips so, and words that the list lacks are more often names and terms than slips.
Quotations, code, names, numbers and other languages stay as they were typed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.kept import keep

if TYPE_CHECKING:
    from symspellpy import SymSpell

log = logging.getLogger(__name__)

_FORMAT = "1"  # of what is kept
_RARE = 20_000  # times in the word list's sources: "cheeper", a young partridge, is more often meant to be cheaper
_OFTEN = 5  # times that a word must stand in questions to be one
_COMMONER = 20  # times as often as a slip stands there what it is a slip of
_SHORT, _LONG = 5, 9  # letters from which one slip is mended, and two; of four letters only two exchanged
_VOWELLED = 7  # letters from which another vowel is a slip: "seperate", and not "struct"
_FOREIGN = 0.4  # share of words near to none known from which a text is in another language
_ELSEWHERE = re.compile(
    r"\b(?:ist|das|und|eine?|nicht|wie|der|im|zwischen|een|het|wat|que|les|des|est|una|el|los|las|la|della|che|di|tra|er|en|og|entre|cual|por|para|avec|pour)\b"
)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|`[^`]*`|(?<!\w)['‘][^'’]+['’](?!\w)")
_WORD = re.compile(
    r"(?<![\w|<./@=(:#'’-])[^\W\d_]+(?:['’][^\W\d_]+)*(?![\w|@/=(]|[.:'’-]\w)"
)  # no part of an address, a path, code, a marker or a compound
_PLAIN = re.compile(r"[a-z]+(?:'[a-z]+)?")
_LETTERS_ONLY = bytes(c if chr(c) in "abcdefghijklmnopqrstuvwxyz'" else ord(" ") for c in range(256))
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_BRITISH = re.compile(r"(?<!w)is(?=(?:e|es|ed|er|ers|ing|ation|ations)$)")
_OTHER_FORM = re.compile(r"(?:s|es|(?<=e)[drs]|rs|ers|'s|less|ly)$")

# Text-speak and the slips of short words, each with what is meant.
_SLIPS = (
    "u you; ur your; pls please; plz please; thx thanks; abt about; cuz because; coz because; bcuz because; bcs because; "
    "tho though; altho although; wat what; wot what; wht what; waht what; wen when; wich which; hw how; hav have; teh the; hte the; "
    "wiv with; wiht with; frm from; smth something; kno know; gud good; evry every; evn even; wots what's; wats what's; dat that; jus just; gimme give me; lemme let me; dunno do not know; "
    "gonna going to; wanna want to; whats what's; thats that's; theres there's; youre you're; theyre they're; cant can't; "
    "dosnt doesn't; shud should; wud would; coud could; tmrw tomorrow"
)
_DENIED = ("do", "does", "did", "is", "are", "was", "were", "has", "have", "had", "would", "could", "should")
_CHAT = dict(slip.split(" ", 1) for slip in _SLIPS.split("; ")) | {f"{word}nt": f"{word}n't" for word in _DENIED}
# What stands for a word only here and there: "PPL" is also perplexity, "r" a rank, "n" and the digits are numbers.
_HERE = (
    (
        re.compile(
            r"\b(?:(?<=do )|(?<=most )|(?<=many )|(?<=some )|(?<=other )|(?<=few )|(?<=the ))ppl\b|\bppl(?= (?:say|use|do|who|think|are|have|mean|call|often|usually|keep|need|make|talk|tell|told|mix|confuse|always)\b)"
        ),
        "people",
    ),
    (re.compile(r"\bb4(?= (?:an?|the|it|you|we|they|i|going|using)\b)"), "before"),
    (
        re.compile(
            r"(?:(?<=do )|(?<=want )|(?<=have )|(?<=need )|(?<=how )|(?<=try )|(?<=able ))2(?= (?:be|do|get|go|have|keep|know|learn|make|run|see|tell|train|use|work)\b)"
        ),
        "to",
    ),
    (
        re.compile(
            r"(?:(?<=life )|(?<=word )|(?<=example )|(?<=analogy )|(?<=picture )|(?<=name )|(?<=good )|(?<=best )|(?<=used )|(?<=works ))4(?= (?:an?|it|me|my|that|the|this|us|you|[a-z]{4,}ing)\b)"
        ),
        "for",
    ),
    (re.compile(r"(?<=er )n(?= [a-z]{3,}er\b)|(?<=pros )n(?= cons\b)|(?<=what )n(?= why\b)"), "and"),
    (
        re.compile(
            r"(?:^(?<=what )|(?<=you )|(?<=they )|(?<=we )|(?<=models )|(?<=these )|(?<=there ))r(?= [a-z]{3,})"
        ),
        "are",
    ),
)

# Signs of text-speak: where a message has two, "n", "r", "y" and lone digits in it are words as well.
_TEXTED = re.compile(
    r"\b(?:u|ur|y|n|r|da|dis|dat|w[aoh]t|w[ao]ts|wen|whn|pl[sz]|evn|evry\w*|jus|teh|cuz|coz|tho|thx|abt|gud|kno|wud|shud|cud|dosnt|[124](?:ce|day|nite|morow)|b4|gr8|wrd|prob|rly|realy|happns?|hapens?)\b"
    r"|\b[24](?=\W*(?:$|[?!]))",
    re.IGNORECASE,
)
_COUNTED = (
    r"(?! ?-?(?:bits?|b|gb|mb|x|k|m|of|or|and|to|vs|[a-z]|outta|out|in|per|active|times|more|most|different|other|main|big|small|large|new|good|real|\w*(?:shot|step|stage|phase|part|token|expert|example|head|layer|weight|model|gpu|"
    r"side|kind|type|way|thing|word|method|group|number|row|year|day|hour|minute|second|point|reason|people|user|learner|note|answer|question)s?)\b)"
)
_NAMED = r"(?<!llama )(?<!gpt )(?<!gemma )(?<!qwen )(?<!phi )(?<!rank )(?<!top )(?<!int )(?<!level )(?<!with )(?<!than )(?<!only )(?<!at )(?<!by )(?<!is )(?<!are )(?<!to )(?<!the )(?<!outta )(?<!of )(?<!has )"
_IN_TEXTING = (
    (
        re.compile(
            r"^y\b|\by(?= (?:do|does|did|is|are|r|was|would|wud|should|can|cant|not|we|they|i|u|you|the|even|evn|so|bother)\b)"
        ),
        "why",
    ),
    (re.compile(r"(?<=[A-Za-z,] )n(?= [a-z]{2,})"), "and"),
    (re.compile(r"(?<=[a-z] )r(?= [a-z]{3,})|^r(?= [a-z]{2,})"), "are"),
    (re.compile(rf"{_NAMED}(?<=[a-z] )4(?=\W*$|[?!.,]| [a-z]){_COUNTED}", re.IGNORECASE), "for"),
    (re.compile(rf"{_NAMED}(?<=[a-z] )2(?= [a-z]){_COUNTED}", re.IGNORECASE), "to"),
    (re.compile(r"\bda(?= [a-z])"), "the"),
    (re.compile(r"\bdis\b"), "this"),
    (re.compile(r"\b1ce\b"), "once"),
)


class Spelling:
    """Immutable, so that all learners share it."""

    def __init__(self, notes: Iterable[str], questions: Sequence[str], kept: Path | None = None) -> None:
        """Of `notes` every word is right, of `questions` what stands there often, which takes half a second to count and is `kept` for the next start."""
        from symspellpy import SymSpell

        told = Counter(match.group() for text in notes for match in _WORD.finditer(text.lower()))
        asked = _counted(questions, kept) if kept else _plain_words(questions)
        listed = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
        counts = (line.split(" ") for line in listed.splitlines())
        english = {word for word, count in counts if int(count) >= _RARE}.difference(_CHAT)
        self._near: SymSpell = SymSpell(max_dictionary_edit_distance=2)
        for word, count in (told + asked).items():
            if len(word) >= 4 and (word in told or (word in english and count >= _OFTEN)):
                self._near.create_dictionary_entry(word, count)
        self._right = english.union(told).difference(_CHAT)
        # What is asked often and no English may be a term, or a slip that many make.
        self._right.update(word for word, count in asked.items() if count >= _OFTEN and not self._is_slip(word, count))

    def mended(self, text: str) -> str:
        """The text with what is surely misspelt put right; case and all else stay."""
        found = [match.group().lower() for match in _WORD.finditer(text)]
        strange = [word for word in found if word not in _CHAT and self._repaired(word) is None]
        if len(strange) > _FOREIGN * len(found) or len(set(_ELSEWHERE.findall(text.lower()))) > 1:
            return text
        # "n" and "r" beside each other may be numbers, so they count as one sign.
        texting = len({word.lower().replace("r", "n") for word in _TEXTED.findall(text)}) > 1
        pieces, done = [], 0
        for quoted in _QUOTED.finditer(text):
            pieces += [self._mended(text[done : quoted.start()], texting), quoted.group()]
            done = quoted.end()
        return "".join([*pieces, self._mended(text[done:], texting)])

    def _mended(self, text: str, texting: bool) -> str:
        words = _WORD.sub(lambda match: self._mend(match.group(), match.start() > 0), text)
        for pattern, word in (*_HERE, *(_IN_TEXTING if texting else ())):
            words = pattern.sub(word, words)
        return words

    def _mend(self, word: str, inside: bool) -> str:
        """`inside` a sentence a capital makes a name, and capitals alone make one anywhere."""
        lower = word.lower()
        if word != lower and (inside or word[1:] != lower[1:] or len(word) == 1):
            return word
        right = _CHAT.get(lower) or self._repaired(lower) or lower
        return right[0].upper() + right[1:] if word[0].isupper() else right

    def _repaired(self, word: str) -> str | None:
        """The word itself if it is right, what it is a slip of, or None."""
        if self._is_right(word):
            return word
        for other in (_DRAWN_OUT.sub(r"\1\1", word), _DRAWN_OUT.sub(r"\1", word), _BRITISH.sub("iz", word)):
            if other != word and self._is_right(other):
                return other
        return self._nearest(word)

    def _is_right(self, word: str) -> bool:
        return len(word) < 4 or word in self._right or _OTHER_FORM.sub("", word) in self._right

    def _nearest(self, word: str) -> str | None:
        from symspellpy import Verbosity

        if not word.isalpha():
            return None
        found = self._near.lookup(word, Verbosity.CLOSEST, max_edit_distance=2 if len(word) >= _LONG else 1)
        return next((item.term for item in found if _slipped(word, item.term, item.distance)), None)

    def _is_slip(self, word: str, count: int) -> bool:
        right = self._nearest(word) if word not in self._right else None
        return right is not None and right != word and self._near.words.get(right, 0) >= _COMMONER * count


def _counted(texts: Sequence[str], path: Path) -> Counter[str]:
    """What `_plain_words` gives, read from where an earlier start kept it for the same texts; a damaged file is counted anew."""
    digest = hashlib.sha256("\0".join([_FORMAT, *texts]).encode(errors="replace")).hexdigest()
    try:
        kept = json.loads(path.read_text(encoding="ascii"))
        if kept["digest"] == digest:
            return Counter(kept["words"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, LookupError, TypeError) as error:
        log.warning("%s is damaged (%s); counting again", path, error)
    words = _plain_words(texts)
    try:
        text = json.dumps({"digest": digest, "words": words})
        keep(path, lambda part: part.write_text(text, encoding="ascii"))
    except OSError as error:
        log.warning("counted words could not be saved in %s (%s)", path.parent, error)
    return words


def _plain_words(texts: Iterable[str]) -> Counter[str]:
    """How often each word of a to z stands there. In one go, as they are millions; of quotation marks and elisions the pattern makes words."""
    split = Counter(" ".join(texts).lower().encode("ascii", "replace").translate(_LETTERS_ONLY).decode("ascii").split())
    counts: Counter[str] = Counter()
    for piece, count in split.items():
        for word in [piece] if "'" not in piece else _PLAIN.findall(piece):
            counts[word] += count
    return counts


def _slipped(word: str, right: str, distance: int) -> bool:
    """Whether a slip makes the one of the other, which begins alike; "xactly" is the exception."""
    if right[0] != word[0] and not right.startswith("ex" + word[1:2] * (word[0] == "x")):
        return False
    if sorted(word) == sorted(right) and distance == 1:
        return True  # two letters exchanged
    if len(word) < _SHORT:
        return False
    alike = _consonants(word) == _consonants(right)
    if distance == 1 and len(word) < len(right):
        return True  # one left out
    return alike and (len(word) != len(right) or len(word) >= _VOWELLED)


def _consonants(word: str) -> str:
    """Those of the word, double ones once: what another vowel or another doubling leaves as it is."""
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiou]", "", re.sub(r"(.)\1+", r"\1", word)))
