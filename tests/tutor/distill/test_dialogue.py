"""What the encoder of dialogues learns from."""

from __future__ import annotations

from knowledge.concept_files import load_knowledge
from tutor.distill.dialogue import load_dialogues
from tutor.evaluation.items import load_items


def test_follow_ups_and_questions_of_their_own_are_both_learned() -> None:
    """Protects: an encoder that draws every question to what was said before it."""
    dialogues = load_dialogues(load_knowledge())
    own = [dialogue for dialogue in dialogues if dialogue.text.startswith(dialogue.full + " [SEP] ")]
    assert len(dialogues) - len(own) > 7_000 and len(own) > 3_000
    assert all(dialogue.answer for dialogue in dialogues)


def test_no_labelled_item_is_learned() -> None:
    """Protects: the figures of the labelled set tell of questions that were never trained on."""
    labelled = {(item.question, item.history[-1].user) for item in load_items() if item.history}
    learned = {tuple(dialogue.text.split(" [SEP] ")[:2]) for dialogue in load_dialogues(load_knowledge())}
    assert not labelled & learned
