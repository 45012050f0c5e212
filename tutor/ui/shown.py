"""What one turn has put on the page so far: events in, messages and panel out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from knowledge.passages import Knowledge
from tutor.events import (
    Answered,
    Checked,
    Delta,
    DemoFinished,
    DemoProgress,
    Event,
    Exchange,
    Retrieved,
    Source,
    Understood,
    sources_of,
)
from tutor.ui import kept, render

Messages: TypeAlias = list[Any]


def exchanges(messages: Sequence[dict[str, Any]], cache: Path) -> tuple[Exchange, ...]:
    """The finished turns of a chat: each user message with all that the tutor said after it, and the run that it links to."""
    turns: list[Exchange] = []
    for message in messages:
        text = render.spoken(message["content"])
        if message["role"] == "user":
            turns.append(Exchange(text, ""))
        elif turns:
            last = turns[-1]
            run = last.run or kept.find_run(cache, render.written(message["content"]))
            turns[-1] = Exchange(last.user, f"{last.tutor}\n{text}".strip(), run)
    return tuple(turns)


class Shown:
    """One turn on the page; `before` is the conversation up to its question."""

    def __init__(self, before: Messages, knowledge: Knowledge, cache: Path) -> None:
        self._before, self._knowledge, self._cache = before, knowledge, cache
        self._head = self._text = ""
        self._sources: tuple[Source, ...] = ()
        self._sentences: list[Checked] = []
        self._concept: str | None = None
        self._finished: DemoFinished | None = None
        self.answered: Answered | None = None

    @property
    def messages(self) -> Messages:
        return [*self._before, render.bot(self._head + self._text)]

    @property
    def panel(self) -> str:
        concept = self._knowledge.by_id.get(self._concept) if self._concept else None
        return render.panel(concept, self._sources, self._sentences)

    def take(self, event: Event) -> bool:
        """Take one event in; True if there is something new to see."""
        match event:
            case Understood(rewritten=True, query=query):
                self._head = f"{render.UNDERSTOOD}{render.plain(query)}\n\n"
                return True
            case Retrieved(hits=hits, covered=covered):
                if covered:
                    self._sources = sources_of(hits, ())
                    self._concept = hits[0].passage.concept
                return False
            case DemoProgress(fraction=fraction, note=note):
                self._text = render.progress_line(fraction, note)
                return True
            case DemoFinished():
                self._finished, self._text = event, ""
                return False
            case Delta(text=text):
                self._text += text
                return True
            case Checked(text=text, sources=sources, support=support):
                self._sentences.append(event)
                if support == "quoted" and self._text.endswith(text):
                    self._text = self._text.removesuffix(text) + render.quotation(text)
                self._sources = tuple(Source(s.n, s.hit, s.cited or s.n in sources) for s in self._sources)
                return True
            case Answered():
                self.answered, self._concept = event, event.concept
                self._sources = event.sources
                return False
        return False

    def complete(self, choices: list[dict[str, str]]) -> Messages:
        """The finished turn, with its buttons on the last message; an experiment's files are kept."""
        if self._finished is None:
            return [*self._before, render.bot(self._head + self._text, choices)]
        figure = kept.save_figure(self._cache, self._finished)
        raw = kept.save_run(self._cache, self._finished.note.run)
        parts = render.experiment(
            self._finished, self._text, kept.address(figure) if figure else None, kept.address(raw)
        )
        return [*self._before, *(render.bot(part) for part in parts[:-1]), render.bot(parts[-1], choices)]
