"""`python -m demos.table` writes the README's table of experiments, so that it says what the code does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demos import DEMOS
from demos.base import Demo, Param
from tutor.errors import TutorError

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- experiments: written by `make readme` -->", "<!-- end of experiments -->"


def table_of(demos: Sequence[Demo]) -> str:
    """The Markdown table: one row an experiment."""
    head = ("Experiment", "What it shows", "Sets", "Settings (default)", "Say")
    rows = [head, ("---",) * len(head), *(_row(demo) for demo in demos)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def with_table(readme: str, table: str) -> str:
    """The README with the table between its two markers; raises TutorError without them."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise TutorError(f"The README must hold {BEGIN!r} and, below it, {END!r}.")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _row(demo: Demo) -> tuple[str, ...]:
    if not demo.say:
        raise TutorError(f"Give {demo.name} a sentence that starts it: say=….")
    sets = ", ".join(f"[{concept}](knowledge/concepts/{concept}.md)" for concept in demo.concepts)
    settings = "<br>".join(_setting(param) for param in demo.params)
    return f"`{demo.name}`", demo.title, sets, settings, f"“{demo.say}”"


def _setting(param: Param) -> str:
    default = str(param.default) or "none"
    return f"`--{param.name}` {param.allowed()} ({default})"


def main() -> None:
    readme = README.read_text(encoding="utf-8")
    README.write_text(with_table(readme, table_of(DEMOS)), encoding="utf-8")


if __name__ == "__main__":
    main()
