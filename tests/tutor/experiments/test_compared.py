"""Two runs of one experiment beside each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demos.base import DemoResult, Table, Value
from tutor.experiments.compared import chance, compare, names_a_cell
from tutor.experiments.runs import Run, make_run

COLUMNS = ("Measure", "Full", "LoRA", "QLoRA")
FOUR = (
    ("Trained parameters", "239,616", "13,824", "13,824"),
    ("Loss on new text (nats)", "2.43", "2.49", "2.48"),
    ("Decoding (tokens/s)", "30", "31", "31"),
)
EIGHT = (
    ("Trained parameters", "239,616", "27,648", "27,648"),
    ("Loss on new text (nats)", "2.43", "2.47", "2.47"),
    ("Decoding (tokens/s)", "30", "33", "32"),
)


def made(rows: tuple[tuple[str, ...], ...], columns: tuple[str, ...] = COLUMNS, **params: Value) -> Run:
    """A run with this table."""
    result = DemoResult("It ran.", Table(columns, rows), {})
    return make_run("lora", "Fine-tuning", params, 0, "Tiny", result, "")


BEFORE, AFTER = made(FOUR, rank=4, alpha=8), made(EIGHT, rank=8, alpha=8)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("what changed in the loss?", "in the column “LoRA”, Loss on new text (nats) 2.47 instead of 2.49."),
        ("and QLoRA's loss?", "in the column “QLoRA”, Loss on new text (nats) 2.47 instead of 2.48."),
        (
            "so what's the difference?",
            "in the column “LoRA”, Trained parameters 27,648 instead of 13,824; Loss on new text (nats) 2.47 instead of 2.49.",
        ),
    ],
)
def test_what_differs_is_told_of_what_is_asked(question: str, told: str) -> None:
    """Protects: numbers of both runs, each in its place, of the row and column that the question names; a time that differs as times do is no difference."""
    assert compare(question, BEFORE, AFTER) == f"Compared with the run with rank 4, the one with rank 8 has, {told}"


def test_rows_are_matched_whatever_their_numbers() -> None:
    """A row's name may hold a setting, "temperature 2"; one that only one run has is left out."""
    columns = ("Setting", "Tokens kept")
    before = made((("as it is", "49,152"), ("temperature 2", "900")), columns, temperature=2.0)
    after = made((("as it is", "49,152"), ("temperature 0.5", "12"), ("top-k 5", "5")), columns, temperature=0.5)
    assert compare("", before, after).endswith("“Tokens kept”, temperature 0.5 12 instead of 900.")
    counted = made((("4", "90"),), ("Examples", "Right (%)")), made((("6", "93"),), ("Examples", "Right (%)"))
    assert "Examples 6: 93 instead of 90." in compare("", *counted)


def test_the_same_numbers_are_said_to_be_the_same() -> None:
    """Nothing is invented where a run only repeated another."""
    assert (
        compare("better?", BEFORE, BEFORE)
        == "Compared with the run before, the last one has the same numbers in its table."
    )


def test_what_the_question_names() -> None:
    """Protects: where it names nothing that differs, a sentence of each run may say more."""
    assert names_a_cell("what about the loss?", BEFORE, AFTER)
    assert not names_a_cell("which one is on-policy?", BEFORE, AFTER)
    assert not names_a_cell("the loss?", BEFORE, replace(BEFORE))


def test_quoted_numbers_name_the_column() -> None:
    """Protects: "5 instead of 7, is it real?" is about the column that holds 5 and 7."""
    columns = ("Prompt", "Right", "Time (s)")
    before = made((("with notes", "7 of 12", "0.10"), ("without notes", "0 of 12", "0.10")), columns, notes=2)
    after = made((("with notes", "5 of 12", "0.19"), ("without notes", "0 of 12", "0.15")), columns, notes=4)
    told = compare("strange, more notes and it is worse? 5 instead of 7. is it real?", before, after)
    assert told.endswith("in the column “Right”, with notes 5 of 12 instead of 7 of 12.")


def test_columns_of_other_levels_are_not_set_against_each_other() -> None:
    """A column that both tables have is itself, wherever it stands; one that only one has is left out where the other has its neighbour."""
    before = made((("Size (MB)", "269", "134", "219"),), ("Measure", "Original", "70% zeros", "30% zeros"))
    after = made((("Size (MB)", "269", "218", "197"),), ("Measure", "Original", "30% zeros", "40% zeros"))
    assert compare("size?", before, after).endswith("in the column “30% zeros”, Size (MB) 218 instead of 219.")


@pytest.mark.parametrize(
    ("intervals", "said"),
    [
        (("32–81", "19–68"), "overlap (32–81 and 19–68), so their difference may be chance."),
        (("0–24", "32–81"), "do not overlap (0–24 and 32–81), so chance alone hardly explains the difference."),
    ],
)
def test_whether_it_may_be_chance_is_told_by_the_intervals(intervals: tuple[str, str], said: str) -> None:
    """Protects: "is it real or luck?" hears what the intervals say; without any, that it was not measured."""
    columns = ("Prompt", "Right", "95 % interval (%)")
    runs = [
        made((("with notes", right, interval),), columns) for right, interval in zip(("7", "5"), intervals, strict=True)
    ]
    assert chance("real or luck?", *runs) == f"The two 95 % intervals of “with notes” {said}"
    assert "was not measured" in chance("real or luck?", BEFORE, AFTER)
