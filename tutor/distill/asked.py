"""What the readers of tutor/choosing/causal_classifier.py and encoder_classifier.py learn from: questions with what answers them, and behind what is said already with what is left to say, and with Yes or No.

The teacher's questions, those with all sentences that answer them (keyed.py), the notes themselves, and what they do not answer. Labelled evaluation items take no part.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.coverage import elsewhere_questions
from knowledge.dialogue import in_context
from knowledge.index import passage_rows
from knowledge.mentions import Mentions
from knowledge.passages import Knowledge, Polarity, Reference
from tutor.distill.examples import FOLDER, read_behind
from tutor.distill.keyed import Keyed, load_keyed, split_reference
from tutor.requests.parts import parts_of

_ASTRAY = 0.3  # share of the keyed questions that also learn what is left when a sentence beside the point was said


@dataclass(frozen=True)
class Asked:
    """A text, and what answers it: the points in their order, each the places of sentences of which any makes it. Behind the last place one stands for none, and the next for the end.

    Behind what is `said` already, places too, the points are what is left, of which any will do next, or the end; and `opening` is the word that the answer begins with, if that is learned too.
    """

    text: str
    points: tuple[tuple[int, ...], ...]
    said: tuple[int, ...] = ()
    opening: Polarity | None = None
    opens: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError if what is said is wanted again: it cannot come (tutor/choosing/causal_classifier.py)."""
        if any(set(self.said) & set(point) for point in self.points):
            raise ValueError(f"what is said cannot be what is left, got {self!r}")


def load_asked(knowledge: Knowledge) -> list[Asked]:
    """What the teacher asked, and what the notes hold."""
    place = _places(knowledge)
    of_passage = [tuple(place[p.id, i] for i, _ in enumerate(p.sentences)) for p in knowledge.passages]
    rows = passage_rows(knowledge.passages)
    sentences = (sentence for passage in knowledge.passages for sentence in passage.sentences)
    return [
        *_taught(place),
        *(Asked(text, (of_passage[owner],)) for text, owner, is_text in rows if not is_text),
        *(Asked(sentence, ((i,),)) for i, sentence in enumerate(sentences)),
    ]


def load_strange(knowledge: Knowledge) -> list[Asked]:
    """What the notes do not answer."""
    none = len(_places(knowledge))
    return [Asked(question, ((none,),)) for question in elsewhere_questions()]


def load_keyed_asked(knowledge: Knowledge) -> list[Asked]:
    """The questions of keyed.py: whole, in full, and request by request."""
    place, mentions, text = _places(knowledge), Mentions(knowledge.concepts), _texts(knowledge)
    asked: list[Asked] = []
    for one in load_keyed():
        points = tuple(tuple(place[reference] for reference in point) for point in one.points)
        asked += [Asked(whole, points) for whole in dict.fromkeys((one.text, one.standalone))]
        parts = parts_of(one.standalone, mentions)
        if len(parts) == len(points) == 2 and parts[1].after:
            asked.append(Asked(parts[0].words, points[:1]))
            behind = in_context(parts[1].words, parts[1].after, text[one.points[0][0]])
            asked.append(Asked(behind, points[1:]))
    return asked


def load_keyed_typed(knowledge: Knowledge) -> list[Asked]:
    """The questions of keyed.py as they were typed, a follow-up behind what it goes on from."""
    place = _places(knowledge)
    return [
        Asked(one.text, tuple(tuple(place[reference] for reference in point) for point in one.points))
        for one in load_keyed()
    ]


def load_switches(knowledge: Knowledge) -> list[Asked]:
    """Questions of their own behind an exchange that they do not go on from, half as many as follow-ups: tutor/followup.py has every question behind the last one read so."""
    place = _places(knowledge)
    return [Asked(text, _points(row, place)) for row, text in _switched()]


