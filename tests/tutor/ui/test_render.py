"""What the page says, and what of it was the learner's."""

from __future__ import annotations

import pytest

from tutor.ui import render


@pytest.mark.parametrize(("embedded", "told"), [((0, 0), ""), ((0, 5_000), "0 of 5,000"), ((5_000, 5_000), "")])
def test_a_waiting_page_says_how_far_a_first_start_is(embedded: tuple[int, int], told: str) -> None:
    """Protects the first minutes on a new machine, and that nothing of the notice counts as an answer."""
    notice = render.opening(*embedded)
    assert told in notice and ("(" in notice) == bool(told)
    assert render.spoken(notice) == ""
