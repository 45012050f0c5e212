"""What a reader's outputs tell, and two readers' together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tutor.choosing.outputs import BESIDE, Named, behind_by, doubt_of, named_by, named_by_both

ONE, TWO, THREE = ("cats", 0), ("cats", 1), ("dogs", 0)
KNOWN = {ONE: 0, THREE: 2}


def test_an_output_that_the_notes_do_not_hold_keeps_its_share() -> None:
    """Protects an edited note: what its sentence had is nobody's, so the others do not look surer; none is weighed against all."""
    named = named_by(np.log(np.array([0.5, 0.4, 0.1], dtype=np.float32)), math.log(2.0), KNOWN)
    assert named.shares == pytest.approx({ONE: 0.5, THREE: 0.1}) and named.none == pytest.approx(math.log(2.0))
    assert doubt_of(named) == pytest.approx((math.log(2.0), math.log(0.5)))


def test_what_is_said_cannot_come_again() -> None:
    """Protects: behind a sentence the rest and the end share all, and what an answer begins with is told by itself."""
    logits = np.log(np.array([0.5, 0.2, 0.1, *[0.7, 0.3, 0.2, 0.6, 0.2]], dtype=np.float32))
    assert len(logits) == 3 + len(BESIDE)
    behind = behind_by(logits, KNOWN, [ONE])
    assert behind.shares == pytest.approx({ONE: 0.0, THREE: 0.1 / 0.6}) and behind.end == pytest.approx(0.5)
    assert (behind.yes, behind.no) == pytest.approx((0.2, 0.6))


def test_two_readings_name_what_neither_rules_out() -> None:
    """Protects: the mean of the log shares of what both know, and what they leave for nobody, together 1; and of the log-odds that nothing answers."""
    one, other = Named({ONE: 0.64, TWO: 0.36}, -3.0), Named({TWO: 0.64, ONE: 0.04, THREE: 0.3}, 1.0)
    named = named_by_both(one, other)
    a, b = math.sqrt(0.64 * 0.04), math.sqrt(0.36 * 0.64)
    assert named.shares == pytest.approx({ONE: a / (a + b), TWO: b / (a + b)}) and named.none == -1.0


def test_what_is_nobodys_for_both_is_nobodys_together() -> None:
    """Protects a teacher's edited note: the few sentences that are left do not share what theirs had, so a question that they do not answer is still refused."""
    named = named_by_both(Named({ONE: 0.02}, -1.0), Named({ONE: 0.02}, -1.0))
    assert named.shares == pytest.approx({ONE: 0.02})


def test_two_readers_of_other_notes_name_nothing() -> None:
    """Protects a teacher's own notes: nothing in common is no division by zero."""
    assert named_by_both(Named({ONE: 1.0}, -1.0), Named({THREE: 1.0}, 0.0)) == Named({}, -0.5)
