"""Events as what the page shows: chat messages, and the panel of passages and picture. One function a kind of value."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from knowledge.passages import Concept, Passage
from knowledge.pictures import read_diagram
from tutor.events import Answered, Checked, DemoFinished, Exchange, Source

UNDERSTOOD = "> Understood as: "
STOPPED = "*Stopped.*"
_ADDED = (UNDERSTOOD.strip(), STOPPED, '<img src="')  # a learner's own "<" is escaped, so it never begins a line
SHOW_LIVE, QUIZ_ME = "Show me live", "Quiz me"


def plain(text: str) -> str:
    """A learner's text so that neither HTML nor Markdown in it takes effect."""
    return re.sub(r"([\\`*_\[\]#|~>$!])", r"\\\1", html.escape(text.strip(), quote=False)).replace("\n", "  \n")


def spoken(content: Any) -> str:
    """The words of a chat message as they were typed or said, without what the page added."""
    parts = content if isinstance(content, list) else [content]
    texts = [part if isinstance(part, str) else part.get("text", "") for part in parts if isinstance(part, (str, dict))]
    lines = [line for text in texts for line in text.split("\n") if not line.startswith(_ADDED)]
    return html.unescape(re.sub(r"\\([\\`*_\[\]#|~>$!])", r"\1", "\n".join(lines))).strip()


def exchanges(messages: Sequence[dict[str, Any]]) -> tuple[Exchange, ...]:
    """The finished turns of a chat: each user message with all that the tutor said after it."""
    turns: list[Exchange] = []
    for message in messages:
        text = spoken(message["content"])
        if message["role"] == "user":
            turns.append(Exchange(text, ""))
        elif turns:
            turns[-1] = Exchange(turns[-1].user, f"{turns[-1].tutor}\n{text}".strip())
    return tuple(turns)


def progress_line(fraction: float, note: str) -> str:
    """A bar of twenty cells that needs no picture, readable aloud as well."""
    done = round(20 * min(max(fraction, 0.0), 1.0))
    return f"`{'█' * done}{'░' * (20 - done)}` {fraction:.0%}  \n{note} …"


def options(answered: Answered, has_demo: bool) -> list[dict[str, str]]:
    """Buttons under the answer: a quiz's choices, or follow-ups, the experiment and a quiz."""
    if answered.quiz is not None:
        return [{"label": choice, "value": choice} for choice in answered.quiz.choices]
    found = [{"label": text, "value": text} for text in answered.followups]
    if answered.concept and has_demo and answered.finished is None:
        found.append({"label": SHOW_LIVE, "value": SHOW_LIVE})
    if answered.concept:
        found.append({"label": QUIZ_ME, "value": QUIZ_ME})
    return found


def experiment(finished: DemoFinished, figure: Path | None) -> list[dict[str, Any]]:
    """An experiment's result as messages: summary and table, the figure, texts to open."""
    result = finished.result
    settings = ", ".join(f"{name} {value}" for name, value in finished.call.params.items())
    head = "| " + " | ".join(map(_cell, result.table.columns)) + " |\n|" + "---|" * len(result.table.columns)
    rows = "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in result.table.rows)
    text = f"{result.summary}\n\n**{finished.title}** ({settings}; seed {finished.seed}), measured just now:\n\n{head}\n{rows}"
    messages: list[dict[str, Any]] = [{"role": "assistant", "content": text}]
    if figure is not None:
        # Not a file message: Gradio 6.31 leaves out its alternative text and offers to share it on a public site.
        address = f"gradio_api/file={quote(str(figure))}"
        image = f'<img src="{address}" alt="{html.escape(result.figure_alt, quote=True)}">'
        messages.append({"role": "assistant", "content": image.replace("\n", " ")})
    if result.exhibits:
        shown = "\n\n".join(
            f"<details><summary>{html.escape(caption)}</summary>\n\n<pre>{html.escape(body)}</pre>\n</details>"
            for caption, body in result.exhibits.items()
        )
        messages.append({"role": "assistant", "content": shown})
    return messages


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
        parts.append(note(source, concept, said))
    return "\n".join(parts) + "</aside>"


def note(source: Source, concept: Concept, said: set[str]) -> str:
    """One passage with its number, its sentences marked where cited, and its primary sources."""
    passage = source.hit.passage
    marked = " ".join(
        f"<mark>{html.escape(sentence)}</mark>" if source.cited and _bare(sentence) in said else html.escape(sentence)
        for sentence in passage.sentences
    )
    belief = (
        f'<p class="belief">Often believed: “{html.escape(passage.claim)}” {html.escape(passage.why)}</p>'
        if passage.claim
        else ""
    )
    return (
        f'<details class="note{" cited" if source.cited else ""}"{" open" if source.cited else ""}>'
        f'<summary><span class="n">{source.n}</span> {html.escape(passage.title)}</summary>'
        f"{belief}<p>{marked}</p>{_links(passage, concept)}</details>"
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
    return re.sub(r"\s*\[\d+\]", "", text).strip().rstrip(".!?").lower()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def bot(content: Any, choices: list[dict[str, str]] | None = None) -> gr.ChatMessage:
    """An assistant message, with buttons under it where there are choices."""
    options: Any = choices or []
    return gr.ChatMessage(role="assistant", content=content, options=options)
