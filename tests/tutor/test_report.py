"""The report card belongs to what is committed."""

from tutor.evaluation.report import REPORT, measured_state


def test_the_report_card_was_made_from_these_notes_and_this_adapter() -> None:
    """Figures of other notes or another adapter are no figures: `make report` makes them anew."""
    assert f"State: `{measured_state()}`" in REPORT.read_text(encoding="utf-8")
