"""A whole turn on one page: question → standalone query → intent → passages → answer events.

`Tutor` holds what all learners share and never changes it. What differs between learners comes in as an argument (the
history) and goes out as events, so two learners never meet.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from demos import DEMOS, find_demo
from knowledge.passages import Concept, Knowledge
from knowledge.search import Hit, Retrieval, Search
from tutor.answers import stream_answer
from tutor.choosing.taught import Taught
from tutor.choosing.wish import wish_of
from tutor.context.lately import Lately, look_back
from tutor.engines.base import Engine
from tutor.errors import DemoError, EngineError, WeightsError
from tutor.events import (
    Answered,
    Checked,
    Delta,
    DemoCall,
    Event,
    Exchange,
    Retrieved,
    Source,
    Timings,
    Understood,
    sources_of,
)
from tutor.experiments.about import About, Subject, by_words_alone
from tutor.experiments.experiment import Request, ask_prediction, only_route, run_experiment
from tutor.experiments.predictions import JUST_RUN, resolve, settled, skips, waits
from tutor.experiments.recall import Recalled, aimed, recall, runs_of, topical, with_reasons
from tutor.experiments.specimens import Specimens
from tutor.followup import Standalone, make_standalone
from tutor.intent import LONGEST_QUESTION, Routed, last_question, route
from tutor.judging import Judge
from tutor.lookup import NOTES, look_up
from tutor.prompts import experiments, not_covered, refusal, smalltalk, stood_by, taken_back
from tutor.quiz import marked, next_item, wants_more, worded
from tutor.requests.continued import NOT_SO, changed
from tutor.requests.manner import Judged, Manner, unjudged
from tutor.requests.replies import Replies, Reply, read_words
from tutor.requests.simpler import simplified
from tutor.suggestions import SUGGESTED, left_out, nearest_sets, sayings, suggest
from tutor.verdict.doubted import asks_more
from tutor.verdict.polarity import settled_polarity
from tutor.verdict.readers import Readers

_APOSTROPHE = re.compile(r"(?<=\w)’(?=\w)")  # as phones type it, in the place of the one that rules and models know


@dataclass(frozen=True)
class Tutor:
    """Knowledge, search, model and specimens, ready to answer. `free` models write; others choose sentences, as `taught`.

    `manner` tells questions from other wishes, `replies` which choice a reply means, `about` whether a question is about a run, `readers` Yes from No, and `judge` checks what free models wrote.
    """

    knowledge: Knowledge
    search: Search
    engine: Engine
    specimens: Specimens
    free: bool = False
    taught: Taught | None = None
    manner: Manner | None = None
    replies: Replies | None = None
    about: About | None = None
    judge: Judge | None = None
    readers: Readers | None = None

    def turn(
        self, question: str, history: Sequence[Exchange] = (), *, run_demos: bool = True, predict: bool = False
    ) -> Generator[Event]:
        """Answer one question. Closing the iterator stops all work. Never raises for what a learner typed.

        With `predict`, an experiment that is new to the conversation first asks what the learner expects of it.
        """
        start = time.monotonic()
        question = _APOSTROPHE.sub("'", question.replace("\x00", " ")).strip()
        history, choice = settled(history, DEMOS, self._read), None
        if (resolved := resolve(history, question, DEMOS, self._read)) is not None:
            # The request before the prediction is routed again: what is to run is never kept anywhere else.
            question, history, choice = resolved.request, resolved.before, resolved.choice
        elif (quizzed := marked(self.knowledge, history, question, self._read)) is not None:
            if quizzed.reply.choice is not None and wants_more(question):
                told = (*history, Exchange(question, quizzed.text))
                yield from self._quiz(question, quizzed.concept, told, start, f"{quizzed.text}\n\n")
            else:
                yield from self._say(Understood("quiz", question), quizzed.text, start, quizzed.concept)
            return
        question = simplified(question, history)
        standalone = self._standalone(question, history)
        concept = standalone.topic.concept if standalone.topic else None
        try:
            routed = route(question, history, DEMOS, concept.id if concept else None, self._judge)
            if resolved is not None and resolved.settings and routed.demo is not None:
                own = find_demo(routed.demo.name)
                routed = replace(routed, demo=changed(resolved.reply, resolved.settings, own, routed.demo))
        except DemoError as error:
            yield from self._say(
                Understood("demo", question),
                f"{NOT_SO}{str(error).removeprefix('--')}",
                start,
                concept,
            )
            return
        if routed.intent == "demo" and routed.demo is not None:
            choice = "" if choice is None and skips(question) else choice
            yield from self._experiment(routed.demo, standalone, history, start, run_demos, predict, choice)
        elif routed.intent == "quiz":
            yield from self._quiz(question, concept, history, start)
        elif routed.intent == "ask":
            meant = self.search.spelling.mended(question)
            recalled = recall(meant, history, DEMOS, self.search, self._read_subject)
            standalone, lead = aimed(standalone, meant, recalled, DEMOS, self.search), ""
            lately = look_back(question, history, self.knowledge)
            if lately.doubted:
                before = replace(self._standalone(history[-1].user, history[:-1]), rewritten=True)
                lead = self._of_doubted(lately.doubted, before.query)
                if not asks_more(question):
                    standalone, recalled = before, Recalled()
            for event in self._answer(standalone, recalled, start, lately, lead):
                if isinstance(event, Answered) and waits(history, DEMOS):
                    event = replace(event, followups=(JUST_RUN, *event.followups)[:SUGGESTED])
                yield event
        else:
            yield from self._chat(routed, question, concept, start)

    def _answer(
        self, standalone: Standalone, recalled: Recalled, start: float, lately: Lately, lead: str
    ) -> Iterator[Event]:
        """`lead` is said before the answer's sentences, if there are any."""
        understood = Understood("ask", standalone.query, standalone.rewritten or standalone.respelt)
        yield understood
        wish = wish_of(standalone.query, self.search)
        broken: EngineError | WeightsError | None = None
        try:
            found = look_up(standalone, self.search, self.taught, wish)
        except (EngineError, WeightsError) as error:
            # Told where the answer would stand: the notes are shown, and what they do not answer needs no model.
            found, broken = look_up(standalone, self.search, None, wish), error
        retrieval = found.retrieval
        covered = retrieval.covered or recalled.strongly
        hits = with_reasons(standalone.query, retrieval.hits, recalled, DEMOS, self.search)
        notes = (*hits, *recalled.notes)
        yield Retrieved(notes, covered)
        concept = self._concept(retrieval)
        if not covered:
            yield from self._abstain(understood, retrieval, start)
            return
        first, checked, text = 0.0, list[Checked](), ""
        try:
            if broken:
                raise broken
            for event in stream_answer(
                self.engine,
                self.free,
                standalone.query,
                notes,
                self.search,
                votes=found.votes,
                judge=self.judge,
                readers=self.readers,
                told=standalone.said,
                vector=standalone.vector,
                context=standalone.reader_context,
                wish=wish,
                lately=lately,
            ):
                if lead and not text:
                    text = f"{lead} "
                    yield Delta(text)
                first = first or time.monotonic() - start
                if isinstance(event, Checked):
                    checked.append(event)
                else:
                    text += event.text
                yield event
        except (EngineError, WeightsError) as error:
            told, took = f"\n\n{error}" if text else str(error), time.monotonic() - start
            yield Delta(told)
            sources, timings = sources_of(notes, checked), Timings(first or took, took, 0, 0)
            yield Answered(text + told, understood, sources, tuple(checked), (), timings, True, concept.id)
            return
        if not text:
            yield from self._abstain(understood, retrieval, start)
            return
        sources = sources_of(notes, checked)
        concept = self._cited(sources) or concept
        prompt_tokens = sum(self.engine.count(hit.passage.text) for hit in notes) + self.engine.count(standalone.query)
        timings = Timings(first, time.monotonic() - start, prompt_tokens, self.engine.count(text))
        yield Answered(
            text,
            understood,
            sources,
            tuple(checked),
            (*left_out(found.votes, sources, checked), *suggest(concept, standalone.query, hits))[:SUGGESTED],
            timings,
            concept=concept.id,
        )

    def _experiment(
        self,
        call: DemoCall,
        standalone: Standalone,
        history: Sequence[Exchange],
        start: float,
        run: bool,
        predict: bool,
        choice: str | None,
    ) -> Iterator[Event]:
        """`choice` is what the learner expects, "" if the question was skipped, UNCLEAR if the reply was, None if it was not asked."""
        demo, runs = find_demo(call.name), runs_of(history)
        same = bool(runs) and (runs[-1].name, dict(runs[-1].params)) == (demo.name, dict(call.params))
        asked = self._last_question(history, standalone) if run else ""
        understood = Understood("demo", standalone.query, False, call)
        request = Request(understood, demo, call, start, len(runs) + 1, asked, same, choice or "")
        new = choice is None and all(earlier.name != demo.name for earlier in runs)
        if not run:
            yield from only_route(request, self.search)
        elif predict and new and demo.prediction is not None:
            yield from ask_prediction(request, demo.prediction, self.search)
        else:
            yield from run_experiment(request, self.specimens.copy, self.specimens.bench, DEMOS, self.search)

    def _quiz(
        self, question: str, concept: Concept | None, history: Sequence[Exchange], start: float, lead: str = ""
    ) -> Iterator[Event]:
        found = next_item(self.knowledge, concept, history)
        if found is None:
            yield from self._say(Understood("quiz", question), "My notes hold no quiz questions yet.", start, concept)
            return
        understood, text = Understood("quiz", question), lead + worded(found[1])
        yield understood
        yield Delta(text)
        took = time.monotonic() - start
        yield Answered(text, understood, (), (), (), Timings(took, took, 0, 0), concept=found[0].id, quiz=found[1])

    def _abstain(self, understood: Understood, retrieval: Retrieval, start: float) -> Iterator[Event]:
        """Say that the notes do not cover it, and offer the sets that lie nearest."""
        # Four hits may all be of one set; the buttons name three.
        near = (*retrieval.hits, *self.search.search(understood.query, 4 * NOTES).hits)
        text = not_covered(self.knowledge, retrieval.hits)
        yield from self._say(understood, text, start, None, abstained=True, near=near)

    def _say(
        self,
        understood: Understood,
        text: str,
        start: float,
        concept: Concept | None,
        abstained: bool = False,
        near: Sequence[Hit] = (),
        says: tuple[str, ...] = (),
    ) -> Iterator[Event]:
        """A reply that rests on no note, with what to say next (`says`), or what to ask; `understood` may have been yielded before, which repeats nothing visible."""
        yield understood
        yield Delta(text)
        took = time.monotonic() - start
        asks = suggest(concept, understood.query, ()) if concept else nearest_sets(self.knowledge, near)
        yield Answered(
            text,
            understood,
            (),
            (),
            says or asks,
            Timings(took, took, 0, 0),
            abstained,
            concept.id if concept else None,
        )

    def _chat(self, routed: Routed, question: str, concept: Concept | None, start: float) -> Iterator[Event]:
        """A reply to what is no question, or to none that can be read."""
        understood, says = Understood(routed.intent, question), tuple[str, ...]()
        if routed.reason == "experiments":
            text = experiments(DEMOS, concept)
            says = sayings(DEMOS, concept)
        elif routed.intent == "smalltalk":
            text = smalltalk(routed.reason, self.knowledge, self.engine.name)
        else:
            text = refusal(routed.reason, LONGEST_QUESTION)
        yield from self._say(understood, text, start, None, routed.intent == "refuse", says=says)

    def _judge(self, text: str) -> Judged:
        """By patterns of words alone where what judges cannot be loaded, which is logged at the start; the embedded model's answer, which needs it too, tells why."""
        try:
            return self.manner.judge(text) if self.manner else unjudged(text)
        except (EngineError, WeightsError):
            return unjudged(text)

    def _read(self, question: str, choices: Sequence[str], text: str) -> Reply:
        """A reply to a question with choices; by rule alone where what reads it cannot be loaded."""
        try:
            return (self.replies.read if self.replies else read_words)(question, choices, text)
        except (EngineError, WeightsError):
            return read_words(question, choices, text)

    def _read_subject(self, question: str) -> Subject:
        """By words alone where what reads it cannot be loaded."""
        try:
            return (self.about.read if self.about else by_words_alone)(question)
        except (EngineError, WeightsError):
            return by_words_alone(question)

    def _standalone(self, question: str, history: Sequence[Exchange]) -> Standalone:
        turns = topical(history, DEMOS, self.search)
        return make_standalone(question[:LONGEST_QUESTION], turns, self.search)

    def _of_doubted(self, word: str, query: str) -> str:
        """What is said of a Yes or No that the learner doubts: an author may have settled it."""
        settled = settled_polarity(
            query, self.search.search(query, NOTES).hits, self.search.embedder, self.search.mentions
        )
        return (stood_by if settled == word.lower() else taken_back)(word)

    def _concept(self, retrieval: Retrieval) -> Concept:
        return self.knowledge.by_id[retrieval.hits[0].passage.concept]

    def _cited(self, sources: Sequence[Source]) -> Concept | None:
        """The set of the first note that the answer rests on: picture and next questions are its own. None where it rests on runs only."""
        cited = (source.hit.passage.concept for source in sources if source.cited)
        return next((self.knowledge.by_id[name] for name in cited if name in self.knowledge.by_id), None)

    def _last_question(self, history: Sequence[Exchange], standalone: Standalone) -> str:
        """The learner's own last question, for an experiment to ask again; a quiz's "B" is none, nor what was asked about a run."""
        turns = [
            exchange
            for i, exchange in enumerate(history)
            if marked(self.knowledge, history[:i], exchange.user, self._read) is None
            and not recall(exchange.user, history[:i], DEMOS, self.search, self._read_subject).strongly
        ]
        concept = standalone.topic.concept.id if standalone.topic else None
        return last_question(turns, DEMOS, concept, self._judge)
