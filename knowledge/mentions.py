"""Which sides of which sets a text names, found by their authored names and aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.passages import Concept

# The end of a text in which words are listed: "structured, unstructured and ".
_LISTED = re.compile(r"(?:(?<!\w)[\w:]+(?: {0,2},(?: {0,2}(?:and|or)(?!\w))?| {1,2}(?:and|or|&)(?!\w)) {0,2}){1,4}$")
_LISTED_WORD = re.compile(r"(?<!\w)(?!(?:and|or)\b)[\w:]+")


@dataclass(frozen=True)
class Mention:
    """A side named in a text: the words used, where they start, and every (concept, side) they may mean."""

    words: str
    start: int
    sides: tuple[tuple[str, str], ...]


class Mentions:
    """Finds sides in texts; longer names win over shorter ones inside them ("QLoRA" over "LoRA")."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        meanings: dict[str, list[tuple[str, str]]] = {}
        self._names: dict[str, dict[str, str]] = {}
        for concept in concepts:
            self._names[concept.id] = {side.id: side.name for side in concept.sides}
            for side in concept.sides:
                for name in side.names:
                    owners = meanings.setdefault(_fold(name), [])
                    if (concept.id, side.id) not in owners:
                        owners.append((concept.id, side.id))
        self._meanings = {name: tuple(owners) for name, owners in meanings.items() if name}
        self._halves = _halved(self._meanings)
        names = sorted(self._meanings, key=len, reverse=True)
        self._pattern = re.compile(
            r"(?<!\w)(?:" + "|".join(re.escape(name) for name in names) + r")(?!\w)" if names else r"(?!)"
        )

    def find(self, text: str) -> list[Mention]:
        """Mentions in order of appearance."""
        found: list[Mention] = []
        for match in self._pattern.finditer(_fold(text)):
            words = match.group()
            mention = Mention(words, match.start(), self._meanings[words])
            begin = found[-1].start + len(found[-1].words) if found else 0
            found += [*self._shortened(match.string[begin : mention.start], begin, mention), mention]
        return found

    def _shortened(self, before: str, begin: int, mention: Mention) -> list[Mention]:
        """Names that leave their last word to the one that they are listed with: "bi- and cross-encoders", "structured, unstructured and 2:4 pruning"."""
        listed = _LISTED.search(before)
        if listed is None:
            return []
        head = _singular(mention.words.rpartition(" ")[-1])
        concepts = {concept for concept, _ in mention.sides}
        shortened: list[Mention] = []
        for word in _LISTED_WORD.finditer(listed.group()):
            sides = tuple(side for side in self._halves.get((word.group(), head), ()) if side[0] in concepts)
            if sides:
                shortened.append(Mention(word.group(), begin + listed.start() + word.start(), sides))
        return shortened

    def sides(self, text: str, concept: str | None = None) -> list[str]:
        """Side ids named in the text, of one set or of any, in order of appearance, each once."""
        ids = [side for mention in self.find(text) for owner, side in mention.sides if concept in (None, owner)]
        return list(dict.fromkeys(ids))

    def masked(self, text: str) -> str:
        """The text in lower case with NAME in the place of each name, for models of words to which all names are alike."""
        kept, done = [], 0
        for mention in self.find(text):
            kept += [text[done : mention.start].lower(), "NAME"]
            done = mention.start + len(mention.words)
        return "".join([*kept, text[done:].lower()])

    def neighbours(self, concept: str, side: str) -> list[str]:
        """The names of the set's other sides."""
        return [name for other, name in self._names[concept].items() if other != side]


def _fold(text: str) -> str:
    """Lower case, hyphens as blanks: "Fine-Tuning" and "fine tuning" are one name. Keeps the length, letter by letter."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    return re.sub(r"[-‐‑–/_]", " ", lower)


def _halved(meanings: Mapping[str, tuple[tuple[str, str], ...]]) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    """What names mean by their first and last word: ("few", "shot"); a name in one word is halved where another one ends likewise: ("pre", "training")."""
    pairs = {name: name.split(" ") for name in meanings}
    heads = {_singular(words[1]) for words in pairs.values() if len(words) == 2}
    halves: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for name, words in pairs.items():
        if len(words) == 2:
            halves[words[0], _singular(words[1])] = meanings[name]
        elif len(words) == 1:
            for head in heads:
                if (single := _singular(name)).endswith(head) and single != head:
                    halves.setdefault((single.removesuffix(head), head), meanings[name])
    return halves


def _singular(word: str) -> str:
    return word.removesuffix("s")
