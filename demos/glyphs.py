"""Text that a figure can show, whatever a learner typed."""

from __future__ import annotations

from functools import cache

LACKING = "□"


def drawable(text: str) -> str:
    """Text for matplotlib: characters that its font lacks become □, and a dollar sign does not begin a formula."""
    return "".join(c if ord(c) in _characters() else LACKING for c in text).replace("$", r"\$")


@cache
def _characters() -> frozenset[int]:
    """Code points that the default font can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())
