from __future__ import annotations

from knowledge.passages import Knowledge
from tutor.context.lately import Lately, look_back
from tutor.events import Exchange


def test_what_two_answers_said_is_known_unless_it_is_asked_for(knowledge: Knowledge) -> None:
    """Protects: an objection is not met with the same sentence, and "say that again" is."""
    first, second, third = (passage for passage in knowledge.passages[:3])
    history = [Exchange("?", f"{passage.sentences[0]}") for passage in (first, second, third)]
    assert look_back("not that, the other", history, knowledge) == Lately(3, frozenset({(second.id, 0), (third.id, 0)}))
    assert look_back("say that again please", history, knowledge) == Lately(3)
    assert look_back("what is it?", [], knowledge) == Lately()


def test_what_stood_behind_a_doubted_word_is_not_stale(knowledge: Knowledge) -> None:
    """Protects: where the word is taken back, the sentence that stands may be said again."""
    answer = f"Yes. {knowledge.passages[0].sentences[0]}"
    assert look_back("why yes?", [Exchange("?", answer)], knowledge) == Lately(1, doubted="Yes")
