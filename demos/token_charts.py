"""Figure of the token experiment: the text in boxes, one a token, and two maps of cosines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from demos.figures import BLUE, GREY, INK, ORANGE, new_figure, to_png
from demos.glyphs import drawable
from demos.token_pieces import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

MOST_BOXES = 36
LINE = 50  # characters of the monospaced font in a line


def tokens_chart(
    pieces: Sequence[Piece],
    words: Sequence[str],
    similar: Tensor,
    uses: Sequence[str],
    in_context: Tensor,
    homonym: str,
) -> bytes:
    """`similar` are cosines [words, words] of input embeddings, `in_context` [uses, uses] after the last layer."""
    figure, (top, middle, bottom) = new_figure(rows=3, height=4.0)
    figure.set_layout_engine("constrained", h_pad=0.15)
    _boxes(top, pieces)
    _map(middle, words, similar)
    middle.set_title("Input embeddings of words: cosine (1 = same direction)")
    _map(bottom, uses, in_context)
    bottom.set_title(f"“{homonym}” after the last layer, by context: cosine")
    return to_png(figure)


def _boxes(axis: Axes, pieces: Sequence[Piece]) -> None:
    """Each token over its id, boxes of one word in one colour."""
    from matplotlib.patches import Rectangle

    x, line = 0.0, 0
    for piece in pieces[:MOST_BOXES]:
        text = piece.text if len(piece.text) <= 20 else piece.text[:19] + "…"
        width = max(len(text), len(str(piece.id))) + 1.0
        if x + width > LINE:
            x, line = 0.0, line + 1
        colour = (BLUE, ORANGE)[piece.word % 2]
        axis.add_patch(Rectangle((x, line + 0.06), width - 0.3, 0.84, facecolor=colour, alpha=0.25, edgecolor="none"))
        middle = x + (width - 0.3) / 2
        axis.text(
            middle, line + 0.32, drawable(text), ha="center", va="center", fontsize=13, family="monospace", color=INK
        )
        axis.text(
            middle, line + 0.7, str(piece.id), ha="center", va="center", fontsize=12, color=INK, family="monospace"
        )
        x += width
    left = len(pieces) - MOST_BOXES
    axis.set(xlim=(0, LINE), ylim=(max(line + 1.0, 3.5), 0), xticks=[], yticks=[])
    axis.set_title("The text in tokens and their IDs" + (f" (first {MOST_BOXES})" if left > 0 else ""))
    axis.set_xlabel("a colour is a word, a box is a token, ␣ is a space")
    axis.spines[["left", "bottom"]].set_visible(False)


def _map(axis: Axes, names: Sequence[str], similar: Tensor) -> None:
    """Squares with their cosines."""
    values = similar.tolist()
    axis.imshow(values, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    shown = [drawable(name if len(name) <= 14 else name[:13] + "…") for name in names]
    wide = max(map(len, shown)) > 7 or len(shown) > 6
    axis.set_xticks(range(len(shown)), shown, rotation=30 if wide else 0, ha="right" if wide else "center")
    axis.set_yticks(range(len(shown)), shown)
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            axis.text(
                j, i, f"{value:.2f}", ha="center", va="center", fontsize=12, color="white" if value > 0.8 else INK
            )
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_color(GREY)
