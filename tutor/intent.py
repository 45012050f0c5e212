"""What a learner wants: an answer, an experiment with its parameters, a quiz, a chat, or nothing that can be answered.

By rule, and by meaning where rules find nothing, leave open whether a run is wanted, or find words of an experiment that the whole is surely not
about (requests/manner.py): asking the language model would cost seconds on two cores. History is replayed, so "now with 2 bits" knows which experiment ran last and with what.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from demos.base import Demo
from demos.quotes import QUOTED
from tutor.errors import DemoError
from tutor.events import TURNS, DemoCall, Exchange, Intent
from tutor.requests import asides, patterns
from tutor.requests.continued import LONGEST_BARE, LONGEST_NAMED, UNLIKELY, continued, refused_before
from tutor.requests.manner import Judged, JudgesManner, Manners, unjudged
from tutor.requests.naming import is_asked, is_wished, last_sentence, named_in, ordering_of
from tutor.requests.spoken import gives_a_text, mended, quoted_text, quotes_a_text, spoken_values, tells_a_value

LONGEST_QUESTION = 2_000  # characters
_GOES_ON = re.compile(
    r"^(?:(?:and|but|so|ok(?:ay)?)[, ]+)*(?:and|with|without|what about|how about|if it)\b(?:\W+\w+){1,5}\W*$",
    re.IGNORECASE,
)
_SHORTEST_ORDER = 4  # words: "At once!" orders nothing by itself
_BROKEN = re.compile(r"\b(?:e\.g|i\.e|vs|etc|cf|approx|resp|no|fig)\.\s*$", re.IGNORECASE)  # no sentence ends there
_LONGEST_QUIZ = 16  # words of a wish for a quiz
_SURELY = 0.98  # of being a question, from which words of a run say nothing in one that ends as such: "…, how long did people wait on the machine?"
# A reply that cites notes and no run was none: after "how much worse does it get rounded to 4 bits?" nothing ran.
_ANSWERED = re.compile(r"^(?!.*\[R\d+\]).*\[\d+\]", re.DOTALL)
_IMPOSSIBLE = 0.02  # the probability of a wish for a run below which no pattern of words begins one
_SURE_OF_IT = 0.9  # the probability of an experiment from which it is meant although the talk is of a set that it does not illustrate
_UNLIKE = 0.05  # the probability of a named experiment below which another, surely meant, is run


@dataclass(frozen=True)
class Routed:
    """`reason` says which reply fits: a kind of small talk, or why a question is refused."""

    intent: Intent
    reason: str = ""
    demo: DemoCall | None = None


def route(
    question: str,
    history: Sequence[Exchange],
    demos: Sequence[Demo],
    concept: str | None = None,
    judge: JudgesManner = unjudged,
) -> Routed:
    """Decide what the question asks for. `concept` is the set in play, which "show me live" refers to.

    Greetings are told by their words; all else by words and by what `judge` makes of the whole, which outweighs them where it is sure.

    Raises DemoError when an experiment is clearly meant and a parameter is out of its range.
    """
    text = question.replace("\x00", "").strip()
    if len(text) > LONGEST_QUESTION:
        return Routed("refuse", "long")
    wordless = not re.search(r"[^\W\d_]", text)
    if wordless and not _calls(history, demos, concept, judge):
        return Routed("refuse", "empty")
    if text and (greeting := _found(text, asides.GREETINGS)):
        return Routed("smalltalk", greeting)
    judged = judge(text)
    if (kind := _aside_by_words(text, judged)) is not None:
        return _by_manner(kind)
    call = _call(mended(text, demos), history, demos, concept, judged, judge)
    if call is None and (said := _ordered_at_the_end(text, judged, judge)):
        call = _call(mended(said, demos), history, demos, concept, judge(said), judge)
    if call is not None:
        return Routed("demo", demo=call)
    if _wants_the_list(text, demos, concept, judged):
        return Routed("smalltalk", "experiments")
    return Routed("refuse", "empty") if wordless else _by_manner(_by_meaning(text, judged))


def _found(text: str, table: Sequence[tuple[Manners, re.Pattern[str]]]) -> Manners | None:
    return next((kind for kind, pattern in table if pattern.search(text)), None)


def _aside_by_words(text: str, judged: Judged) -> Manners | None:
    """What the words say that it is beside question and run, unless its meaning is surely another: "act as if I knew nothing: what is a token?" asks, "don't quiz me" does not want a quiz."""
    if asides.INJECTION.search(text) and not (judged.asked and asides.ROLE.search(text)):
        return "quiz" if judged.aside == "quiz" else "injection"
    if asides.QUIZ_LAST.search(text) and not asides.QUIZ_TOPIC.search(text):
        return "quiz"
    if judged.asked or judged.wished:
        return None
    kind = _found(text, asides.SMALLTALK)
    if kind is None and asides.QUIZ.search(text) and len(text.split()) <= _LONGEST_QUIZ:
        kind = None if asides.QUIZ_TOPIC.search(text) else "quiz"
    return kind and (judged.aside or kind)


def _by_meaning(text: str, judged: Judged) -> Manners | None:
    """What it is beside question and run by its meaning alone, which takes a wish for a simpler answer for one for another form."""
    return None if asides.SIMPLER.search(text) and judged.aside in ("form", "injection", "lost") else judged.aside


def _ordered_at_the_end(text: str, judged: Judged, judge: JudgesManner) -> str:
    """The last sentence, if by itself it is a wish for a run, and the whole is neither surely a question nor anything else: "Structured is what saves money. Strip out a quarter of the rows and tell me the damage."; or empty."""
    last = last_sentence(text)
    lead = text[: -len(last)]
    if not lead or _BROKEN.search(lead) or re.search(QUOTED, text) or patterns.WORDS.search(text):
        return ""
    if len(last.split()) < _SHORTEST_ORDER or "?" in last or patterns.SUMS_UP.search(last):
        return ""
    open_to_it = judged.manners.get("question", 1.0) < _SURELY and judged.aside is None
    return last if open_to_it and judge(last).wished else ""


def _by_manner(manner: Manners | None) -> Routed:
    match manner:
        case None:
            return Routed("ask")
        case "quiz":
            return Routed("quiz")
        case "injection" | "empty":
            return Routed("refuse", manner)
        case _:
            return Routed("smalltalk", manner)


def last_question(
    history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None = None, judge: JudgesManner = unjudged
) -> str:
    """The learner's latest turn that asked for an answer, each turn routed with what came before it; or empty."""
    for i in range(len(history) - 1, -1, -1):
        try:
            asked = route(history[i].user, history[:i], demos, concept, judge).intent == "ask"
        except DemoError:
            continue
        if asked:
            return history[i].user
    return ""


