"""A turn with an experiment: the question before it, the run, and the verdict on what was expected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Semaphore

from demos.base import Demo, DemoResult, Lab, Prediction, Progress, Specimen
from knowledge.passages import Concept, Passage
from knowledge.search import Hit, Search
from tutor.events import (
    Answered,
    Checked,
    Delta,
    DemoCall,
    DemoFinished,
    DemoProgress,
    Event,
    Retrieved,
    Timings,
    Understood,
    sources_of,
)
from tutor.experiments.predictions import UNCLEAR, UNSURE_WHICH, unsaid, verdict, worded
from tutor.experiments.recall import noted, set_of
from tutor.experiments.runs import make_run
from tutor.experiments.specimens import MODEL
from tutor.memory import give_back
from tutor.suggestions import suggest

_NOTES = 4
WHY = "Why did it come out like this?"
_SAME = "The settings are the same as in the run before."
_UNCLEAR = f"{UNSURE_WHICH}, so set this beside what you expected."


@dataclass(frozen=True)
class Request:
    """An experiment that was asked for. `n` is the number of its run, `question` the learner's own for the changed model."""

    understood: Understood
    demo: Demo
    call: DemoCall
    start: float
    n: int = 1
    question: str = ""
    same: bool = False  # as the run before, settings and all
    choice: str = ""  # what the learner expects of it, if that was asked and not skipped; or UNCLEAR

    def timings(self) -> Timings:
        took = time.monotonic() - self.start
        return Timings(took, took, 0, 0)


def ask_prediction(request: Request, prediction: Prediction, search: Search) -> Iterator[Event]:
    """What do you expect? Only the picture is shown with it: a note could give the result away."""
    text, concept = worded(request.demo, prediction, request.call), set_of(request.demo.name, (request.demo,), search)
    yield request.understood
    yield Delta(text)
    yield Answered(
        text,
        request.understood,
        (),
        (),
        (),
        request.timings(),
        concept=concept.id if concept else None,
        prediction=prediction,
    )


def only_route(request: Request, search: Search) -> Iterator[Event]:
    """Say what would run."""
    yield request.understood
    text = f"This would run the experiment “{request.demo.title}”."
    yield Delta(text)
    yield _answered(request, text, (), (), search)


def run_experiment(
    request: Request, copy: Callable[[], Specimen], bench: Semaphore, demos: Sequence[Demo], search: Search
) -> Iterator[Event]:
    """Run it beside the notes about it, then set what was expected beside what was measured."""
    yield request.understood
    demo, choice = request.demo, request.choice
    prediction = demo.prediction if choice not in ("", UNCLEAR) else None
    gap = _passage(prediction.gaps.get(choice, ""), search) if prediction else None
    hits = _shown_with(request, gap, search)
    yield Retrieved(hits, bool(hits))
    result: DemoResult | None = None
    # Two experiments at once would spoil each other's timings and need twice the memory.
    while not bench.acquire(timeout=0.5):
        yield DemoProgress(0.0, "Waiting for another learner's experiment to end")
    steps = demo.run(Lab(copy, request.question), request.call.params)
    try:
        for step in steps:
            if isinstance(step, Progress):
                yield DemoProgress(step.fraction, step.note)
            else:
                result = step
    finally:
        del steps  # and with it, where it was stopped, the copies that it worked on
        give_back()
        bench.release()
    if result is None:
        raise ValueError(f"the experiment {demo.name} ended without a result")
    run = make_run(demo.name, demo.title, request.call.params, 0, MODEL, result, request.question)
    finished = DemoFinished(request.call, demo.title, result, 0, noted(request.n, run, demos, search))
    yield finished
    text, checked = _UNCLEAR if choice == UNCLEAR else _SAME if request.same else "", list[Checked]()
    if text:
        yield Delta(text)
    for event in verdict(prediction, choice, finished, gap, search.embedder) if prediction else ():
        text += event.text if isinstance(event, Delta) else ""
        checked += [event] if isinstance(event, Checked) else []
        yield event
    rest = ("\n\n" if text else "") + unsaid(result.summary, checked)
    yield Delta(rest)
    yield _answered(request, text + rest, hits, checked, search, finished)


def _answered(
    request: Request,
    text: str,
    hits: Sequence[Hit],
    checked: Sequence[Checked],
    search: Search,
    finished: DemoFinished | None = None,
) -> Answered:
    concept = set_of(request.demo.name, (request.demo,), search)
    notes = (*hits, finished.note) if finished else hits
    return Answered(
        text,
        request.understood,
        sources_of(notes, checked),
        tuple(checked),
        _followups(request, concept, hits, finished),
        request.timings(),
        concept=concept.id if concept else None,
        finished=finished,
    )


def _followups(
    request: Request, concept: Concept | None, hits: Sequence[Hit], finished: DemoFinished | None
) -> tuple[str, ...]:
    """After a run the question that a result raises comes first; it is answered from run and notes."""
    why = (WHY,) if finished else ()
    return (*why, *(suggest(concept, request.understood.query, hits, 3 - len(why)) if concept else ()))


def _shown_with(request: Request, gap: Passage | None, search: Search) -> tuple[Hit, ...]:
    """The notes most about an experiment, from the sets that it illustrates; the one that `gap` names comes first."""
    demo = request.demo
    found = search.search(f"{demo.title}: {request.understood.query}", 4 * _NOTES).hits
    hits = [hit for hit in found if hit.passage.concept in demo.concepts]
    if gap is not None:
        own = next((hit for hit in hits if hit.passage.id == gap.id), None) or Hit(gap, 0.0, 0.0)
        hits = [own, *(hit for hit in hits if hit is not own)]
    return tuple(hits[:_NOTES])


def _passage(name: str, search: Search) -> Passage | None:
    return next((passage for passage in search.knowledge.passages if passage.id == name), None)
