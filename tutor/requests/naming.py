"""Which experiment a learner's words name, and whether they are put as a question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from demos.base import Demo
from tutor.requests import patterns
from tutor.requests.manner import Judged
from tutor.requests.spoken import rejected_spans, starts_within


def named_in(text: str, demos: Sequence[Demo]) -> Demo | None:
    """The experiment that is named; the longest name counts: "few-shot prompts" over "prompts"."""
    rejected = rejected_spans(text)
    lengths = {demo.name: 0 for demo in demos}
    for demo in demos:
        for match in re.finditer(_name_of(demo), text, re.IGNORECASE):
            if not starts_within(match, rejected):
                lengths[demo.name] = max(lengths[demo.name], len(match.group()))
    best = max(lengths, key=lambda name: lengths[name], default="")
    return next((demo for demo in demos if demo.name == best and lengths[best]), None)


def _name_of(demo: Demo) -> str:
    """What learners call it, or its own name before "demo" or "experiment"."""
    own = rf"\b{demo.name.replace('_', '[-_ ]?')}s? (?:demo|experiment)\b"
    return f"{demo.words}|{own}" if demo.words else own


def ordering_of(command: str, demos: Sequence[Demo]) -> Demo | None:
    """The experiment whose verb begins the command."""
    return next((demo for demo in demos if demo.verbs and re.match(demo.verbs, command, re.IGNORECASE)), None)


def is_asked(text: str) -> bool:
    """Whether it begins as a question does, or leaves a choice."""
    return bool(patterns.QUESTION.match(text) or patterns.CHOICE.search(text))


def is_wished(text: str, judged: Judged) -> bool:
    """Whether its meaning is a wish for a run, unless it is put as a question from its first sentence to its last."""
    return judged.wished and not all(patterns.QUESTION.match(said) for said in (text, last_sentence(text)))


def last_sentence(text: str) -> str:
    """Where a wish stands that a question leads up to: "does it spread the work? train one here"."""
    return re.split(r"(?<=[.?!])\s+", text.strip())[-1]
