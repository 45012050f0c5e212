"""Do the notes rather say the opposite? A written sentence beside rivals that differ from it in one fact.

A rival has a concept exchanged for its neighbour, another number, or a "not" where the sentence has none. If the model that has
just read the note finds a rival likelier than the sentence, the sentence probably got it the wrong way round. The comparison is of
two almost equal texts, so it is sharp where embeddings, which hardly see a "not" or an exchange, are blind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from knowledge.mentions import Mentions
from tutor.engines.base import Message

_AUXILIARY = r"is|are|was|were|can|does|do|did|has|have|had|will|would|must|should|may|might|could"
_DENIAL = re.compile(rf"\b({_AUXILIARY}) not\b|\bcan['’]t\b|\bwon['’]t\b|\bcannot\b|\bnever |n['’]t\b", re.IGNORECASE)
_KEPT = {"cannot": "can", "can't": "can", "won't": "will", "never ": ""}
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MOST = 12  # rivals of one sentence


class Scoring(Protocol):
    """A model that tells how likely texts are after a prompt, in nats."""

    def score(self, messages: Sequence[Message], texts: Sequence[str]) -> list[float]: ...


def rivals(sentence: str, mentions: Mentions, note: str = "") -> list[str]:
    """The sentence with one fact turned round, for each place where that can be done; numbers are exchanged for the note's."""
    found = dict.fromkeys((*_renumbered(sentence, note), *_exchanged(sentence, mentions), *_turned(sentence)))
    found.pop(sentence, None)
    return list(found)[:_MOST]


def advantage(sentence: str, others: Sequence[str], note: str, model: Scoring) -> float:
    """By how many nats the sentence is likelier after the note than its likeliest rival; infinite without rivals."""
    if not others:
        return float("inf")
    prompt = [Message("user", f"{note}\n\nSay the same in your own words.")]
    own, *theirs = model.score(prompt, [sentence, *others])
    return own - max(theirs)


def _renumbered(sentence: str, note: str) -> Iterator[str]:
    others = dict.fromkeys(NUMBER.findall(note))
    for match in list(NUMBER.finditer(sentence))[:2]:
        for number in list(others)[:4]:
            if number not in sentence:
                yield sentence[: match.start()] + number + sentence[match.end() :]


def _exchanged(sentence: str, mentions: Mentions) -> Iterator[str]:
    found = mentions.find(sentence)
    spans = [(m.start, m.start + len(m.words), m.sides[0]) for m in found]
    for i, (start, end, (concept, side)) in enumerate(spans):
        for later_start, later_end, (other_concept, other_side) in spans[i + 1 :]:
            if other_concept == concept and other_side != side and later_start >= end:
                one, other = sentence[start:end], sentence[later_start:later_end]
                yield sentence[:start] + other + sentence[end:later_start] + one + sentence[later_end:]
        for name in mentions.neighbours(concept, side):
            yield sentence[:start] + name + sentence[end:]


def _turned(sentence: str) -> Iterator[str]:
    denied = list(_DENIAL.finditer(sentence))
    for match in denied:
        kept = _KEPT.get(match.group().lower().replace("’", "'"), match.group(1) or "")
        yield sentence[: match.start()] + kept + sentence[match.end() :]
    if not denied:
        for match in re.finditer(rf"\b({_AUXILIARY})\b", sentence, re.IGNORECASE):
            yield sentence[: match.end()] + " not" + sentence[match.end() :]
