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
GAP = 0.5  # between two texts, in lines
LINE = 50  # characters of the monospaced font in a line


def tokens_chart(
    texts: Sequence[Sequence[Piece]],
    words: Sequence[str],
    similar: Tensor,
    uses: Sequence[str],
    in_context: Tensor,
    homonym: str,
) -> bytes:
    """`texts` are the tokens of one text or two; `similar` are cosines [words, words] of input embeddings, `in_context` [uses, uses] after the last layer."""
    figure, (top, middle, bottom) = new_figure(rows=3, height=4.0)
    figure.set_layout_engine("constrained", h_pad=0.15)
    _boxes(top, texts)
    _map(middle, words, similar)
    middle.set_title("Input embeddings of words: cosine (1 = same direction)")
    _map(bottom, uses, in_context)
    bottom.set_title(f"“{homonym}” after the last layer, by context: cosine")
    return to_png(figure)


def _boxes(axis: Axes, texts: Sequence[Sequence[Piece]]) -> None:
    """One text below the other, in lines: each token over its id, boxes of one word in one colour."""
    y = 0.0
    for pieces in texts:
        x = 0.0
        for piece in pieces[: MOST_BOXES // len(texts)]:
            text = piece.text if len(piece.text) <= 20 else piece.text[:19] + "…"
            width = max(len(text), len(str(piece.id))) + 1.0
            if x + width > LINE:
                x, y = 0.0, y + 1
            _box(axis, (x, y), width - 0.3, (text, str(piece.id)), (BLUE, ORANGE)[piece.word % 2])
            x += width
        y += 1 + GAP
    left = max(map(len, texts)) > MOST_BOXES // len(texts)
    axis.set(xlim=(0, LINE), ylim=(max(y - GAP, 3.5), 0), xticks=[], yticks=[])
    axis.set_title(
        ("The text" if len(texts) == 1 else "The texts")
        + " in tokens and their IDs"
        + (f" (first {MOST_BOXES // len(texts)})" if left else "")
    )
    axis.set_xlabel("a colour is a word, a box is a token, ␣ is a space")
    axis.spines[["left", "bottom"]].set_visible(False)


def _box(axis: Axes, corner: tuple[float, float], width: float, lines: tuple[str, str], colour: str) -> None:
    from matplotlib.patches import Rectangle

    x, y = corner
    axis.add_patch(Rectangle((x, y + 0.06), width, 0.84, facecolor=colour, alpha=0.25, edgecolor="none"))
    for text, below, size in zip(lines, (0.32, 0.7), (13, 12), strict=True):
        axis.text(
            x + width / 2,
            y + below,
            drawable(text),
            ha="center",
            va="center",
            fontsize=size,
            family="monospace",
            color=INK,
        )


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