def _call(
    text: str,
    history: Sequence[Exchange],
    demos: Sequence[Demo],
    concept: str | None,
    judged: Judged,
    judge: JudgesManner,
) -> DemoCall | None:
    if patterns.WORDS.search(text):
        return None
    calls = _calls(history, demos, concept, judge)
    if calls and patterns.SEED.search(text):
        raise DemoError(
            "in the chat every run has the seed 0, so that whoever repeats it sees the same; on the command line, which stands below a run, `--seed=1` gives another."
        )
    if len(calls) > 1 and patterns.COMPARES_RUNS.search(text):
        return None
    if history and (refused := refused_before(text, history[-1].tutor, demos, calls)) is not None:
        return refused
    if calls and (call := continued(text, calls, demos, judged)):
        return call
    if history and patterns.SAME_TEXT.search(text) and (quoted := quoted_text(history[-1].user)):
        text = f"{text} {quoted}"
    return _begun(text, history, demos, concept, judged, calls)


def _begun(
    text: str,
    history: Sequence[Exchange],
    demos: Sequence[Demo],
    concept: str | None,
    judged: Judged,
    calls: Sequence[DemoCall],
) -> DemoCall | None:
    """A run of its own, if the words ask for one; where the experiment that ran last is meant again without its name, with all that it had been told."""
    demo = _requested(text, history, demos, concept, judged)
    if demo is None or judged.manners.get("run", 1.0) < _IMPOSSIBLE:
        return None
    unnamed = named_in(text, [demo]) is None or patterns.CHANGES.search(text)
    last = calls[-1].params if calls and calls[-1].name == demo.name and unnamed else {}
    return DemoCall(demo.name, demo.settings({**last, **spoken_values(text, demo, loosely=True)}))


