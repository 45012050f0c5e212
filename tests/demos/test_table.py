from __future__ import annotations

import pytest

from demos import DEMOS
from demos.base import Demo
from demos.table import BEGIN, END, README, table_of, with_table
from tutor.errors import TutorError
from tutor.intent import route


def test_the_readme_holds_the_table_that_the_code_gives() -> None:
    """Whoever adds an experiment or a setting runs `make readme`."""
    readme = README.read_text(encoding="utf-8")
    assert readme == with_table(readme, table_of(DEMOS))


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_each_row_tells_name_settings_and_a_sentence_that_starts_it(demo: Demo) -> None:
    """A reader can copy the sentence into the chat and the settings to the command line."""
    row = next(line for line in table_of(DEMOS).splitlines() if line.startswith(f"| `{demo.name}` |"))
    assert all(f"`--{param.name}` {param.allowed()}" in row for param in demo.params)
    assert all(concept in row for concept in demo.concepts)
    call = route(demo.say, (), DEMOS).demo
    assert call is not None and call.name == demo.name, demo.say


def test_text_around_the_table_stays_and_missing_markers_are_told() -> None:
    """Writing twice changes nothing more."""
    page = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    assert with_table(with_table(page, "new"), "new") == f"above\n{BEGIN}\nnew\n{END}\nbelow\n"
    with pytest.raises(TutorError, match="README"):
        with_table("no markers", "new")
