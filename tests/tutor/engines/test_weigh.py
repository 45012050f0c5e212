"""What a choice is fitted on: the model's likelihood of each branch."""

from __future__ import annotations

import pytest

from tutor.engines.base import Branch, Message
from tutor.engines.local import LocalEngine

PROMPT = [Message("system", "Answer."), Message("user", "What is pruning?")]


def test_a_branch_weighs_what_its_text_scores(engine: LocalEngine) -> None:
    """Protects: the fitted weights stand beside the same log-probabilities that the choice compares."""
    texts = ["Pruning removes weights.", "Yes."]
    weighed = engine.weigh(PROMPT, (), [Branch(text) for text in texts])
    assert weighed == pytest.approx(engine.score(PROMPT, texts), abs=1e-3)


def test_what_was_chosen_comes_before(engine: LocalEngine) -> None:
    """Protects: a later sentence and the end are weighed after what was said, each by itself."""
    first = Branch("Pruning removes weights.")
    later = engine.weigh(PROMPT, (first,), [Branch("It is old."), Branch("")])
    alone = engine.weigh(PROMPT, (first,), [Branch("It is old.")])
    whole = engine.score(PROMPT, ["Pruning removes weights. It is old.", "Pruning removes weights."])
    assert later[0] == pytest.approx(alone[0], abs=1e-3) == pytest.approx(whole[0] - whole[1], abs=1e-2)
    assert later[1] < 0
