"""Quiz turns: ask one of a set's questions, mark the reply. Which question was asked is read from the history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.passages import Concept, Knowledge, QuizItem
from tutor.events import Exchange
from tutor.requests.replies import LETTERS, OPEN_FOR, Reads, Reply, read_words

_WAS_RIGHT = re.compile(
    r"^\W*(?:(?:so|and|but|ok(?:ay)?|sorry|hm+|wait)\W+)*(?:(?:was|is|were) (?:that|this|it|i|my (?:answer|guess|choice)) (?:right|correct|wrong|true)"
    r"|did i (?:get|have) (?:it|that|this one)(?: right| wrong)?|was i right)(?: (?:or|now|then|not|wrong|there))*\W*$",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:another|next|(?:(?:one|some|two) )?more|(?:some|any)thing|smth|one|bit) harder\b|\bharder(?: (?:ones?|questions?))?(?: (?:now|please|pls))*\W*$"
    r"|\b(?:another|next|new) (?:one|q|qu?estions?|quiz)\b|\b(?:one|some|two) more(?: questions?)?(?: (?:now|please|pls))*\W*$|\b(?:next|another)(?: (?:now|please|pls))*\W*$",
    re.IGNORECASE,
)
_CALLED = re.compile(r"\b(?:answer|guess|choice|quiz)\b", re.IGNORECASE)


def next_item(
    knowledge: Knowledge, concept: Concept | None, history: Sequence[Exchange]
) -> tuple[Concept, QuizItem] | None:
    """The first question of the set in play that the history has not asked; without a set, the next set's."""
    said = "\n".join(exchange.tutor for exchange in history)
    concepts = [concept] if concept is not None and concept.quiz else []
    concepts += [other for other in knowledge.concepts if other.quiz and other not in concepts]
    fresh = ((c, item) for c in concepts for item in c.quiz if item.question not in said)
    return next(fresh, None) or next(((c, c.quiz[0]) for c in concepts), None)


def wants_more(text: str) -> bool:
    """Whether a reply to a question also asks for the next: "A, but I just read that. Something harder"."""
    return _MORE.search(text) is not None


def worded(item: QuizItem) -> str:
    """The question with lettered choices, as Markdown."""
    choices = "\n".join(f"- **{letter}** {choice}" for letter, choice in zip(LETTERS, item.choices, strict=False))
    return f"{item.question}\n\n{choices}"


@dataclass(frozen=True)
class Marked:
    """A quiz question of a set, and what a reply makes of it."""

    concept: Concept
    item: QuizItem
    reply: Reply

    @property
    def text(self) -> str:
        """Right or not, with the reason; the answer for who gives up, or the question again where it is not sure what is meant."""
        item, choice = self.item, self.reply.choice
        answer = f"**{LETTERS[item.answer]}** {item.choices[item.answer]}. {item.because}"
        if self.reply.kind == "skip":
            return f"The answer is {answer}"
        if choice is None:
            return f"Which of them do you mean? A letter will do.\n\n{worded(item)}"
        return f"Right! {item.because}" if choice == item.answer else f"Not quite: the answer is {answer}"


def marked(knowledge: Knowledge, history: Sequence[Exchange], text: str, reads: Reads = read_words) -> Marked | None:
    """The quiz question that this message answers, if it does. Right after the question any words may; a few turns later a letter does that is called an answer.

    Who asks right behind an answer whether it was right is told again.
    """
    if history and _WAS_RIGHT.match(text) and (told := marked(knowledge, history[:-1], history[-1].user, reads)):
        return told
    for back, exchange in enumerate(reversed(history[-OPEN_FOR:]), 1):
        found = _asked_in(exchange.tutor, knowledge)
        if found is None:
            continue
        concept, item = found
        if any(item.because in later.tutor for later in history[len(history) - back + 1 :]):
            return None  # it was marked
        if back == 1:
            reply = reads(item.question, item.choices, text)
        else:
            reply = read_words(item.question, item.choices, text) if _CALLED.search(text) else Reply("other")
        return None if reply.kind == "other" else Marked(concept, item, reply)
    return None


def _asked_in(said: str, knowledge: Knowledge) -> tuple[Concept, QuizItem] | None:
    """The question that the tutor asked in these words."""
    return next(
        ((c, item) for c in knowledge.concepts for item in c.quiz if item.question in said and item.choices[0] in said),
        None,
    )
