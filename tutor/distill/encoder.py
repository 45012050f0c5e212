"""Train the last layers of the sentence encoder on our subject (`make encoder`, hours on two cores; with `--further` half an hour where the CPU multiplies in bf16).

all-MiniLM-L6-v2 was trained on general text; on a few hundred passages about one subject everything is near everything. Supervised
contrastive loss (Khosla et al. 2020, arXiv:2004.11362) on the questions of passages and teacher: each must be nearest to the sentence that answers it, and
nearer to other questions of its passage, and of its sentence, than to those of the neighbours and to what the notes do not answer. A batch
holds a few sets, so that what is told apart is what learners mix up. Labelled evaluation items never take part. The lower layers stay as they are, and run once.
"""

from __future__ import annotations

import argparse
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from knowledge.embedder import SHARED, TUNED
from knowledge.index import passage_rows
from knowledge.passages import Knowledge
from tutor.distill.examples import load_examples
from tutor.distill.top_layers import TopLayers
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor

log = logging.getLogger(__name__)

LAYERS = 6 - SHARED
_EPOCHS = 6
_FURTHER_EPOCHS, _FURTHER_RATE = 1.5, 1e-4  # when training goes on from the weights there are
# Rounds of teaching (examples/zw-*.jsonl to zz-*.jsonl) worded far from the notes, as strangers' questions are, and hardest to find.
_FAR = ("zw-", "zx-", "zy-", "zz-")
_FAR_OFTEN = 4
_SETS, _QUESTIONS = 3, 100  # a batch: so many sets, so many questions of each
_OTHERS = 60  # sentences of these sets that answer none of the batch's questions
_ELSEWHERE = 60  # questions that the notes do not answer
_RATE = 2e-4
_STAY = 0.01  # weight of the squared distance from where training began
_TEMPERATURE = 0.05


@dataclass(frozen=True)
class Asked:
    """A question, the passage that answers it and, where a teacher said so, the sentences: places in the lists of all."""

    text: str
    passage: int
    answer: tuple[int, ...] = ()
    often: int = 1  # how many times an epoch asks it

    @property
    def sentence(self) -> int | None:
        """The one that the teacher said first."""
        return self.answer[0] if self.answer else None


def load_asked(knowledge: Knowledge) -> list[Asked]:
    """Every question that the notes hold, then the teacher's."""
    number = {passage.id: i for i, passage in enumerate(knowledge.passages)}
    places = [(passage.id, i) for passage in knowledge.passages for i, _ in enumerate(passage.sentences)]
    place = {reference: i for i, reference in enumerate(places)}
    asked = [Asked(text, owner) for text, owner, is_text in passage_rows(knowledge.passages) if not is_text]
    taught = [example for example in load_examples(knowledge) if example.answer]
    return asked + [
        Asked(
            example.query,
            number[example.answer[0][0]],
            tuple(place[said] for said in example.answer),
            _FAR_OFTEN if example.id.startswith(_FAR) else 1,
        )
        for example in taught
    ]


def contrast(scores: Tensor, same: Tensor, counted: Tensor | None = None) -> Tensor:
    """Mean of -log(share of the row's softmax that lies on what is the same), over rows that have any (and count)."""
    rows = same.any(1) if counted is None else same.any(1) & counted
    if not rows.any():
        return scores.new_zeros(())
    return (scores.logsumexp(1) - scores.masked_fill(~same, -1e4).logsumexp(1))[rows].mean()


def batches(asked: Sequence[Asked], sets: Sequence[str], steps: int, rng: random.Random) -> list[list[int]]:
    """Places in `asked`: each batch a few sets, each set as often as it has questions. `sets[i]` is passage i's set."""
    pools: dict[str, list[int]] = {}
    for i, question in enumerate(asked):
        pools.setdefault(sets[question.passage], []).extend([i] * question.often)
    decks: dict[str, list[int]] = {name: [] for name in pools}
    made: list[list[int]] = []
    while len(made) < steps:
        order = [name for name, pool in pools.items() for _ in range(max(1, round(len(pool) / _QUESTIONS)))]
        rng.shuffle(order)
        for start in range(0, len(order) - _SETS + 1, _SETS):
            batch: list[int] = []
            for name in dict.fromkeys(order[start : start + _SETS]):
                if len(decks[name]) < _QUESTIONS:
                    decks[name] += rng.sample(pools[name], len(pools[name]))
                batch += decks[name][:_QUESTIONS]
                del decks[name][:_QUESTIONS]
            made.append(batch)
    return made[:steps]


