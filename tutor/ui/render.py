"""Events as what the page shows: chat messages, and the panel of passages and picture. One function a kind of value."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import gradio as gr

from knowledge.passages import Concept, Passage
from knowledge.pictures import read_diagram
from knowledge.sentences import split_sentences, without_citations
from tutor.events import Answered, Checked, DemoFinished, Source
from tutor.experiments.predictions import JUST_RUN
from tutor.experiments.runs import RunNote

UNDERSTOOD = "> Understood as: "
STOPPED = "*Stopped.*"
OPENING = "*Opening the notes and the model"
_ADDED = (
    UNDERSTOOD.strip(),
    STOPPED,
    OPENING,
    '<img src="',
)  # a learner's own "<" is escaped, so it never begins a line
FURTHER = "What else was measured"
SHOW_LIVE, QUIZ_ME = "Show me live", "Quiz me"


def opening(done: int, texts: int) -> str:
    """What a question is told that came before the tutor was there, and how far a first start is."""
    how_far = f" ({done:,} of {texts:,} texts embedded)" if done < texts else ""
    return f"{OPENING}: seconds as a rule, minutes at the very first start{how_far}. The answer follows.*"


def plain(text: str) -> str:
    """A learner's text so that neither HTML nor Markdown in it takes effect."""
    return re.sub(r"([\\`*_\[\]#|~>$!])", r"\\\1", html.escape(text.strip(), quote=False)).replace("\n", "  \n")


def spoken(content: Any) -> str:
    """The words of a chat message as they were typed or said, without what the page added."""
    lines = [line for line in written(content).split("\n") if not line.startswith(_ADDED)]
    return html.unescape(re.sub(r"\\([\\`*_\[\]#|~>$!])", r"\1", "\n".join(lines))).strip()


def written(content: Any) -> str:
    """The text of a chat message as it was put on the page."""
    parts = content if isinstance(content, list) else [content]
    return "\n".join(
        part if isinstance(part, str) else str(part.get("text", "")) for part in parts if isinstance(part, (str, dict))
    )


def quotation(text: str) -> str:
    """A note's sentence that stands in for one that failed the check: in quotation marks, its citation behind them."""
    return re.sub(r"^(.*?)((?: \[R?\d+\])*)([.!?]?)$", r"“\1\3”\2", text, flags=re.DOTALL)


def progress_line(fraction: float, note: str) -> str:
    """A bar of twenty cells that needs no picture, readable aloud as well."""
    done = round(20 * min(max(fraction, 0.0), 1.0))
    return f"`{'█' * done}{'░' * (20 - done)}` {fraction:.0%}  \n{note} …"


def options(answered: Answered, has_demo: bool) -> list[dict[str, str]]:
    """Buttons under the answer: a quiz's choices, what a learner may expect of an experiment, or follow-ups, the experiment and a quiz."""
    if answered.quiz is not None:
        return [{"label": choice, "value": choice} for choice in answered.quiz.choices]
    if answered.prediction is not None:
        return [{"label": text, "value": text} for text in (*answered.prediction.choices, JUST_RUN)]
    found = [{"label": text, "value": text} for text in answered.followups]
    if answered.concept and has_demo and answered.finished is None:
        found.append({"label": SHOW_LIVE, "value": SHOW_LIVE})
    if answered.concept:
        found.append({"label": QUIZ_ME, "value": QUIZ_ME})
    return found


def experiment(finished: DemoFinished, text: str, figure: str | None, raw: str) -> list[str]:
    """An experiment's result as messages: what the tutor says of it, table, figure, texts to open, and how to repeat it.

    `figure` and `raw` are the addresses of the picture and of the run's raw numbers.
    """
    result, note = finished.result, finished.note
    head = "| " + " | ".join(map(_cell, result.table.columns)) + " |\n|" + "---|" * len(result.table.columns)
    rows = "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in result.table.rows)
    told, further = _parted(text, result.summary)
    messages = [f"{told}\n\n**[{note.label}] {finished.title}**, measured just now:\n\n{head}\n{rows}{further}"]
    if figure is not None:
        # Not a file message: Gradio 6.31 leaves out its alternative text and offers to share it on a public site.
        image = f'<img src="{figure}" alt="{html.escape(result.figure_alt, quote=True)}">'
        messages.append(image.replace("\n", " "))
    shown = [_opened(caption, body) for caption, body in result.exhibits.items()]
    return [*messages, "\n\n".join([*shown, _repeat(note, raw)])]


