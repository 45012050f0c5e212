"""Towards what the classifying language model is trained."""

from __future__ import annotations

import math

import pytest
import torch

from tutor.causal_classifier import BESIDE
from tutor.distill.asked import Asked
from tutor.distill.causal_classifier import _loss

NEVER = -20.0  # the logit of what is not to be expected, though it would be possible


def logits(*shares: float) -> torch.Tensor:
    """Of one text: three sentences with these shares, and nothing beside them."""
    return torch.tensor([[*(math.log(share) for share in shares), *(NEVER for _ in BESIDE)]])


def test_the_first_point_counts_most_and_of_a_point_any_sentence_will_do() -> None:
    """Protects: the target; a passage's own question does not want all of its sentences at once, and two requests want both."""
    shares = logits(0.5, 0.25, 0.25)
    in_order = _loss(shares, [Asked("why?", ((1,), (0,)))])
    assert float(in_order) == pytest.approx(-0.6 * math.log(0.25) - 0.4 * math.log(0.5))
    assert float(_loss(shares, [Asked("why?", ((1, 0),))])) == pytest.approx(-math.log(0.75))
    both = _loss(shares.repeat(2, 1), [Asked("cats?", ((2,),)), Asked("why, and cats?", ((0, 1), (2,)))])
    assert float(both) == pytest.approx((-math.log(0.25) - 0.6 * math.log(0.75) - 0.4 * math.log(0.25)) / 2)


def test_a_first_sentence_cannot_be_the_end_and_a_later_one_cannot_be_none() -> None:
    """Protects: two targets that share their outputs: what is only possible in the other takes nothing away here."""
    shares = logits(0.5, 0.25, 0.25)
    none, end = 3, 4
    shares[0, none], shares[0, end] = 0.0, 0.0
    first = _loss(shares, [Asked("why?", ((none,),))])
    behind = _loss(shares, [Asked("why?", ((end,),), said=("Cats sleep.",))])
    assert float(first) == float(behind) == pytest.approx(math.log(2))
    shares[0, end] = 9.0
    assert float(_loss(shares, [Asked("why?", ((none,),))])) == pytest.approx(math.log(2))


def test_the_opening_is_learned_beside_what_comes_next() -> None:
    """Protects: Yes, No and neither are told apart by themselves, and only where they are to be learned."""
    shares = torch.cat(
        (logits(0.5, 0.25, 0.25)[:, :5], torch.tensor([[math.log(0.2), math.log(0.7), math.log(0.1)]])), 1
    )
    told = Asked("Is it?", ((0,),), said=("Cats sleep.",), opening="no", opens=True)
    silent = Asked("Is it?", ((0,),), said=("Cats sleep.",), opening="no")
    wanted = Asked("What?", ((0,),), said=("Cats sleep.",), opens=True)
    next_one = float(_loss(shares, [silent]))
    assert float(_loss(shares, [told])) - next_one == pytest.approx(-math.log(0.7))
    assert float(_loss(shares, [wanted])) - next_one == pytest.approx(-math.log(0.1))
