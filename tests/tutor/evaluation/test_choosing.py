"""What is fitted on the tuning part."""

from __future__ import annotations

import numpy as np

from tutor.evaluation.choosing import sure_from


def test_yes_or_no_is_said_from_where_it_is_right_often_enough() -> None:
    """Protects: of what is said at least the share wanted is right, and as much is said as that allows."""
    leads, right = np.array([4.0, 1.0, 3.0, 2.0]), np.array([True, False, True, False])
    assert sure_from(leads, right, share=0.95) == 3.0
    assert sure_from(leads, right, share=0.6) == 2.0
    assert sure_from(leads, right, share=0.5) == 1.0


def test_nothing_is_said_where_nothing_is_sure() -> None:
    """Protects: leads that tell nothing are not taken for knowledge."""
    assert sure_from(np.array([1.0, 2.0]), np.array([False, False])) > 2.0