def _requested(
    text: str, history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None, judged: Judged
) -> Demo | None:
    """The experiment that the words ask for, if they ask for one, or that is meant where a run is wished whatever the words."""
    command, last = patterns.LEAD.sub("", text), last_sentence(text)
    spoken = [demo for demo in demos if tells_a_value(text, demo)]
    asks = is_asked(text) or patterns.ASKS_THEN.search(text) is not None
    concludes = last != text and patterns.SUMS_UP.search(last) is not None
    wished = is_wished(text, judged) and not concludes
    live = wished or bool(patterns.LIVE.search(text) or (patterns.COMMAND.match(command) and not asks))
    live = live or bool(spoken and patterns.MAY_SEE.search(text))
    ordering = ordering_of(command, demos)
    sums_up = concludes or (last != text and "?" in last)
    if ordering is None and last != text and not (sums_up or is_asked(last) or patterns.EXPLAINS.search(last)):
        # "Does pruning hurt at all? Prune 60 percent of the weights." Without a value the question before it still speaks.
        ordering = ordering_of(patterns.LEAD.sub("", last), demos)
        if ordering is not None and gives_a_text(last, ordering):
            return ordering
        live = live or (ordering is not None and tells_a_value(last, ordering))
    if ordering is not None and patterns.COLON.search(command):
        return ordering  # "measure this computer: how fast is it?" asks for what the run tells
    if not live and (asks or patterns.EXPLAINS.search(text)):
        return None
    named = named_in(text, demos)
    orders = (command,) if sums_up else (command, patterns.LEAD.sub("", last))
    ordered = named in spoken and any(patterns.ORDER.match(said) for said in orders)
    if (
        named is not None
        and ("?" not in text or patterns.PROPOSES.match(text))
        and (ordered or quotes_a_text(text, named))
    ):
        return named
    # "Can you run a mixture of experts on one GPU?" has the words of a request and the meaning of a question.
    surely = patterns.QUESTION.match(text) or (text.endswith("?") and judged.manners.get("question", 0.0) >= _SURELY)
    if judged.asked and (not patterns.LIVE.search(text) or (surely and not patterns.SHOW.search(text))):
        return None
    if ordering is not None:
        return ordering
    longest = LONGEST_NAMED if named in spoken and judged.manners.get("run", 0.0) >= UNLIKELY else LONGEST_BARE
    polite = patterns.PLEASE.search(text) and "?" not in text and len(text.split()) <= longest and spoken
    if not (live or polite or patterns.SHOW.search(text) or patterns.SHOW.match(command)):
        return None
    meant = _meant(history, demos, concept, judged)
    if named is None and concept is not None and not any(concept in demo.concepts for demo in demos):
        # "Try it with a draft of 4 tokens": a number that some experiment would take is about a set that has none.
        spoken = [demo for demo in spoken if judged.experiments.get(demo.name, 1.0) >= _SURE_OF_IT]
    if (told := named or (spoken[0] if len(spoken) == 1 else None)) is not None:
        # In "thirty kids are to feel how slow decoding is without a cache" words of another experiment stand too.
        unlike = named not in spoken and judged.experiments.get(told.name, 1.0) < _UNLIKE
        return meant if meant is not None and unlike and live else told
    pointed = _pointed_at(text, history, demos, concept)
    live = live and not patterns.RELATIVE.match(text) and not _goes_on(text, history)
    return pointed or (meant if live else None)


def _meant(history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None, judged: Judged) -> Demo | None:
    """The experiment that is meant without being named; unless that is sure, one of the set in play, if there is a set: what was spoken of last, or what is likeliest."""
    likely = max(demos, key=lambda demo: judged.experiments.get(demo.name, 0.0), default=None)
    if likely is None or judged.experiments.get(likely.name, 0.0) >= _SURE_OF_IT:
        return likely
    of_set = [demo for demo in demos if concept in demo.concepts]
    if of_set:
        return _spoken_of(history, of_set) or max(of_set, key=lambda demo: judged.experiments.get(demo.name, 0.0))
    return likely if concept is None and judged.experiment == likely.name else None


def _wants_the_list(text: str, demos: Sequence[Demo], concept: str | None, judged: Judged) -> bool:
    """Whether it asks which experiments there are, or wishes for one on a set that has none."""
    if asides.EXPERIMENTS.search(text) or (judged.aside == "help" and re.search(asides.EXPERIMENT, text)):
        return True
    wished = judged.wished or (re.search(asides.EXPERIMENT, text) and not judged.asked)
    return bool(wished) and concept is not None and not any(concept in demo.concepts for demo in demos)


def _goes_on(text: str, history: Sequence[Exchange]) -> bool:
    """Whether a few words follow an answer from the notes: "and with 8?" asks on, whatever it would mean after a run."""
    answered = history and history[-1].run is None and _ANSWERED.search(history[-1].tutor)
    return bool(answered and _GOES_ON.match(text) and not patterns.LIVE.search(text))


def _pointed_at(text: str, history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None) -> Demo | None:
    """The experiment of the set in play, for "show me live"; of several, the one that was spoken of last."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    if not patterns.POINTS.issuperset(words) or patterns.STARTS.isdisjoint(words):
        return None
    fitting = [demo for demo in demos if concept is None or concept in demo.concepts]
    return _spoken_of(history, fitting) or (fitting[0] if fitting and concept is not None else None)


def _spoken_of(history: Sequence[Exchange], demos: Sequence[Demo]) -> Demo | None:
    """Which of them was named last."""
    named = (named_in(exchange.user, demos) for exchange in reversed(history[-TURNS:]))
    return next((demo for demo in named if demo is not None), None)


def _calls(
    history: Sequence[Exchange], demos: Sequence[Demo], concept: str | None, judge: JudgesManner
) -> list[DemoCall]:
    """The experiments of the last turns, in order: as they ran, or found by replaying the turns on the set in play."""
    calls: list[DemoCall] = []
    recent = history[-TURNS:]
    for i, exchange in enumerate(recent):
        if exchange.run is not None and any(demo.name == exchange.run.name for demo in demos):
            calls.append(DemoCall(exchange.run.name, exchange.run.params))
            continue
        text, judged = mended(exchange.user.strip(), demos), judge(exchange.user.strip())
        if patterns.WORDS.search(text) or _ANSWERED.search(exchange.tutor):
            continue
        try:
            call = continued(text, calls, demos, judged) if calls else None
            call = call or _begun(text, recent[:i], demos, concept, judged, calls)
            if call is None and (said := _ordered_at_the_end(exchange.user.strip(), judged, judge)):
                call = _begun(mended(said, demos), recent[:i], demos, concept, judge(said), calls)
        except DemoError:
            continue
        calls += [call] if call is not None else []
    return calls
