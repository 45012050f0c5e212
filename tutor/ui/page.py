"""The page: components, and which event runs what. All state is the visible conversation itself."""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr

from demos import DEMOS
from knowledge.passages import Knowledge
from tutor.errors import TutorError
from tutor.open import Opening
from tutor.ui import kept, render
from tutor.ui.shown import Messages, Shown, exchanges

log = logging.getLogger(__name__)

_CSS = Path(__file__).parent / "style.css"
_AT_ONCE = 8  # turns computed side by side, their passes together; the others queue and see their place
_QUEUE = 64  # turns that may wait
_GLANCE = 0.25  # seconds between looks whether the tutor is there, or the learner has gone
_BUSY = "A whole class is asking at this moment. Your question was not lost: ask it again in a minute."
_FIRST_SETS = (
    "pruning-vs-quantization",
    "on-policy-vs-off-policy",
    "pretraining-vs-midtraining-vs-posttraining",
    "zero-vs-one-vs-few-shot",
    "cpu-vs-gpu-vs-tpu",
    "rag-vs-fine-tuning",
)
# The question that was asked last at the top of the chat, so that its answer is read from the start.
_TO_LAST = """() => { setTimeout(() => {
  const log = document.querySelector("#chat [role=log]");
  const asked = log && [...log.querySelectorAll(".user-row")].pop();
  if (asked) log.scrollTop += asked.getBoundingClientRect().top - log.getBoundingClientRect().top - 32;
}, 50); }"""
_WELCOME = """### Which two do you mix up?
Pick a set, or ask in your own words. Each sentence of an answer shows the note that it rests on."""

Seen = tuple[Messages, str]


