"""Figures of the answers themselves, against committed key points, for the items that carry them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from tutor.chat import Tutor
from tutor.evaluation.finding import Finding, share
from tutor.evaluation.items import Item
from tutor.events import Answered


def evaluate_answers(items: Sequence[Item], tutor: Tutor) -> Finding:
    """Ask every item with key points; each displayed sentence is looked up in the passages."""
    place = {
        sentence: f"{passage.id}:{i}"
        for passage in tutor.knowledge.passages
        for i, sentence in enumerate(passage.sentences)
    }
    finding = Finding()
    supported = complete = concise = both = 0
    points_made: list[float] = []
    fitting: list[float] = []
    lengths: list[int] = []
    polar = polar_right = polar_said = 0
    asked = [item for item in items if item.must]
    for item in asked:
        answered = _ask(item, tutor)
        said = [place.get(_plain(sentence.text), "") for sentence in answered.sentences if sentence.sources]
        lengths.append(len(said))
        supported += bool(said) and all(said)
        wanted = frozenset().union(*item.must) | item.ok
        made = [bool(point & set(said)) for point in item.must]
        points_made.append(mean(made))
        fits = [reference in wanted for reference in said]
        fitting.append(mean(fits) if fits else 0.0)
        complete += all(made)
        concise += bool(fits) and all(fits)
        both += all(made) and all(fits)
        if item.polarity:
            polar += 1
            opening = answered.text.split(".")[0].strip().lower()
            polar_said += opening in ("yes", "no")
            polar_right += opening == item.polarity
        if not (all(made) and fits and all(fits)):
            missing = [sorted(point)[0] for point, hit in zip(item.must, made, strict=True) if not hit]
            needless = [reference for reference in said if reference not in wanted]
            finding.failures.append(
                f"{item.id} answer: {item.question!r}: lacks {missing}, needless {needless}, said {answered.text!r}"
            )
    finding.figures |= {
        "answer_items": len(asked),
        "answers_supported": share(supported, len(asked)),
        "answers_complete": share(complete, len(asked)),
        "answers_without_needless_sentence": share(concise, len(asked)),
        "answers_complete_and_concise": share(both, len(asked)),
        "key_points_made": round(mean(points_made), 4),
        "sentences_fitting": round(mean(fitting), 4),
        "sentences_an_answer": round(mean(lengths), 2),
        "yes_no_right": share(polar_right, polar),
        "yes_no_said": share(polar_said, polar),
        "yes_no_items": polar,
    }
    return finding


def _ask(item: Item, tutor: Tutor) -> Answered:
    last = [event for event in tutor.turn(item.question, item.history, run_demos=False) if isinstance(event, Answered)]
    return last[-1]


def _plain(text: str) -> str:
    """The sentence without its citation."""
    import re

    return re.sub(r"\s*\[\d+\]", "", text)
