"""How what ships of the choice's weights is fitted anew."""

from __future__ import annotations

import numpy as np
import pytest

from tutor.choosing.weighing import END, LATER
from tutor.evaluation.choosing import _GO_ON, Choice, fit, fit_later, refit


def test_what_ships_is_kept_up_to_a_factor_and_what_is_said_behind_it() -> None:
    """Protects: a fit on what learners typed moves when an answer goes on, and leaves what it goes on with to the hints as they were weighed on other questions."""
    rng = np.random.default_rng(0)
    later, end = (rng.normal(scale=100.0, size=len(names)) for names in (LATER, END))
    read, read_end = LATER.index("reads on"), END.index("reads on")
    ends = [END.index(name) for name in ("one said", "two said", "more said")]
    true_later, true_end = 0.5 * later, 0.5 * end
    true_later[read] += 150.0
    true_end[read_end] += 100.0
    true_end[ends] += 75.0

    def fork() -> Choice:
        hints = rng.normal(size=(4, len(LATER) + len(END)))
        hints[3, : len(LATER)], hints[:3, len(LATER) :] = 0.0, 0.0
        hints[3, [len(LATER) + place for place in ends]] = np.eye(3)[rng.integers(3)]
        chances = np.exp(0.02 * (hints @ [*true_later, *true_end]))
        right = np.zeros(4, dtype=bool)
        right[rng.choice(4, p=chances / chances.sum())] = True
        return Choice(hints, right, np.ones(4, dtype=bool))

    new_later, new_end = map(np.array, refit([fork() for _ in range(4_000)], later.tolist(), end.tolist()))
    kept = np.arange(len(LATER)) != read
    factors = new_later[kept] / later[kept]
    assert factors == pytest.approx(factors[0]) and factors[0] == pytest.approx(0.5, rel=0.1)
    assert new_later[read] - factors[0] * later[read] == pytest.approx(150, rel=0.15)
    added = new_end - factors[0] * end
    assert added[ends] == pytest.approx(added[ends[0]]) and added[ends[0]] == pytest.approx(75, rel=0.3)
    assert added[read_end] == pytest.approx(100, rel=0.2)
    of_rest = np.delete(added, [*ends, read_end])
    assert of_rest == pytest.approx(np.zeros(len(of_rest)), abs=1e-6)


@pytest.mark.parametrize("given", [([10.0] * len(LATER), [10.0] * len(END)), None])
def test_answers_go_on_more_readily_than_is_likeliest(given: tuple[list[float], list[float]] | None) -> None:
    """Protects: only the constants of the end are lowered, after one sentence as after more, whether the weights were there or are fitted anew."""
    hints = np.random.default_rng(0).normal(size=(3, len(LATER) + len(END)))
    choices = [Choice(np.roll(hints, n, 0), np.arange(3) == n, np.ones(3, dtype=bool)) for n in range(3)]
    later, end = fit_later(choices, given)
    if given:
        plain_later, plain_end = refit(choices, *given)
    else:
        weights = [*fit(choices, [str(n) for n in range(len(LATER) + len(END))]).values()]
        plain_later, plain_end = weights[: len(LATER)], weights[len(LATER) :]
    lowered = {name for name, one, plain in zip(END, end, plain_end, strict=True) if one != plain}
    assert lowered == {"one said", "two said", "more said"} and later == plain_later
    assert end[END.index("one said")] == pytest.approx(plain_end[END.index("one said")] - _GO_ON)
