"""A conversation read back from the page: its turns and the runs that they link to."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from demos.base import DemoResult, Table
from knowledge.passages import Knowledge
from tutor.events import Checked, Delta, DemoCall, DemoFinished, Source
from tutor.experiments.runs import make_run, run_note
from tutor.ui import kept, render
from tutor.ui.shown import Shown, exchanges

EVIL = "<img src=x onerror=alert(1)> **why** | `x`?"


def finished(summary: str = "It went from 31.0 to 40.8.") -> DemoFinished:
    """A finished experiment whose learner asked something nasty."""
    result = DemoResult(summary, Table(("A | b",), (("<b>1</b>",),)), {"m": 1.0}, exhibits={"Your question": EVIL})
    run = make_run("fake", "A fake", {"bits": 4, "layers": ""}, 0, "Tiny", result, EVIL)
    return DemoFinished(DemoCall("fake", {"bits": 4}), "A fake", result, 0, run_note(run, 1, "cats-vs-dogs", ()))


def said(text: str) -> dict[str, object]:
    """A message as Gradio hands it back."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def test_a_run_is_found_again_by_its_link(tmp_path: Path) -> None:
    """Nothing but the visible conversation carries a run from turn to turn."""
    done = finished()
    raw = kept.address(kept.save_run(tmp_path, done.note.run))
    parts = render.experiment(done, done.result.summary, None, raw)
    asked = {"role": "user", "content": "show me"}
    turns = exchanges([asked, *map(said, parts), {"role": "user", "content": "why?"}], tmp_path)
    assert turns[0].run == done.note.run and turns[1].run is None
    assert exchanges([asked, *map(said, parts)], tmp_path / "elsewhere")[0].run is None


def test_a_learner_cannot_forge_a_link(tmp_path: Path) -> None:
    """Neither a user's message nor a path out of the cache is followed."""
    raw = kept.address(kept.save_run(tmp_path, finished().note.run))
    link = f'<a href="{raw}">x</a>'
    assert exchanges([{"role": "user", "content": link}], tmp_path)[0].run is None
    assert kept.find_run(tmp_path, render.plain(link)) is None
    assert kept.find_run(tmp_path / "other", link) is None
    assert kept.find_run(tmp_path, '<a href="gradio_api/file=/etc/../etc/passwd.json">x</a>') is None


def test_an_experiment_shows_how_to_repeat_it() -> None:
    """Label, settings, seed, versions, model, raw numbers and command stand in the message."""
    parts = "\n".join(render.experiment(finished(), "Said.", "figure.png", "raw.json"))
    for wanted in ("[R1]", "bits 4", "seed 0", "torch ", "transformers ", "Tiny", 'href="raw.json"', "--bits=4"):
        assert wanted in parts, wanted
    assert "layers" not in parts.split("Command")[0]


def test_a_report_shows_first_what_matters() -> None:
    """Protects: what else was measured is a click away, in whatever words the verdict began; a report of one paragraph stays whole."""
    done = finished("It rose. It fell.\n\nIt took 3 s. It slept.")
    for text, rest in (
        ("It rose. It fell.\n\nIt took 3 s. It slept.", "It took 3 s. It slept."),
        ("You expected it.\n\nIt rose. It fell.\n\nIt slept.", "It slept."),
    ):
        first, _, folded = render.experiment(done, text, None, "raw.json")[0].partition("<details>")
        assert first.startswith(text.removesuffix(rest).strip()) and rest not in first and rest in folded
    whole = "You expected it.\n\nIt rose. It fell."
    assert render.experiment(done, whole, None, "raw.json")[0].startswith(f"{whole}\n\n**[R1]")
    assert "<details>" not in render.experiment(finished(), "Said.\n\nIt went from 31.0 to 40.8.", None, "raw.json")[0]


def test_what_a_learner_asked_is_escaped() -> None:
    """Their question comes back in exhibits and in the command, as text."""
    parts = "\n".join(render.experiment(finished(), "Said.", None, "raw.json"))
    assert "<img src=x" not in parts and html.escape("<img src=x") in parts and "<b>1</b>" not in parts


def test_the_panel_shows_a_run_as_a_source(knowledge: Knowledge) -> None:
    """A cited run is open, labelled, its sentence marked."""
    note = finished().note
    sentence = Checked("It went from 31.0 to 40.8 [R1].", ("R1",), "supported", 1.0)
    shown = render.panel(knowledge.by_id["cats-vs-dogs"], (Source("R1", note, True),), (sentence,))
    assert '<span class="n">R1</span>' in shown and "<mark>It went from 31.0 to 40.8.</mark>" in shown


def test_a_quotation_stands_in_quotation_marks(knowledge: Knowledge, tmp_path: Path) -> None:
    """What stands in for a sentence that failed the check shows that it is the note's wording; others stay bare."""
    shown = Shown([], knowledge, tmp_path)
    for text, support in (("Cats sleep [1].", "supported"), ("Cats purr softly [2].", "quoted")):
        shown.take(Delta(f" {text}" if shown.messages[-1].content else text))
        shown.take(Checked(text, (int(text[-3]),), support, 1.0))  # type: ignore[arg-type]
    assert shown.messages[-1].content == "Cats sleep [1]. “Cats purr softly.” [2]"


@pytest.mark.parametrize(
    ("text", "marked"),
    [("It went from 31.0 to 40.8 [R1].", "“It went from 31.0 to 40.8.” [R1]"), ("Why [1] [2]?", "“Why?” [1] [2]")],
)
def test_a_citation_stands_behind_the_quotation(text: str, marked: str) -> None:
    """The number belongs to the tutor, the words to the note."""
    assert render.quotation(text) == marked
