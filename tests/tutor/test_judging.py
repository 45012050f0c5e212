"""Two models' findings on a written sentence, weighed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from tests.conftest import FakeEmbedder, hits_of
from tutor.engines.base import Message
from tutor.grounding import Grounding
from tutor.judging import EVIDENCE, Judge, load_judge


class Believes:
    """A language model and a reader that hold one sentence to be likelier, and better supported, than all others."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def score(self, messages: Sequence[Message], texts: Sequence[str]) -> list[float]:
        return [-1.0 if text == self.sentence else -5.0 for text in texts]

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [2.0 if text == self.sentence else -1.0 for text, _ in pairs]


def both(reader: Believes) -> SimpleNamespace:
    """It in the place of either reader."""
    return SimpleNamespace(encoder=reader, causal=reader)


def judge(belief: str) -> Judge:
    """One that counts only by how much the sentence leads its rivals in likelihood."""
    found = Believes(belief)
    return Judge(found, both(found), (0.0, 1.0, *(0.0,) * 8), 0.0)


def test_evidence_is_of_the_sentence_and_of_its_lead(knowledge: Knowledge) -> None:
    """Protects: the order and the sign of what is weighed."""
    mentions = Mentions(knowledge.concepts)
    found = judge("Cats purr.").evidence("Cats purr.", 0.7, "Cats purr a lot.", "Cats purr a lot. Dogs bark.", mentions)
    assert found == (0.7, 4.0, *(2.0, 2.0, 3.0, 3.0) * 2)
    turned = judge("dogs purr.").evidence(
        "Cats purr.", 0.7, "Cats purr a lot.", "Cats purr a lot. Dogs bark.", mentions
    )
    assert turned == (0.7, -4.0, *(-1.0, -1.0, -3.0, -3.0) * 2)


def test_a_sentence_without_rivals_is_judged_by_the_rest(knowledge: Knowledge) -> None:
    """Protects: a sentence in which nothing can be turned round is neither refused nor an error."""
    found = judge("Hm.").evidence(
        "Warm cushions help.", 0.5, "Cushions help.", "Cushions help.", Mentions(knowledge.concepts)
    )
    assert len(found) == len(EVIDENCE) and found[1] > 0


@pytest.mark.parametrize(
    ("belief", "support"), [("Cats purr on warm cushions.", "supported"), ("dogs purr on warm cushions.", "quoted")]
)
def test_the_judge_decides_in_the_check(knowledge: Knowledge, belief: str, support: str) -> None:
    """Protects: a sentence whose rival the models prefer is replaced by the note's own, and any other is shown as it was written."""
    sentence, mentions = "Cats purr on warm cushions.", Mentions(knowledge.concepts)
    checked = Grounding(hits_of(*knowledge.passages), FakeEmbedder(), mentions, judge(belief)).check(sentence)
    assert checked is not None and checked.support == support
    assert (checked.text == "Cats purr on warm cushions [1].") == (support == "supported")


def test_a_number_that_the_note_lacks_is_not_left_to_the_models(knowledge: Knowledge) -> None:
    """Protects: numeric fidelity, whatever the models believe."""
    sentence = "Cats sleep 18 hours a day."
    grounding = Grounding(hits_of(*knowledge.passages), FakeEmbedder(), Mentions(knowledge.concepts), judge(sentence))
    checked = grounding.check(sentence)
    assert checked is None or checked.support == "quoted"


def test_the_shipped_weights_fit_the_evidence() -> None:
    """Protects: each kind of evidence speaks for the sentence."""
    found = Believes("")
    assert min(load_judge(found, both(found)).weights) >= 0


def test_weights_of_other_evidence_are_refused(tmp_path: Path) -> None:
    """Protects: an old file is not read as if it were new, and the error says what to run."""
    (tmp_path / "judging.json").write_text(json.dumps({"near": 1.0, "bias": 0.0}))
    found = Believes("")
    with pytest.raises(ValueError, match="make calibrate"):
        load_judge(found, both(found), tmp_path / "judging.json")
