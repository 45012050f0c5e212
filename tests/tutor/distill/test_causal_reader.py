"""How questions about one sentence are read side by side."""

from __future__ import annotations

import random

from tutor.distill.causal_reader import Row, _side_by_side, _steps


def test_a_question_sees_its_sentence_and_itself() -> None:
    """Protects: what is asked beside does not tell the answer, and each question follows the sentence at once."""
    rows = [Row((1, 2), ((3, 4), (5, 6, 7)), (True, False)), Row((8,), ((9,),), (True,))]
    tokens, positions, seen, ends = _side_by_side(rows)
    assert tokens.tolist() == [[1, 2, 3, 4, 5, 6, 7], [8, 9, 0, 0, 0, 0, 0]]
    assert positions[0].tolist() == [0, 1, 2, 3, 2, 3, 4]
    visible = seen[:, 0] == 0
    assert visible[0, 6].nonzero().flatten().tolist() == [0, 1, 4, 5, 6]
    assert visible[0, 2].nonzero().flatten().tolist() == [0, 1, 2]
    assert ends == [(0, 3), (0, 6), (1, 1)]


def test_every_row_is_read_once_an_epoch() -> None:
    """Protects: nothing is lost where steps are filled up to their most tokens."""
    rows = [Row((1,) * (n % 50 + 1), ((n,),), (True,)) for n in range(300)]
    steps = _steps(rows, random.Random(0))
    assert sorted(row.questions[0][0] for step in steps for row in step) == list(range(300))
    assert max(len(step) * max(map(len, step)) for step in steps) <= 1_700
