"""Quiz turns: ask one of a set's questions, mark the reply. Which question was asked is read from the history."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.passages import Concept, Knowledge, QuizItem
from tutor.events import Exchange

_LETTERS = "ABCDEF"


def next_item(
    knowledge: Knowledge, concept: Concept | None, history: Sequence[Exchange]
) -> tuple[Concept, QuizItem] | None:
    """The first question of the set in play that the history has not asked; without a set, the next set's."""
    said = "\n".join(exchange.tutor for exchange in history)
    concepts = [concept] if concept is not None and concept.quiz else []
    concepts += [other for other in knowledge.concepts if other.quiz and other not in concepts]
    fresh = ((c, item) for c in concepts for item in c.quiz if item.question not in said)
    return next(fresh, None) or next(((c, c.quiz[0]) for c in concepts), None)


def worded(item: QuizItem) -> str:
    """The question with lettered choices, as Markdown."""
    choices = "\n".join(f"- **{letter}** {choice}" for letter, choice in zip(_LETTERS, item.choices, strict=False))
    return f"{item.question}\n\n{choices}"


def pending_item(knowledge: Knowledge, history: Sequence[Exchange]) -> tuple[Concept, QuizItem] | None:
    """The question that the tutor asked last and that waits for a reply."""
    if not history:
        return None
    last = history[-1].tutor
    return next(
        ((c, item) for c in knowledge.concepts for item in c.quiz if item.question in last and item.choices[0] in last),
        None,
    )


def chosen(item: QuizItem, reply: str) -> int | None:
    """The index that a reply picks, by letter or by the choice's words; None if it picks none."""
    text = reply.strip()
    letter = re.match(
        rf"^(?:(?:i (?:think|say|guess)|it'?s|answer(?: is)?|option|choice)\s+)?\(?([{_LETTERS}{_LETTERS.lower()}])\)?[\s.!?)]*$",
        text,
        re.IGNORECASE,
    )
    if letter:
        index = _LETTERS.index(letter[1].upper())
        return index if index < len(item.choices) else None
    folded = text.lower().rstrip(" .!")
    return next((i for i, choice in enumerate(item.choices) if choice.lower().rstrip(" .!") == folded), None)


def verdict(item: QuizItem, index: int) -> str:
    """Right or not, with the reason."""
    if index == item.answer:
        return f"Right! {item.because}"
    return f"Not quite: the answer is **{_LETTERS[item.answer]}** {item.choices[item.answer]}. {item.because}"
