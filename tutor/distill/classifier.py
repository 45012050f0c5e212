"""Train the classifier that tells by a question's words which sentence answers it, or that none does (`make classifier`, five minutes on two cores).

On the questions of the teacher, each with the sentences that she answered, the first counting most, the notes' own sentences, each its own answer,
and on knowledge/elsewhere.txt, which none answers.
A part of a question's grams is dropped at each step, as learners leave words out. Labelled evaluation items take no part.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from knowledge.classifier import BUCKETS, FITTED, WIDTH, SentenceClassifier, buckets_of, key_of, rounded
from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from knowledge.passages import Knowledge
from tutor.distill.examples import load_examples

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_EPOCHS, _BATCH = 12, 512
_RATE = 3e-3
_SCALE = 4.0  # of the product of two vectors that begin short
_DROPPED = 0.3
_RARITY = 0.5  # power of the inverse document frequency
_SEEN = 2  # questions that a gram must stand in
_FIRST = 0.7  # of the target for what was answered first
_STRANGE_OFTEN = 3  # times that a question from elsewhere is asked: they are few beside the taught


@dataclass(frozen=True)
class Asked:
    """The buckets of a text, and the places of the sentences that answer it; the place behind the last is for none."""

    buckets: list[int]
    answer: tuple[int, ...]
    often: int = 1  # how many times an epoch asks it


def load_asked(knowledge: Knowledge) -> list[Asked]:
    """What the teacher answered, each sentence of the notes as what asks for itself, and what none of them answers."""
    places = [(passage.id, i) for passage in knowledge.passages for i, _ in enumerate(passage.sentences)]
    place = {reference: i for i, reference in enumerate(places)}
    asked = [
        Asked(buckets_of(example.query), tuple(place[said] for said in dict.fromkeys(example.answer)))
        for example in load_examples(knowledge)
        if example.answer
    ]
    sentences = [sentence for passage in knowledge.passages for sentence in passage.sentences]
    asked += [Asked(buckets_of(sentence), (i,)) for i, sentence in enumerate(sentences)]
    strange = [Asked(buckets_of(question), (len(sentences),), _STRANGE_OFTEN) for question in elsewhere_questions()]
    return asked + strange


def train(asked: Sequence[Asked], sentences: Sequence[str], seed: int = 0) -> SentenceClassifier:
    """Softmax regression through a middle of WIDTH numbers, by Adam (Kingma & Ba 2014, arXiv:1412.6980)."""
    import torch

    torch.manual_seed(seed)
    rng = random.Random(seed)
    rarity = _rarity(asked)
    inner = torch.nn.EmbeddingBag(BUCKETS, WIDTH, mode="sum")
    torch.nn.init.normal_(inner.weight, std=0.1)
    answers = len(sentences) + 1
    outer = (0.1 * torch.randn(answers, WIDTH)).requires_grad_()
    bias = torch.zeros(answers, requires_grad=True)
    optimizer = torch.optim.Adam([inner.weight, outer, bias], lr=_RATE)
    deck = [i for i, question in enumerate(asked) for _ in range(question.often)]
    size = min(_BATCH, len(deck))
    steps, step, began = _EPOCHS * (len(deck) // size), 0, time.monotonic()
    for _ in range(_EPOCHS):
        order = rng.sample(deck, len(deck))
        for start in range(0, len(deck) - size + 1, size):
            batch = [asked[i] for i in order[start : start + size]]
            lengths = torch.tensor([len(question.buckets) for question in batch])
            buckets = torch.tensor([bucket for question in batch for bucket in question.buckets])
            rows = torch.repeat_interleave(torch.arange(len(batch)), lengths)
            weights = rarity[buckets] * (torch.rand(len(buckets)) > _DROPPED)
            norms = torch.zeros(len(batch)).index_add_(0, rows, weights**2).sqrt().clamp_min(1e-3)
            middle = inner(buckets, lengths.cumsum(0) - lengths, per_sample_weights=weights / norms[rows])
            said = torch.log_softmax(_SCALE * (middle @ outer.T) + bias, 1)
            loss = -(said * _target(batch, answers)).sum(1).mean()
            optimizer.param_groups[0]["lr"] = _RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step % 200 == 0:
                log.info(
                    "step %d of %d, loss %.3f, %.0f s", step, steps, float(loss.detach()), time.monotonic() - began
                )
    # What weighs nothing is left as it began; it need not be kept.
    return SentenceClassifier(
        rarity.numpy(),
        *rounded((inner.weight * (rarity > 0)[:, None]).detach().numpy()),
        (_SCALE * outer).detach().numpy(),
        bias.detach().numpy(),
        np.array([key_of(sentence) for sentence in sentences], dtype=np.int64),
    )


def _rarity(asked: Sequence[Asked]) -> torch.Tensor:
    """The weight of each bucket, shape (BUCKETS,): a power of its inverse document frequency; none for what hardly stands anywhere."""
    import torch

    seen = torch.bincount(torch.tensor([b for question in asked for b in question.buckets]), minlength=BUCKETS)
    rarity = torch.log((len(asked) + 1) / (seen + 1.0)).pow(_RARITY)
    return torch.where(seen >= _SEEN, rarity, 0.0)


def _target(batch: Sequence[Asked], answers: int) -> torch.Tensor:
    """Shape (questions, answers), each row of sum 1."""
    import torch

    target = torch.zeros(len(batch), answers)
    for row, question in enumerate(batch):
        first, *others = question.answer
        target[row, first] = _FIRST if others else 1.0
        for place in others:
            target[row, place] = (1 - _FIRST) / len(others)
    return target


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    knowledge = load_knowledge()
    sentences = [sentence for passage in knowledge.passages for sentence in passage.sentences]
    fitted = train(load_asked(knowledge), sentences)
    np.savez_compressed(
        FITTED,
        weight=fitted.weight.astype(np.float16),
        scale=fitted.scale.astype(np.float16),
        inner=fitted.inner,
        outer=fitted.outer.astype(np.float16),
        bias=fitted.bias.astype(np.float16),
        keys=fitted.keys,
    )
    log.info("%s, %.1f MB; now `make calibrate` and `make report`", FITTED, FITTED.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
