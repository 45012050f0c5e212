"""Towards what the classifying language model is trained."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from tutor.choosing.outputs import BESIDE
from tutor.distill.asked import Asked
from tutor.distill.causal_classifier import Trainee, fit_outputs, loss_of, tokens_of

NEVER = -20.0  # the logit of what is not to be expected, though it would be possible


def logits(*shares: float) -> torch.Tensor:
    """Of one text: three sentences with these shares, and nothing beside them."""
    return torch.tensor([[*(math.log(share) for share in shares), *(NEVER for _ in BESIDE)]])


def test_the_first_point_counts_most_and_of_a_point_any_sentence_will_do() -> None:
    """Protects: the target; a passage's own question does not want all of its sentences at once, and two requests want both."""
    shares = logits(0.5, 0.25, 0.25)
    in_order = loss_of(shares, [Asked("why?", ((1,), (0,)))])
    assert float(in_order) == pytest.approx(-0.6 * math.log(0.25) - 0.4 * math.log(0.5))
    assert float(loss_of(shares, [Asked("why?", ((1, 0),))])) == pytest.approx(-math.log(0.75))
    both = loss_of(shares.repeat(2, 1), [Asked("cats?", ((2,),)), Asked("why, and cats?", ((0, 1), (2,)))])
    assert float(both) == pytest.approx((-math.log(0.25) - 0.6 * math.log(0.75) - 0.4 * math.log(0.25)) / 2)


def test_a_first_sentence_cannot_be_the_end_and_a_later_one_cannot_be_none_or_said_before() -> None:
    """Protects: two targets that share their outputs: what is only possible in the other takes nothing away here."""
    shares = logits(0.5, 0.25, 0.25)
    none, end = 3, 4
    shares[0, none], shares[0, end] = 0.0, 0.0
    first = loss_of(shares, [Asked("why?", ((none,),))])
    behind = loss_of(shares, [Asked("why?", ((end,),), said=(0,))])
    assert float(first) == pytest.approx(math.log(2))
    assert float(behind) == pytest.approx(math.log(1.5))  # what is said is not said again
    shares[0, end] = 9.0
    assert float(loss_of(shares, [Asked("why?", ((none,),))])) == pytest.approx(math.log(2))


def test_the_opening_is_learned_beside_what_comes_next() -> None:
    """Protects: Yes, No and neither are told apart by themselves, and only where they are to be learned."""
    shares = torch.cat(
        (logits(0.5, 0.25, 0.25)[:, :5], torch.tensor([[math.log(0.2), math.log(0.7), math.log(0.1)]])), 1
    )
    told = Asked("Is it?", ((0,),), said=(1,), opening="no", opens=True)
    silent = Asked("Is it?", ((0,),), said=(1,), opening="no")
    wanted = Asked("What?", ((0,),), said=(1,), opens=True)
    next_one = float(loss_of(shares, [silent]))
    assert float(loss_of(shares, [told])) - next_one == pytest.approx(-math.log(0.7))
    assert float(loss_of(shares, [wanted])) - next_one == pytest.approx(-math.log(0.1))


def test_what_is_said_is_read_behind_the_question() -> None:
    """Protects: places stand for the sentences that answers have read there, and only what is left is wanted."""
    sentences = ["Cats sleep.", "Dogs bark.", "Birds sing."]
    one = Asked("And cats?", ((0,),), said=(2, 1))
    read = bytes(tokens_of(one, sentences, lambda text: list(text.encode())))
    assert read == b"Question: And cats?\nAnswer: Birds sing. Dogs bark.\n"
    with pytest.raises(ValueError, match="cannot be what is left"):
        Asked("And cats?", ((0, 2),), said=(2, 1))


@pytest.mark.parametrize(("unknown", "at"), [(frozenset[int](), 0.5), (frozenset({1}), 1.0)])
def test_training_further_ends_halfway_unless_sentences_are_new(unknown: frozenset[int], at: float) -> None:
    """Protects: what was learned before is not lost to the newest questions, and a new sentence is not pulled back to where chance put it."""
    trainee = Trainee.__new__(Trainee)
    change, output = torch.ones(2, 2, requires_grad=True), {"head": torch.ones(3, 2, requires_grad=True)}
    trainee.layers, trainee.output, trainee.unknown = SimpleNamespace(changes=[change]), output, unknown  # type: ignore[assignment]
    trainee._began = [torch.zeros(2, 2), torch.zeros(3, 2)]
    trainee.step_back()
    assert {*change.flatten().tolist(), *output["head"].flatten().tolist()} == {at} and change.requires_grad


def test_outputs_learn_what_states_answer_and_leave_yes_and_no_alone() -> None:
    """Protects: what `--outputs` is for, and that a few openings are not learned by heart."""
    states = torch.eye(3).repeat(200, 1)
    asked = [Asked("?", ((row % 3,),), said=((row + 1) % 3,), opening="yes", opens=True) for row in range(600)]
    head = torch.zeros(3 + len(BESIDE), 3, requires_grad=True)
    bias = torch.zeros(3 + len(BESIDE), requires_grad=True)
    trainee = Trainee.__new__(Trainee)
    trainee.output = {"head": head, "bias": bias}
    fit_outputs(asked, states, trainee, rounds=400)
    assert (states[:3] @ head.T + bias)[:, :3].argmax(1).tolist() == [0, 1, 2]
    assert not head[5:].any() and not bias[5:].any()
