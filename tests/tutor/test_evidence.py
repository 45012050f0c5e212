"""What is known of a sentence stands where its weight is looked up."""

from __future__ import annotations

from dataclasses import replace

from knowledge.passages import Knowledge
from tests.conftest import FakeEmbedder, hits_of
from tutor.composition import Composition
from tutor.taught import SILENCE, Votes
from tutor.weighing import END, FIRST, LATER


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