def load_keyed_continued(knowledge: Knowledge, seed: int = 0) -> list[Asked]:
    """The questions of keyed.py behind the first of their points, which any of its sentences may have made; behind the second one, and behind both; and some behind a sentence beside the point."""
    place, rng = _places(knowledge), random.Random(seed)
    sentences = {passage.id: len(passage.sentences) for passage in knowledge.passages}
    end = ((len(place) + 1,),)

    def left(one: Keyed, *said: Reference) -> tuple[tuple[int, ...], ...]:
        rest = [point for point in one.points if not set(said).intersection(point)]
        return (tuple(dict.fromkeys(place[r] for point in rest for r in point)),) if rest else end

    asked: list[Asked] = []
    for one in load_keyed():
        made = [rng.choice((point[0], rng.choice(point))) for point in one.points]
        for whole in dict.fromkeys((one.text, one.standalone)):
            asked.append(Asked(whole, left(one, made[0]), (place[made[0]],), one.opening, True))
        if made[1:] and made[0] != made[1]:
            asked.append(Asked(one.text, left(one, *made[:2]), (place[made[0]], place[made[1]])))
            asked.append(Asked(one.text, left(one, made[1]), (place[made[1]],)))
        makes = {reference for point in one.points for reference in point}
        beside = [(made[0][0], i) for i in range(sentences[made[0][0]]) if (made[0][0], i) not in makes]
        if beside and rng.random() < _ASTRAY:
            asked.append(Asked(one.text, left(one), (place[rng.choice(beside)],)))
    return asked


def load_taught_continued(knowledge: Knowledge, most: int, seed: int = 0) -> list[Asked]:
    """So many of the teacher's other questions at most, behind some or all sentences of her answers; changes of subject among them."""
    place, rng = _places(knowledge), random.Random(seed)
    read = [
        (row, read_behind(row["question"], *row["history"][-1]) if row["history"] else row["standalone"])
        for row in _taught_rows()
    ]
    read += _switched()
    asked: list[Asked] = []
    for row, whole in rng.sample(read, min(most, len(read))):
        answer = [split_reference(reference) for reference in dict.fromkeys(row["answer"])]
        said = rng.randint(1, len(answer))
        rest = ((place[answer[said]] if said < len(answer) else len(place) + 1,),)
        told = tuple(place[reference] for reference in answer[:said])
        asked.append(Asked(whole, rest, told, row.get("opening"), said == 1))
    return asked


def _places(knowledge: Knowledge) -> dict[Reference, int]:
    references = ((passage.id, i) for passage in knowledge.passages for i, _ in enumerate(passage.sentences))
    return {reference: n for n, reference in enumerate(references)}


def _texts(knowledge: Knowledge) -> dict[Reference, str]:
    return {(p.id, i): sentence for p in knowledge.passages for i, sentence in enumerate(p.sentences)}


def _points(row: Mapping[str, Any], place: Mapping[Reference, int]) -> tuple[tuple[int, ...], ...]:
    return tuple((place[split_reference(text)],) for text in dict.fromkeys(row["answer"]))


def _taught(place: dict[Reference, int]) -> Iterator[Asked]:
    for row in _taught_rows():
        answer = _points(row, place)
        yield Asked(row["standalone"], answer)
        if row["history"]:
            yield Asked(read_behind(row["question"], *row["history"][-1]), answer)


def _switched() -> list[tuple[dict[str, Any], str]]:
    """Questions of their own, each as it is read behind an exchange about something else."""
    rng, own, exchanges = random.Random(0), list[dict[str, Any]](), list[Sequence[str]]()
    for row in _taught_rows():
        if row["history"]:
            exchanges.append(row["history"][-1])
        else:
            own.append(row)
    behind = rng.sample(exchanges, len(exchanges) // 2)
    asked = rng.sample(own, len(behind))
    return [(row, read_behind(row["question"], *exchange)) for row, exchange in zip(asked, behind, strict=True)]


def _taught_rows() -> Iterator[dict[str, Any]]:
    """The teacher's questions that have an answer, without those of keyed.py."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            if row["answer"] and "points" not in row:
                yield row