def build_page(knowledge: Knowledge, opening: Opening, cache: Path) -> gr.Blocks:
    """The page for one tutor, who may still be opening what it knows; figures, runs and feedback are kept under `cache`."""
    demo_sets = {concept for demo in DEMOS for concept in demo.concepts}

    def answer(messages: Messages) -> Iterator[Seen]:
        """Answer the last user message of the conversation; yields the growing conversation and the panel."""
        turns = exchanges(messages, cache)
        question, history = turns[-1].user, turns[:-1]
        shown = Shown(messages, knowledge, cache)
        while not opening.tutor.done():
            yield [*messages, render.bot(render.opening(*opening.embedded))], shown.panel
            wait((opening.tutor,), _GLANCE)
        try:
            with closing(opening.tutor.result().turn(question, history, predict=True)) as events:
                for event in events:
                    if shown.take(event):
                        yield shown.messages, shown.panel
        except TutorError as error:
            yield [*messages, render.bot(str(error))], shown.panel
            return
        if shown.answered is None:
            return
        choices = render.options(shown.answered, shown.answered.concept in demo_sets)
        yield shown.complete(choices), shown.panel

    def admit() -> None:
        """Refuse a turn while the queue is full: the question stays where it was typed."""
        if len(page._queue) >= _QUEUE:
            raise gr.Error(_BUSY, title="Busy", print_exception=False)

    def ask(text: str, messages: Messages) -> tuple[str, Messages]:
        admit()
        return "", [*messages, gr.ChatMessage(role="user", content=render.plain(text) or "…")]

    def ask_option(messages: Messages, event: gr.SelectData) -> Messages:
        admit()
        value = event.value["text"] if isinstance(event.value, dict) else str(event.value)
        return [*messages, gr.ChatMessage(role="user", content=render.plain(value))]

    def ask_set(messages: Messages, event: gr.SelectData) -> Messages:
        admit()
        return [*messages, gr.ChatMessage(role="user", content=render.plain(knowledge.concepts[event.index].question))]

    def retry(messages: Messages, event: gr.RetryData) -> Messages:
        admit()
        return messages[: _position(event.index) + 1]

    def undo(messages: Messages, event: gr.UndoData) -> tuple[Messages, str, str]:
        return messages[: _position(event.index)], render.spoken(event.value), render.panel(None, (), ())

    def edit(messages: Messages, event: gr.EditData) -> Messages:
        admit()
        return [
            *messages[: _position(event.index)],
            gr.ChatMessage(role="user", content=render.plain(render.spoken(str(event.value))) or "…"),
        ]

    def stopped(messages: Messages) -> Messages:
        if messages and messages[-1]["role"] == "user":
            return [*messages, render.bot(render.STOPPED)]
        return messages

    def like(messages: Messages, event: gr.LikeData) -> None:
        said = render.spoken(event.value if isinstance(event.value, (str, list)) else str(event.value))
        turns = exchanges(messages[: _position(event.index) + 1], cache)
        row = {"liked": event.liked, "question": turns[-1].user if turns else "", "answer": said}
        with (cache / "feedback.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    with gr.Blocks(title="LLM concepts tutor", fill_height=True, analytics_enabled=False) as page:
        gr.HTML(
            "<header class='top'><h1>LLM concepts tutor</h1><p>For what people mix up: explained from checked notes, "
            "shown live on this machine.</p></header>" + _problems(knowledge),
            padding=False,
        )
        with gr.Row(equal_height=False, elem_classes="main"):
            with gr.Column(scale=3, min_width=280, elem_classes="talk"):
                chat = gr.Chatbot(
                    label="Conversation",
                    show_label=False,
                    height="62vh",
                    min_height=420,
                    layout="bubble",
                    placeholder=_WELCOME,
                    examples=[
                        {"text": knowledge.by_id[name].question, "display_text": knowledge.by_id[name].title}
                        for name in _FIRST_SETS
                        if name in knowledge.by_id
                    ],
                    buttons=["copy", "copy_all"],
                    autoscroll=False,
                    editable="user",
                    feedback_options=("Like", "Dislike"),
                    group_consecutive_messages=True,
                    allow_tags=False,
                    latex_delimiters=[],
                    elem_id="chat",
                )
                box = gr.Textbox(
                    placeholder="What do you mix up?",
                    label="Your question",
                    show_label=False,
                    lines=1,
                    max_lines=6,
                    submit_btn="Ask",
                    autofocus=True,
                    elem_id="box",
                )
                with gr.Accordion(f"All {len(knowledge.concepts)} sets", open=False, elem_id="all-sets"):
                    sets = gr.Dataset(
                        components=[gr.Textbox(visible=False)],
                        samples=[[concept.question] for concept in knowledge.concepts],
                        sample_labels=[concept.title for concept in knowledge.concepts],
                        samples_per_page=len(knowledge.concepts),
                        show_label=False,
                        type="index",
                        elem_id="sets",
                    )
            with gr.Column(scale=2, min_width=280):
                panel = gr.HTML(render.panel(None, (), ()), elem_id="panel", padding=False)

        quiet: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
        starts = [
            box.submit(ask, [box, chat], [box, chat], **quiet),
            chat.option_select(ask_option, chat, chat, **quiet),
            chat.example_select(ask_option, chat, chat, **quiet),
            sets.select(ask_set, chat, chat, **quiet),
            chat.retry(retry, chat, chat, **quiet),
            chat.edit(edit, chat, chat, **quiet),
        ]
        runs = []
        for started in starts:
            started.success(_lock, None, box, **quiet).then(None, None, None, js=_TO_LAST, **quiet)
            run = started.success(
                answer,
                chat,
                [chat, panel],
                concurrency_id="turns",
                concurrency_limit=_AT_ONCE,
                api_visibility="private",
                show_progress="minimal",
                show_progress_on=[box],
            )
            run.then(_unlock, None, box, **quiet).then(None, None, None, js=_TO_LAST, **quiet)
            run.failure(_unlock, None, box, **quiet)
            runs.append(run)
        box.stop(stopped, chat, chat, cancels=runs, **quiet).then(_unlock, None, box, **quiet)
        chat.undo(undo, chat, [chat, box, panel], **quiet)
        chat.clear(lambda: render.panel(None, (), ()), None, panel, **quiet)
        chat.like(like, chat, None, **quiet)
    page.queue(max_size=None, api_open=False)
    return page


def launch_options(cache: Path) -> dict[str, Any]:
    """How the page is served: our look, the kept files, no telemetry, no links out, no monitoring."""
    theme = gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
        radius_size="md",
    )
    return {
        "theme": theme,
        "allowed_paths": kept.served(cache),
        "css_paths": [str(_CSS)],
        "footer_links": [],
        "show_error": True,
        "share": False,
        "enable_monitoring": False,
        "max_file_size": "1mb",
    }


def _lock() -> gr.Textbox:
    return gr.Textbox(interactive=False, submit_btn=False, stop_btn="Stop")


def _unlock() -> gr.Textbox:
    return gr.Textbox(interactive=True, submit_btn="Ask", stop_btn=False)


def _problems(knowledge: Knowledge) -> str:
    """A line for whoever runs the page, if a concept file was left out."""
    if not knowledge.problems:
        return ""
    lines = "".join(f"<li>{html.escape(problem)}</li>" for problem in knowledge.problems)
    return f"<div class='problems' role='alert'>These concept files were left out:<ul>{lines}</ul></div>"


def _position(index: int | tuple[int, ...] | list[int]) -> int:
    return index if isinstance(index, int) else int(index[0])
