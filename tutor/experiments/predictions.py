"""Predict, observe, explain: what a learner expects of an experiment, asked before it runs and set beside what came out.

Which prediction waits for a reply is read from the history, like a quiz question; the request before it says what to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from demos.base import Demo, Prediction
from knowledge.embedder import Embedder
from knowledge.passages import Passage
from knowledge.sentences import cited, split_sentences, without_citations
from tutor.events import Checked, Delta, DemoCall, DemoFinished, Exchange
from tutor.experiments.runs import listed

JUST_RUN = "Just run it"
_ASKS = "What do you expect?"
_SKIPS = re.compile(
    r"^(?:please )?(?:just (?:run|show|do)|skip|run (?:it|the experiment)|go(?: ahead)?$|no idea|(?:i )?don'?t know|(?:i'?m )?not sure)\b(?: (?:it|that|me|please|now|live|the experiment|this))*$",
    re.IGNORECASE,
)


def worded(demo: Demo, prediction: Prediction, call: DemoCall) -> str:
    """The question before a run; its choices are the buttons below."""
    return (
        f"**{_ASKS}** {prediction.question}\n\nAs soon as you choose, this runs: {demo.title} ({listed(call.params)})."
    )


def waiting(history: Sequence[Exchange], demos: Sequence[Demo]) -> Prediction | None:
    """The prediction that the tutor asked for last and that waits for a reply."""
    demo = experiment_asked(history[-1], demos) if history else None
    return demo.prediction if demo else None


def experiment_asked(exchange: Exchange, demos: Sequence[Demo]) -> Demo | None:
    """The experiment whose outcome the learner was asked to predict in this turn, if it was."""
    for demo in demos:
        asked = demo.prediction
        if asked and all(part in exchange.tutor for part in (_ASKS, asked.question, demo.title)):
            return demo
    return None


def reply_to(prediction: Prediction, text: str) -> str | None:
    """The choice that a reply picks; "" if it only wants the run; None if it is something else."""
    said = _folded(text)
    for choice in prediction.choices:
        if _folded(choice) == said:
            return choice
    return "" if _SKIPS.match(text.strip(" .!")) else None


def settled(history: Sequence[Exchange], demos: Sequence[Demo]) -> tuple[Exchange, ...]:
    """The history with each answered prediction folded into the request before it, as if that had run at once.

    A choice ("Less than 10 % worse") is no question and no parameter, so that nothing else should read it as one.
    """
    turns: list[Exchange] = []
    for exchange in history:
        prediction = waiting(turns, demos)
        if prediction is not None and reply_to(prediction, exchange.user) is not None:
            turns[-1] = replace(exchange, user=turns[-1].user)
        else:
            turns.append(exchange)
    return tuple(turns)


def verdict(
    prediction: Prediction, choice: str, finished: DemoFinished, gap: Passage | None, embedder: Embedder
) -> Iterator[Delta | Checked]:
    """Prediction and result together; then the note on the thought behind a wrong one, or what confirms a right one."""
    outcome = prediction.outcome(finished.result.metrics)
    label = finished.note.label
    if choice == outcome:
        said = f"You expected “{_bare(choice)}”; measured: just that."
        key = _nearest(f"{prediction.question} {outcome}", split_sentences(finished.result.summary), embedder)
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
    """The summary without what the verdict has quoted from it."""
    said = {without_citations(sentence.text) for sentence in checked}
    return " ".join(sentence for sentence in split_sentences(summary) if sentence not in said)


def _nearest(query: str, sentences: Sequence[str], embedder: Embedder) -> str:
    """The sentence with a number in it that says most about the query."""
    measured = [sentence for sentence in sentences if re.search(r"\d", sentence)]
    if not measured:
        return ""
    vectors = embedder.embed([query, *measured])
    return measured[int((vectors[1:] @ vectors[0]).argmax())]


def _bare(text: str) -> str:
    return text.strip().rstrip(".")


def _folded(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(" .!")
