"""Predict, observe, explain: what a learner expects of an experiment, asked before it runs and set beside what came out.

Which prediction waits for a reply is read from the history, like a quiz question; the request before it says what to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from demos.base import Demo, Prediction, Value
from demos.quotes import QUOTED
from knowledge.embedder import Embedder
from knowledge.passages import Passage
from knowledge.sentences import cited, split_sentences, without_citations
from tutor.events import Checked, Delta, DemoCall, DemoFinished, Exchange
from tutor.experiments.runs import listed
from tutor.requests.naming import named_in
from tutor.requests.replies import OPEN_FOR, Reads, read_words
from tutor.requests.spoken import mended, spoken_values

JUST_RUN = "Just run it"
UNCLEAR = "?"
"""Stands for what a learner expects where something was said, but not clearly which of the choices."""
UNSURE_WHICH = "I was not sure which of the choices you meant"
VERDICT = re.compile(r"You expected “")
"""Begins the sentence that sets what a learner expected beside what was measured."""
_ASKS = "What do you expect?"
_CLAUSE = re.compile(r"[.,;:!?\n]+\s+|\s+(?=(?:but|and|with|at|using)\b)", re.IGNORECASE)
_PART = re.compile(r"(?:[.,;:!?\n]\s*(?:please|pls|thanks|thank you)?)+")
_COURTESY = (
    r"(?:(?:please|ok(?:ay)?|yes|yeah|sure|well|so|then|now|thanks?|just|simply|(?:can|could|would|will) you)\W+)*"
)
_LATER = r"(?: (?:it|that|me|please|now|live|already|then|for me|anyway|this|the experiment))*"
_ORDERS = re.compile(
    rf"^{_COURTESY}(?:run|show|do|skip|go(?: ahead)?|(?:run|start|try|launch|show me) the (?:[\w-]+ ){{0,2}}[\w-]+){_LATER}$",
    re.IGNORECASE,
)
_GIVES_UP = re.compile(rf"^{_COURTESY}(?:no idea|(?:i )?don'?t know|(?:i'?m )?not sure){_LATER}$", re.IGNORECASE)
_SKIPS = re.compile(
    r"\bjust (?:run|do|start|show(?: me)?) (?:it|that|this)\b|\bno (?:questions?|guess(?:ing|es)?|predictions?)\b|\bwithout (?:asking|guessing|(?:any )?questions)\b|\bdo(?:n'?t| not) ask(?: me)?\b|\bskip the (?:question|guess|prediction)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Resolved:
    """A request that may run now: its words, what had been said before it, and what the learner expects ("" if that was skipped, or UNCLEAR).

    `reply` is what was said to the question, and `settings` are those that it sets: "a small part, I guess. But do temperature 3".
    """

    request: str
    before: tuple[Exchange, ...]
    choice: str
    reply: str
    settings: Mapping[str, Value]


def skips(request: str) -> bool:
    """Whether a request for a run wants no question before it."""
    return _SKIPS.search(request) is not None


def worded(demo: Demo, prediction: Prediction, call: DemoCall) -> str:
    """The question before a run; its choices are the buttons below."""
    return (
        f"**{_ASKS}** {prediction.question}\n\nAs soon as you choose, this runs: {demo.title} ({listed(call.params)})."
    )


def experiment_asked(exchange: Exchange, demos: Sequence[Demo]) -> Demo | None:
    """The experiment whose outcome the learner was asked to predict in this turn, if it was."""
    for demo in demos:
        asked = demo.prediction
        if asked and all(part in exchange.tutor for part in (_ASKS, asked.question, demo.title)):
            return demo
    return None


def resolve(
    history: Sequence[Exchange], text: str, demos: Sequence[Demo], reads: Reads = read_words
) -> Resolved | None:
    """The request that waits for what the learner expects, if this message tells that or wants the run; None if it is something else.

    Right after the question any words may tell; a few turns later a choice's own do, or an order to run it. `history` is as `settled` makes it.
    """
    for back, exchange in enumerate(reversed(history[-OPEN_FOR:]), 1):
        if exchange.run is not None:
            return None
        demo = experiment_asked(exchange, demos)
        if demo is not None:
            rest, settings = _parted(demo, text)
            choice = _reply_to(demo, rest, demos, reads if back == 1 else None)
            if choice is None:
                return None
            return Resolved(exchange.user, tuple(history[:-back]), choice, text, settings)
    return None


def waits(history: Sequence[Exchange], demos: Sequence[Demo]) -> bool:
    """Whether a run still waits for what the learner expects, and would take it or an order to run one turn later."""
    recent = history[-(OPEN_FOR - 1) :]
    asked = [i for i, exchange in enumerate(recent) if experiment_asked(exchange, demos) is not None]
    return bool(asked) and all(exchange.run is None for exchange in recent[asked[-1] :])


def settled(history: Sequence[Exchange], demos: Sequence[Demo], reads: Reads = read_words) -> tuple[Exchange, ...]:
    """The history with each answered prediction folded into the request before it, as if that had run when it was answered.

    A choice ("Less than 10 % worse") is no question and no parameter, so that nothing else should read it as one.
    """
    turns: list[Exchange] = []
    for exchange in history:
        found = resolve(turns, exchange.user, demos, reads)
        if found is not None:
            del turns[len(found.before)]
            exchange = replace(exchange, user=found.request)
        turns.append(exchange)
    return tuple(turns)


def _parted(demo: Demo, text: str) -> tuple[str, dict[str, Value]]:
    """A reply less the clauses that set the experiment's parameters, and these; the whole where it is nothing else, or a clause of it is one of the choices."""
    choices = demo.prediction.choices if demo.prediction else ()
    starts = [
        0,
        *(found.end() for found in _CLAUSE.finditer(re.sub(QUOTED, lambda quoted: "x" * len(quoted.group()), text))),
    ]
    clauses = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    said: list[str] = []
    settings: dict[str, Value] = {}
    for clause in clauses:
        quotes_a_choice = any(choice.lower() in clause.lower() for choice in choices)
        values = {} if quotes_a_choice else spoken_values(mended(clause, [demo]), demo)
        settings |= values
        said += [] if values else [clause]
    rest = "".join(said).strip()
    return (rest, settings) if re.search(r"[^\W\d_]", rest) else (text, {})


