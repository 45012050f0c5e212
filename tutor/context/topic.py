"""What a conversation is about: the set that was talked of, with the sides that were named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.mentions import Mentions
from knowledge.passages import Concept, Knowledge
from knowledge.sentences import split_sentences, without_citations


@dataclass(frozen=True)
class Topic:
    """What the conversation is about: a set, the sides last named (all of them for a contrast), the last full question."""

    concept: Concept
    sides: tuple[str, ...]
    query: str

    @property
    def compared(self) -> tuple[str, ...]:
        """The sides among which a comparison chooses: those named, or where it was one, all of the set."""
        return self.sides if len(self.sides) > 1 else tuple(side.id for side in self.concept.sides)

    def in_order(self, answered: str, mentions: Mentions) -> tuple[str, ...]:
        """The sides in the order in which the learner has just read or named them; none where that was one at most."""
        for text in (without_citations(answered), self.query):
            if len(sides := mentions.sides(text, self.concept.id)) > 1:
                return tuple(sides)
        return ()

    def named(self, sides: Sequence[str] | None = None, joint: str = " or ") -> str:
        """The sides' names, "pretraining, midtraining or post-training", in the set's order."""
        wanted = set(self.sides if sides is None else sides)
        names = [side.name for side in self.concept.sides if side.id in wanted]
        return joint.join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def named_topic(
    query: str, answer: str, before: Topic | None, knowledge: Knowledge, mentions: Mentions
) -> Topic | None:
    """The set that most of the answer's sentences are from, the first of equals; else that whose sides the query names most, or the answer.

    Between equals the set that was talked of stays.
    """
    if told := _told(answer, knowledge):
        return _topic_told([name for name, _ in told], query, answer, knowledge, mentions)
    for text in (query, answer):
        sides: dict[str, list[str]] = {}
        votes: Counter[str] = Counter()
        for mention in mentions.find(text):
            for concept, side in mention.sides:
                votes[concept] += 1
                if side not in sides.setdefault(concept, []):
                    sides[concept].append(side)
        if votes:
            stays = before.concept.id if before else ""
            best = max(votes, key=lambda concept: (len(sides[concept]), concept == stays, votes[concept]))
            return Topic(knowledge.by_id[best], tuple(sides[best]), query)
    return None


def _topic_told(passages: Sequence[str], query: str, answer: str, knowledge: Knowledge, mentions: Mentions) -> Topic:
    """The set of the passages that an answer was taken from, with the sides that the query names, or the passages are about."""
    concept = knowledge.by_id[Counter(name.partition("#")[0] for name in passages).most_common(1)[0][0]]
    about = [
        side for p in concept.passages if p.id in passages for side in p.about if side in {s.id for s in concept.sides}
    ]
    sides = mentions.sides(query, concept.id) or about or mentions.sides(answer, concept.id)
    return Topic(concept, tuple(dict.fromkeys(sides)) or tuple(side.id for side in concept.sides), query)


def told_in(answer: str, knowledge: Knowledge) -> frozenset[tuple[str, int]]:
    """The notes' sentences in an answer: passage ids and numbers."""
    return frozenset(_told(answer, knowledge))


def _told(answer: str, knowledge: Knowledge) -> list[tuple[str, int]]:
    """The same in the answer's order."""
    sentences = split_sentences(without_citations(answer))
    return [knowledge.places[sentence] for sentence in sentences if sentence in knowledge.places]
