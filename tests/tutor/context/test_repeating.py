from __future__ import annotations

from knowledge.passages import Knowledge
from tutor.context.repeating import said_lately
from tutor.events import Exchange


def test_what_two_answers_said_is_known_unless_it_is_asked_for(knowledge: Knowledge) -> None:
    """Protects: an objection is not met with the same sentence, and "say that again" is."""
    first, second, third = (passage for passage in knowledge.passages[:3])
    history = [Exchange("?", f"{passage.sentences[0]}") for passage in (first, second, third)]
    assert said_lately("not that, the other", history, knowledge) == {(second.id, 0), (third.id, 0)}
    assert said_lately("say that again please", history, knowledge) == frozenset()
    assert said_lately("what is it?", [], knowledge) == frozenset()
