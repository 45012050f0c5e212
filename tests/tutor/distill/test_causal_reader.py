"""How questions about one sentence are read side by side."""

from __future__ import annotations

from tutor.distill.causal_reader import Row, _side_by_side


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