def _reply_to(demo: Demo, text: str, demos: Sequence[Demo], reads: Reads | None) -> str | None:
    """The choice that a reply picks; "" if it only wants the run, UNCLEAR if it is not sure which is meant; None if it is something else."""
    if (prediction := demo.prediction) is None:
        return None
    parts = [part.strip() for part in _PART.split(text) if part.strip()]
    # What is asked beside "I don't know" is asked.
    orders = any(
        _ORDERS.match(part) or (reads and _GIVES_UP.match(part)) for part in (parts[-1:] if "?" in text else parts)
    )
    if orders and named_in(text, demos) in (None, demo):
        said = text.lower()
        return next((choice for choice in prediction.choices if choice.lower() in said), "")
    if reads is None:
        reply = read_words(prediction.question, prediction.choices, text)
        return prediction.choices[reply.choice] if reply.choice is not None else None
    reply = reads(prediction.question, prediction.choices, text)
    if reply.choice is not None:
        return prediction.choices[reply.choice]
    return {"choice": UNCLEAR, "skip": ""}.get(reply.kind)


def verdict(
    prediction: Prediction, choice: str, finished: DemoFinished, gap: Passage | None, embedder: Embedder
) -> Iterator[Delta | Checked]:
    """Prediction and result together; then the note on the thought behind a wrong one, or what confirms a right one."""
    outcome = prediction.outcome(finished.result.metrics)
    label = finished.note.label
    if choice == outcome:
        said = f"You expected “{_bare(choice)}”; measured: just that."
        first = split_sentences(finished.result.summary.split("\n\n")[0])
        key = _nearest(f"{prediction.question} {outcome}", first, embedder)
        reasons = [Checked(cited(key, label), (label,), "supported", 1.0)] if key else []
    else:
        said = f"You expected “{_bare(choice)}”; measured: “{_bare(outcome)}”."
        reasons = [Checked(cited(s, 1), (1,), "supported", 1.0) for s in gap.sentences] if gap else []
    # A paragraph of its own for prediction and result, unless the sentence after it only confirms them.
    blank = ""
    for checked in (Checked(cited(said, label), (label,), "supported", 1.0), *reasons):
        yield Delta(blank + checked.text)
        yield checked
        blank = "\n\n" if not blank and choice != outcome else " "


def unsaid(summary: str, checked: Sequence[Checked]) -> str:
    """The summary without what the verdict has quoted from it, its paragraphs kept."""
    said = {without_citations(sentence.text) for sentence in checked}
    left = (
        " ".join(sentence for sentence in split_sentences(paragraph) if sentence not in said)
        for paragraph in summary.split("\n\n")
    )
    return "\n\n".join(paragraph for paragraph in left if paragraph)


def _nearest(query: str, sentences: Sequence[str], embedder: Embedder) -> str:
    """The sentence with a number in it that says most about the query."""
    measured = [sentence for sentence in sentences if re.search(r"\d", sentence)]
    if not measured:
        return ""
    vectors = embedder.embed([query, *measured])
    return measured[int((vectors[1:] @ vectors[0]).argmax())]


def _bare(text: str) -> str:
    return text.strip().rstrip(".")
