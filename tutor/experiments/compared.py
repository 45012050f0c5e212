"""Two runs of one experiment set beside each other: which cells of their tables differ, told as a sentence."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from knowledge.words import content_words
from tutor.experiments.runs import Run
from tutor.experiments.telling import KINDS

_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")
_TIMED = re.compile(r"\b(?:ms|s|seconds?|tokens/s|GB/s|TFLOP/s|GFLOP/s|time)\b")
_NOISE = 0.15  # share by which a time may differ between two runs that do the same
_MOST = 4  # cells in one sentence
_LEAD = "Compared with the run with {}, the one with {}"


@dataclass(frozen=True)
class Cell:
    """What stands in the same place of both tables; `row` and `column` are the later run's heads."""

    row: str
    column: str
    before: str
    after: str


def names_a_cell(question: str, before: Run, after: Run) -> bool:
    """Whether the question has a word of what differs."""
    words = set(content_words(question))
    return any(_fits(words, f"{cell.row} {cell.column}") for cell in _differing(before, after))


def compare(question: str, before: Run, after: Run) -> str:
    """What differs, in the column that the question names, or the first that differs, and there in the rows that it names; or that nothing does."""
    words = set(content_words(question))
    cells = _differing(before, after)
    settings = _settings(before, after)
    lead = "Compared with the run before, the last one" if settings is None else _LEAD.format(*settings)
    if not cells:
        return f"{lead} has the same numbers in its table."
    columns = dict.fromkeys(cell.column for cell in cells)
    numbers = set(_NUMBERS.findall(question))

    def quoted(cell: Cell) -> int:
        return len(numbers & {*_NUMBERS.findall(f"{cell.before} {cell.after}")})

    def asked(name: str) -> tuple[int, int]:
        """What speaks for a column: numbers of both runs that are quoted from it and its name; then a row's name."""
        own = [cell for cell in cells if cell.column == name]
        kinds = sum(bool(kind.search(question) and kind.search(name)) for kind in KINDS.values())
        return max(map(quoted, own)) + _fits(words, name) + kinds, max(_fits(words, cell.row) for cell in own)

    column = max(columns, key=asked)
    rows = [cell for cell in cells if cell.column == column]
    most = max(quoted(cell) + _fits(words, cell.row) for cell in rows)
    named = [cell for cell in rows if quoted(cell) + _fits(words, cell.row) == most]
    told = "; ".join(f"{_head(cell, after)} {cell.after} instead of {cell.before}" for cell in named[:_MOST])
    return f"{lead} has, in the column “{column}”, {told}."


def chance(question: str, before: Run, after: Run) -> str:
    """Whether the two could differ by chance, where both tables have intervals of what the question names; or that it was not measured."""
    words = set(content_words(question))
    intervals = [cell for cell in _differing(before, after) if "interval" in cell.column]
    cell = max(intervals, key=lambda cell: _fits(words, cell.row), default=None)
    bounds = [[float(n) for n in _NUMBERS.findall(text)] for text in (cell.before, cell.after)] if cell else []
    if cell is None or any(len(pair) != 2 for pair in bounds):
        return f"Each of the two was measured once, with seed {after.seed}; how much of their difference is chance was not measured."
    overlap = max(low for low, _ in bounds) <= min(high for _, high in bounds)
    verdict = (
        ("overlap", "their difference may be chance")
        if overlap
        else ("do not overlap", "chance alone hardly explains the difference")
    )
    which = f"The two {cell.column.removesuffix(' (%)')}s of “{cell.row}”"
    return f"{which} {verdict[0]} ({cell.before} and {cell.after}), so {verdict[1]}."


def _fits(words: set[str], head: str) -> int:
    """How many of a question's words stand in the head."""
    return len(words & set(content_words(head)))


def _differing(before: Run, after: Run) -> list[Cell]:
    """In the table's order; times that differ by no more than times do are left out."""
    earlier = dict(zip(_keys(before), before.table.rows, strict=True))
    places = _columns(before, after)
    cells = []
    for key, row in zip(_keys(after), after.table.rows, strict=True):
        other = earlier.get(key, ())
        for place, (column, new) in enumerate(zip(after.table.columns, row, strict=True)):
            old = other[places[place]] if other and place in places else ""
            if old and new and old != new and not (_TIMED.search(f"{row[0]} {column}") and _near(old, new)):
                cells.append(Cell(row[0], column, old, new))
    return cells


def _columns(before: Run, after: Run) -> dict[int, int]:
    """For each column of the later table but the first, which of the earlier one's it is: of the same name, or in the same place where neither table has the other's."""
    old, new = before.table.columns, after.table.columns
    places = {}
    for place, name in enumerate(new[1:], 1):
        if name in old:
            places[place] = old.index(name)
        elif place < len(old) and old[place] not in new:
            places[place] = place
    return places


def _keys(run: Run) -> list[tuple[str, int]]:
    """What each row is about: its head without numbers, which settings change, and how many such stood before."""
    seen: Counter[str] = Counter()
    keys = []
    for row in run.table.rows:
        head = _NUMBERS.sub("#", row[0])
        keys.append((head, seen[head]))
        seen[head] += 1
    return keys


def _near(one: str, other: str) -> bool:
    values = [float(text.replace(",", "")) for text in (one, other) if _NUMBERS.fullmatch(text)]
    return len(values) == 2 and abs(values[0] - values[1]) <= _NOISE * max(values)


def _settings(before: Run, after: Run) -> tuple[str, str] | None:
    """The settings that differ, as each run has them: "rank 4" and "rank 8"."""
    names = [name for name, value in after.params.items() if before.params.get(name) != value]
    pairs = [tuple(f"{name} {run.params.get(name) or 'none'}" for name in names) for run in (before, after)]
    return (", ".join(pairs[0]), ", ".join(pairs[1])) if names else None


def _head(cell: Cell, run: Run) -> str:
    """What the row is about; a mere number needs its column's name: "Examples 6"."""
    return cell.row if re.search(r"[^\W\d_]{2}", cell.row) else f"{run.table.columns[0]} {cell.row}:"