def _parted(text: str, summary: str) -> tuple[str, str]:
    """What a learner reads first, and the summary's last paragraph to be opened, if it has several: a report that is too long is not read at all."""
    first, _, last = text.rpartition("\n\n")
    *_, further = summary.split("\n\n")
    if not first or further == summary or split_sentences(last)[0] not in further:
        return text, ""
    return first, f"\n\n<details><summary>{FURTHER}</summary>\n\n{last}\n</details>"


def _opened(caption: str, body: str) -> str:
    return f"<details><summary>{html.escape(caption)}</summary>\n\n<pre>{html.escape(body)}</pre>\n</details>"


def _repeat(note: RunNote, raw: str) -> str:
    """What a run was made with, where its numbers are, and the command that repeats it."""
    run = note.run
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items() if name != "model")
    model = f"{run.versions['model']}, " if "model" in run.versions else ""
    return (
        f'<p class="run">[{note.label}] {html.escape(f"{run.settings}; {model}{versions}")}. '
        f'<a href="{raw}" target="_blank" rel="noopener">Raw numbers (JSON)</a></p>\n\n'
        + _opened(f"Command that repeats {note.label}", run.command)
    )


def panel(concept: Concept | None, sources: Sequence[Source], sentences: Sequence[Checked]) -> str:
    """The set's picture, and the notes with the sentences that the answer rests on marked."""
    if concept is None:
        return (
            '<aside class="panel" aria-label="Notes"><p class="quiet">The picture of a set and the notes that an answer '
            "rests on appear here.</p></aside>"
        )
    parts = [f'<aside class="panel" aria-label="Notes on {html.escape(concept.title, quote=True)}">']
    if concept.diagram:
        svg = read_diagram(
            concept.path.parent.parent / "diagrams" / concept.diagram, concept.path.parent / concept.diagram
        )
        label = html.escape(concept.diagram_alt, quote=True)
        parts.append(f'<figure class="diagram" role="img" aria-label="{label}">{svg}</figure>')
    said = {sentence for checked in sentences for sentence in [_bare(checked.text)]}
    # Notes that the answer rests on come first and open; the others can be opened.
    for source in sorted(sources, key=lambda source: not source.cited):
        hit = source.hit
        parts.append(run_note(source, hit, said) if isinstance(hit, RunNote) else note(source, concept, said))
    return "\n".join(parts) + "</aside>"


def note(source: Source, concept: Concept, said: set[str]) -> str:
    """One passage with its number, its sentences marked where cited, and its primary sources."""
    passage = source.hit.passage
    belief = (
        f'<p class="belief">Often believed: “{html.escape(passage.claim)}” {html.escape(passage.why)}</p>'
        if passage.claim
        else ""
    )
    return _source(source, f"{belief}<p>{_marked(source, said)}</p>{_links(passage, concept)}")


def run_note(source: Source, note: RunNote, said: set[str]) -> str:
    """One run with its label, its sentences marked where cited, and what it was made with."""
    settings = html.escape(f"Measured in this conversation: {note.run.settings}.")
    return _source(source, f'<p>{_marked(source, said)}</p><p class="primary">{settings}</p>')


def _source(source: Source, body: str) -> str:
    return (
        f'<details class="note{" cited" if source.cited else ""}"{" open" if source.cited else ""}>'
        f'<summary><span class="n">{source.n}</span> {html.escape(source.hit.passage.title)}</summary>{body}</details>'
    )


def _marked(source: Source, said: set[str]) -> str:
    return " ".join(
        f"<mark>{html.escape(sentence)}</mark>" if source.cited and _bare(sentence) in said else html.escape(sentence)
        for sentence in source.hit.passage.sentences
    )


def _links(passage: Passage, concept: Concept) -> str:
    known = {source.key: source for source in concept.sources}
    links = [
        f'<a href="{html.escape(known[key].url, quote=True)}" target="_blank" rel="noopener noreferrer">{html.escape(known[key].title)}</a>'
        for key in passage.sources
        if key in known
    ]
    return f'<p class="primary">Sources: {"; ".join(links)}</p>' if links else ""


def _bare(text: str) -> str:
    return without_citations(text).strip().rstrip(".!?").lower()


def _cell(text: str) -> str:
    return plain(" ".join(text.split()))


def bot(content: Any, choices: list[dict[str, str]] | None = None) -> gr.ChatMessage:
    """An assistant message, with buttons under it where there are choices."""
    options: Any = choices or []
    return gr.ChatMessage(role="assistant", content=content, options=options)
