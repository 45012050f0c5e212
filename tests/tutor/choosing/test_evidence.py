"""What is known of a sentence stands where its weight is looked up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from knowledge.passages import Knowledge
from tests.conftest import FakeEmbedder, hits_of
from tutor.choosing.composition import Composition
from tutor.choosing.outputs import Behind
from tutor.choosing.taught import SILENCE, Votes
from tutor.choosing.weighing import END, FIRST, LATER


def test_each_vote_has_its_own_place(knowledge: Knowledge) -> None:
    """Protects: a weight fitted for one hint that another is multiplied with, which no error would tell."""
    passages = knowledge.passages[:2]
    first, second = (passages[0].id, 0), (passages[0].id, 1)

    def votes(by: float) -> Votes:
        return Votes(
            first={second: 0.3 + by},
            words={second: 0.4 + by},
            learned={second: 0.5 + by},
            read={second: 0.6 + by},
            passages=frozenset(passage.id for passage in passages),
        )

    whole = votes(0.0)
    both = replace(whole, parts=(votes(0.1), votes(0.2)))
    evidence = Composition("What are cats, and why?", hits_of(*passages), FakeEmbedder(), (), votes=both).evidence
    key, said = evidence.references.index(second), evidence.references.index(first)
    at_first = dict(zip(FIRST, evidence.first_hints(key, ""), strict=True))
    names = ("vote", "words", "learned", "read")
    assert [round(at_first[name], 2) for name in names] == [0.3, 0.4, 0.5, 0.6]
    assert [round(at_first[f"{name} of a part"], 2) for name in names] == [0.5, 0.6, 0.7, 0.8]
    later = dict(zip(LATER, evidence.later_hints(key, [said]), strict=True))
    # Beyond what is said already, which nobody voted for.
    assert [round(later[f"{name} of a part"] + SILENCE, 2) for name in names] == [0.5, 0.6, 0.7, 0.8]
    end = dict(zip(END, evidence.end_hints([said]), strict=True))
    assert (round(end["learned left"], 2), round(end["read left"], 2)) == (0.5, 0.6)


def test_what_is_read_behind_the_sentences_said_has_its_own_place(knowledge: Knowledge) -> None:
    """Protects: the language model's say on what comes next, on the end, and on Yes against No; where it knows nothing, it says the same of all."""
    passages = knowledge.passages[:2]
    second, third, strange = (passages[0].id, 1), (passages[1].id, 0), (passages[1].id, 1)
    asked: list[tuple[object, ...]] = []

    def reads_on(said: tuple[object, ...]) -> Behind | None:
        asked.append(said)
        return Behind({second: 0.5, third: 0.0}, 0.25, 0.6, 0.3) if len(said) == 1 else None

    votes = Votes(reads_on=reads_on, passages=frozenset(passage.id for passage in passages))
    evidence = Composition("Cats, and why?", hits_of(*passages), FakeEmbedder(), (), votes=votes).evidence
    key, other, unread = (evidence.references.index(reference) for reference in (second, third, strange))
    assert evidence.later_hints(key, [0])[LATER.index("reads on")] == pytest.approx(np.log(0.5), abs=1e-3)
    assert evidence.end_hints([0])[END.index("reads on")] == pytest.approx(np.log(0.25), abs=1e-3)
    assert evidence.later_hints(other, [0])[LATER.index("reads on")] < -9
    assert evidence.opening_read(0) == pytest.approx(np.log(2), abs=1e-3)
    assert set(asked) == {((passages[0].id, 0),)}
    # What it was not trained on, such as a class's own note beside the shipped ones, is not taken for what it rules out.
    unknown = evidence.later_hints(unread, [0])[LATER.index("reads on")]
    assert -9 < unknown == evidence.later_hints(other, [0, key])[LATER.index("reads on")]
    assert evidence.end_hints([0, key])[END.index("reads on")] > unknown
