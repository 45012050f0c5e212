"""How the experiment on drafts and students words what it measured."""

from __future__ import annotations

from collections.abc import Mapping

from demos.base import Table
from demos.words import number, paragraphs

SAME, FEW, STUDENTS = "Not a letter changes", "A few letters change", "It becomes the student's text"


def outcome(metrics: Mapping[str, float | int]) -> str:
    """The true choice of the prediction."""
    if metrics["same_drafted"] == 1:
        return SAME
    return FEW if metrics["same_drafted"] > metrics["same_student"] else STUDENTS


def table(metrics: Mapping[str, float]) -> Table:
    """A way to write a column: the teacher alone, with drafts of the distilled student, and that student alone."""

    def row(head: str, form: str, *names: str) -> tuple[str, ...]:
        return (head, *(format(metrics[name], form) if name else "–" for name in names))

    return Table(
        ("Measure", "Teacher alone", "Teacher with drafts", "Student alone"),
        (
            row("Weights held", ",.0f", "weights_teacher", "weights_both", "weights_student"),
            row("Letters written", ",.0f", "letters", "letters", "letters"),
            row("Passes of the teacher", ",.0f", "letters", "passes", ""),
            row("Letters as the teacher writes them", ".0%", "", "same_drafted", "same_student"),
            row("Letters a second", ",.0f", "rate_teacher", "rate_drafted", "rate_student"),
            row("Loss on new text (nats)", ".2f", "loss_teacher", "loss_teacher", "loss_student"),
        ),
    )


def summary(metrics: Mapping[str, float]) -> str:
    """What was measured, sentence by sentence."""
    m = metrics
    return paragraphs(
        [
            f"A teacher of {m['weights_teacher']:,.0f} weights learned English letter by letter, and a student of {m['weights_student']:,.0f} weights was "
            "distilled from it: it learned the teacher's probabilities for each next letter.",
            f"With speculative decoding, the student guessed {m['ahead']:.0f} letters ahead and the teacher checked them in one pass: {_same(m)}, and "
            f"the {m['letters']:,.0f} letters took {m['passes']:,.0f} passes of the teacher instead of {m['letters']:,.0f}, {_pace(m['rate_drafted'] / m['rate_teacher'])}.",
            f"With distillation alone, the student wrote {number(m['rate_student'] / m['rate_teacher'])} times as fast as its teacher, but only {m['same_student']:.0%} of its letters stand "
            f"where the teacher puts them, and its loss on new text is {m['loss_student']:.2f} instead of {m['loss_teacher']:.2f} nats (lower is better).",
        ],
        [
            f"The teacher kept {m['kept_share']:.0%} of the distilled student's guesses, and {m['kept_share_untaught']:.0%} of those of a student of the same size that had learned from the text without a teacher"
            f"{_taught(m)}.",
            f"Drafts hold both models in memory, {m['weights_both']:,.0f} weights in all. Letters were drawn at temperature {m['temperature']:g}, with the same throw of the dice for every way to write."
            if m["temperature"]
            else f"Drafts hold both models in memory, {m['weights_both']:,.0f} weights in all. The likeliest letter was always taken.",
        ],
    )


def _same(metrics: Mapping[str, float]) -> str:
    if metrics["same_drafted"] == 1:
        return "not a letter of the text differs from what the teacher writes alone"
    return f"{metrics['same_drafted']:.1%} of the letters are those that the teacher writes alone (two letters can tie within rounding)"


def _pace(ratio: float) -> str:
    if ratio > 1.05:
        return f"{ratio:.1f} times as fast"
    return (
        "which on this machine wins no time"
        if ratio > 0.95
        else f"and yet was slower here, at {ratio:.1f} times the pace"
    )


def _taught(metrics: Mapping[str, float]) -> str:
    return (
        ": distillation made the better draft" if metrics["kept_share"] > metrics["kept_share_untaught"] + 0.02 else ""
    )


def alt(metrics: Mapping[str, float]) -> str:
    """The figure in words."""
    return (
        f"Letters a second: teacher alone {metrics['rate_teacher']:,.0f}, with drafts {metrics['rate_drafted']:,.0f}, student alone {metrics['rate_student']:,.0f}. "
        f"Letters as the teacher writes them: with drafts {metrics['same_drafted']:.0%}, student alone {metrics['same_student']:.0%}."
    )