def train(knowledge: Knowledge, folder: str, begin: Sequence[Path] = (), seed: int = 0) -> dict[str, torch.Tensor]:
    """The trained weights by their names in the encoder, bf16. `begin` holds trained weights to go on from, gently."""
    import torch

    rng = random.Random(seed)
    torch.manual_seed(seed)
    asked = load_asked(knowledge)
    texts = [sentence for passage in knowledge.passages for sentence in passage.sentences]
    owners = [i for i, passage in enumerate(knowledge.passages) for _ in passage.sentences]
    sets = [passage.concept for passage in knowledge.passages]
    encoder = TopLayers(folder, LAYERS, begin)
    rate, epochs = (_FURTHER_RATE, _FURTHER_EPOCHS) if begin else (_RATE, _EPOCHS)
    questions, sentences = encoder.lower([question.text for question in asked]), encoder.lower(texts)
    elsewhere = encoder.lower(elsewhere_questions())
    optimizer = torch.optim.AdamW(encoder.weights, lr=rate, weight_decay=0.0)
    steps = int(epochs * sum(question.often for question in asked)) // (_SETS * _QUESTIONS)
    log.info("%d questions, %d sentences, %d steps", len(asked), len(texts), steps)
    began = time.monotonic()

    def widened(mask: Tensor) -> Tensor:
        """The mask (questions, questions), with False for the questions from elsewhere."""
        return torch.nn.functional.pad(mask, (0, min(_ELSEWHERE, len(elsewhere))))

    for step, batch in enumerate(batches(asked, sets, steps, rng)):
        chosen = [asked[i] for i in batch]
        near = {name for question in chosen for name in (sets[question.passage],)}
        there = [i for i, owner in enumerate(owners) if sets[owner] in near]
        # A question in parts must find the sentence of each, so now one is its answer and now another.
        wanted = [rng.choice(question.answer) if question.answer else -1 for question in chosen]
        answers = {
            sentence if sentence >= 0 else rng.choice([i for i in there if owners[i] == question.passage])
            for sentence, question in zip(wanted, chosen, strict=True)
        }
        others = [i for i in there if i not in answers]
        keys = sorted(answers) + rng.sample(others, min(_OTHERS, len(others)))
        q = encoder.upper([questions[i] for i in batch])
        s = encoder.upper([sentences[i] for i in keys])
        passage = torch.tensor([question.passage for question in chosen])
        first = torch.tensor([-1 if question.sentence is None else question.sentence for question in chosen])
        taught, places = first >= 0, torch.tensor(batch)
        self_ = places[:, None] == places[None]  # one asked twice is no other question of its answer
        answering = torch.where(
            taught[:, None],
            torch.tensor(keys)[None] == torch.tensor(wanted)[:, None],
            torch.tensor([owners[i] for i in keys])[None] == passage[:, None],
        )
        strange = encoder.upper(rng.sample(elsewhere, min(_ELSEWHERE, len(elsewhere))))
        between = (q @ torch.cat([q, strange]).T / _TEMPERATURE).masked_fill(widened(self_), -1e4)
        also = torch.tensor([[key in question.answer for key in keys] for question in chosen]) & ~answering
        loss = contrast((q @ s.T / _TEMPERATURE).masked_fill(also, -1e4), answering)
        loss = loss + 0.5 * contrast(between, widened((passage[:, None] == passage[None]) & ~self_))
        same = (first[:, None] == first[None]) & ~self_ & taught[:, None]
        untaught = widened((~taught[None]).expand(len(batch), -1))
        loss = loss + 0.5 * contrast(between.masked_fill(untaught, -1e4), widened(same), taught)
        moved = torch.stack([(w - w0).pow(2).sum() for w, w0 in zip(encoder.weights, encoder.start, strict=True)])
        encoder.descend(optimizer, loss + _STAY * moved.sum(), step, steps)
        if step % 20 == 19:
            log.info(
                "step %d of %d, loss %.3f, %.0f s", step + 1, steps, float(loss.detach()), time.monotonic() - began
            )
    return encoder.trained()


def main() -> None:
    from safetensors.torch import save_file

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--further", action="store_true", help="go on from the weights there are: a quarter of the steps"
    )
    begin = TUNED if parser.parse_args().further else ()
    weights = train(load_knowledge(), str(ensure_embedder(Settings.from_environ().cache)), begin)
    names, each = list(weights), len(weights) // len(TUNED)
    for i, path in enumerate(TUNED):
        save_file({name: weights[name] for name in names[i * each : (i + 1) * each]}, path)
    log.info("%s; now `make dialogue`, `make vectors`, `make calibrate` and `make report`", TUNED[-1].parent)


if __name__ == "__main__":
    main()
