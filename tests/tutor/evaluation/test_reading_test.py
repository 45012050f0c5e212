"""The reading test: what is counted, and what is listed."""

from __future__ import annotations

from tutor.evaluation.reading_test import KINDS, Said, document, questions


def test_every_set_is_asked_about_in_each_way() -> None:
    """Protects: no set is left out of the reading test."""
    rows = questions()
    assert len({row["set"] for row in rows}) == 26
    assert all(row[kind].strip() for row in rows for kind in KINDS)


def test_only_answers_that_were_judged_as_they_stand_count() -> None:
    """An answer that has changed since is told to be unread, and one found wanting is listed with the reason."""
    said = [
        Said("a/difference", "difference", "a or b?", "A is b."),
        Said("a/five", "five", "a for a child?", "A is like c."),
        Said("a/untrue", "untrue", "a is c?", "No."),
    ]
    fine = {"right": True, "false": False, "needless": False, "stiff": False}
    judged = {
        ("a/difference", "A is b."): {**fine, "right": False, "why": "b is missing"},
        ("a/five", "A is like c."): fine,
        ("a/untrue", "Yes."): fine,
    }
    text = document(said, judged)
    assert "| All | 2 | 0.50 | 0.00 | 0.00 | 0.00 |" in text
    assert "or were not: 1." in text
    assert "**a/difference** (not right)" in text and "b is missing" in text and "a/five" not in text
