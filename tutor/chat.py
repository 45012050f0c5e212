"""A whole turn on one page: question → intent → standalone query → passages → answer events.

`Tutor` holds what all learners share and never changes it. What differs between learners comes in as an argument (the
history) and goes out as events, so two learners never meet.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from demos import DEMOS, find_demo
from demos.base import DemoResult, Lab, Progress
from knowledge.passages import Concept, Knowledge
from knowledge.search import Retrieval, Search
from tutor.answers import stream_answer
from tutor.engines.base import Engine
from tutor.errors import DemoError, EngineError
from tutor.events import (
    Answered,
    Checked,
    Delta,
    DemoCall,
    DemoFinished,
    DemoProgress,
    Event,
    Exchange,
    Retrieved,
    Source,
    Timings,
    Understood,
)
from tutor.followup import Standalone, make_standalone
from tutor.intent import LONGEST_QUESTION, Routed, route
from tutor.prompts import not_covered, refusal, smalltalk
from tutor.quiz import chosen, next_item, pending_item, verdict, worded
from tutor.specimens import Specimens
from tutor.suggestions import suggest

NOTES = 4


@dataclass(frozen=True)
class Tutor:
    """Knowledge, search, model and specimens, ready to answer. `free` models write; others choose sentences."""

    knowledge: Knowledge
    search: Search
    engine: Engine
    specimens: Specimens
    free: bool = False

    def turn(self, question: str, history: Sequence[Exchange] = (), *, run_demos: bool = True) -> Generator[Event]:
        """Answer one question. Closing the iterator stops all work. Never raises for what a learner typed."""
        start = time.monotonic()
        question = question.replace("\x00", " ").strip()
        reply = pending_item(self.knowledge, history)
        if reply is not None and (picked := chosen(reply[1], question)) is not None:
            yield from self._say(Understood("quiz", question), verdict(reply[1], picked), start, reply[0])
            return
        standalone = self._standalone(question, history)
        concept = standalone.topic.concept if standalone.topic else None
        try:
            routed = route(question, history, DEMOS, concept.id if concept else None)
        except DemoError as error:
            yield from self._say(Understood("demo", question), f"I can run that, but not so: {error}", start, concept)
            return
        if routed.intent == "demo" and routed.demo is not None:
            yield from self._experiment(question, routed.demo, standalone, history, start, run_demos)
        elif routed.intent == "quiz":
            yield from self._quiz(question, concept, history, start)
        elif routed.intent == "ask":
            yield from self._answer(standalone, start)
        else:
            yield from self._say(
                Understood(routed.intent, question), self._reply(routed), start, None, routed.intent == "refuse"
            )

    def _answer(self, standalone: Standalone, start: float) -> Iterator[Event]:
        understood = Understood("ask", standalone.query, standalone.rewritten)
        yield understood
        retrieval = self.search.search(standalone.query, NOTES)
        yield Retrieved(retrieval.hits, retrieval.covered)
        concept = self._concept(retrieval)
        if not retrieval.covered:
            yield from self._say(understood, not_covered(self.knowledge, retrieval.hits), start, None, abstained=True)
            return
        first, checked, text, new_tokens = 0.0, [], "", 0
        try:
            for event in stream_answer(self.engine, self.free, standalone.query, retrieval.hits, self.search):
                first = first or time.monotonic() - start
                if isinstance(event, Checked):
                    checked.append(event)
                else:
                    text += event.text
                yield event
        except EngineError as error:
            yield from self._say(
                understood, f"{text}\n\n{error}" if text else str(error), start, concept, abstained=True
            )
            return
        if not text:
            yield from self._say(understood, not_covered(self.knowledge, retrieval.hits), start, None, abstained=True)
            return
        cited = {n for sentence in checked for n in sentence.sources}
        sources = tuple(Source(n, hit, n in cited) for n, hit in enumerate(retrieval.hits, 1))
        prompt_tokens = sum(self.engine.count(hit.passage.text) for hit in retrieval.hits) + self.engine.count(
            standalone.query
        )
        new_tokens = self.engine.count(text)
        timings = Timings(first, time.monotonic() - start, prompt_tokens, new_tokens)
        yield Answered(
            text,
            understood,
            sources,
            tuple(checked),
            suggest(concept, standalone.query, retrieval.hits),
            timings,
            concept=concept.id,
        )

    def _experiment(
        self,
        question: str,
        call: DemoCall,
        standalone: Standalone,
        history: Sequence[Exchange],
        start: float,
        run: bool,
    ) -> Iterator[Event]:
        demo = find_demo(call.name)
        understood = Understood("demo", standalone.query, False, call)
        yield understood
        concept = self.knowledge.by_id.get(demo.concepts[0]) if demo.concepts else None
        result: DemoResult | None = None
        asked = next((e.user for e in reversed(history) if _is_question(e.user)), "") if run else ""
        for step in demo.run(Lab(self.specimens.copy, asked), call.params) if run else ():
            if isinstance(step, Progress):
                yield DemoProgress(step.fraction, step.note)
            else:
                result = step
        finished = DemoFinished(call, demo.title, result, seed=0) if result is not None else None
        if finished is not None:
            yield finished
        text = result.summary if result is not None else f"This would run the experiment “{demo.title}”."
        yield Delta(text)
        followups = suggest(concept, question, ()) if concept else ()
        took = time.monotonic() - start
        yield Answered(
            text,
            understood,
            (),
            (),
            followups,
            Timings(took, took, 0, 0),
            concept=concept.id if concept else None,
            finished=finished,
        )

    def _quiz(
        self, question: str, concept: Concept | None, history: Sequence[Exchange], start: float
    ) -> Iterator[Event]:
        found = next_item(self.knowledge, concept, history)
        if found is None:
            yield from self._say(Understood("quiz", question), "My notes hold no quiz questions yet.", start, concept)
            return
        understood, text = Understood("quiz", question), worded(found[1])
        yield understood
        yield Delta(text)
        took = time.monotonic() - start
        yield Answered(text, understood, (), (), (), Timings(took, took, 0, 0), concept=found[0].id, quiz=found[1])

    def _say(
        self, understood: Understood, text: str, start: float, concept: Concept | None, abstained: bool = False
    ) -> Iterator[Event]:
        """A reply that rests on no note; `understood` may have been yielded before, which repeats nothing visible."""
        yield understood
        yield Delta(text)
        took = time.monotonic() - start
        followups = (
            suggest(concept, understood.query, ())
            if concept
            else tuple(c.question for c in self.knowledge.concepts[:3])
        )
        yield Answered(
            text, understood, (), (), followups, Timings(took, took, 0, 0), abstained, concept.id if concept else None
        )

    def _reply(self, routed: Routed) -> str:
        if routed.intent == "smalltalk":
            return smalltalk(routed.reason, self.knowledge, self.engine.name)
        return refusal(routed.reason, LONGEST_QUESTION)

    def _standalone(self, question: str, history: Sequence[Exchange]) -> Standalone:
        return make_standalone(question[:LONGEST_QUESTION], history, self.knowledge, self.search.mentions)

    def _concept(self, retrieval: Retrieval) -> Concept:
        return self.knowledge.by_id[retrieval.hits[0].passage.concept]


def _is_question(text: str) -> bool:
    """Whether an earlier turn asked for an answer; an experiment that could not run did not."""
    try:
        return route(text, (), DEMOS).intent == "ask"
    except DemoError:
        return False
