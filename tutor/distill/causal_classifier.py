"""Train the reader of tutor/causal_classifier.py: which sentence answers a question, or none (`make causal-classifier`, an hour on two cores that multiply in bf16).

Twice through the teacher's questions, each with the sentences that she answered, follow-ups both asked in full and behind what they go on from; the passages' own questions, each with
all sentences of its passage, of which any will do; the sentences themselves, and what the notes do not answer, so that it is not taken for what they do (the tutor asks the output for it nothing yet). What ships was trained
by an earlier form, which left "is it true that" before 231 of the follow-ups. With `--further` it goes on from what ships for half a round, as after new
questions. Labelled evaluation items take no part.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.classifier import key_of
from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from knowledge.dialogue import in_context
from knowledge.index import passage_rows
from knowledge.passages import Knowledge
from tutor.causal_classifier import CHANGE, LAYERS, read_tokens
from tutor.distill.examples import FOLDER
from tutor.distill.lower_layers import LowerLayers, steps_of_like_length, train_through
from tutor.engines.weights import ensure_tutor_model
from tutor.polarity import claim_of
from tutor.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_FROZEN = 4  # layers from the bottom that stay as they are
_ROUNDS, _FURTHER_ROUNDS = 2.0, 0.5
_RATE, _OUTPUT_RATE, _WARMUP = 6e-4, 3e-3, 40
_FURTHER = 0.3  # of the rates, where training goes on
_LOT, _STEP = 3_000, 4_500  # texts among which those of like length are found, tokens a step
NONE = 0  # the key of what is no sentence
_FIRST = 0.6  # of the target for what was answered first
_STRANGE_OFTEN = 2  # times that a question from elsewhere is asked: they are few beside the taught


@dataclass(frozen=True)
class Asked:
    """A text, and the places of the sentences that answer it: in their order, or, if `any_will_do`, whichever. The place behind the last is for none."""

    text: str
    answer: tuple[int, ...]
    any_will_do: bool = False


class Trainee:
    """The lower layers, and an output for each answer, which its key names."""

    def __init__(self, folder: Path, keys: Sequence[int], change: Path | None = CHANGE) -> None:
        """Goes on from the change, if there is one; answers that it does not know begin anew."""
        import torch

        self.layers = LowerLayers(folder, LAYERS, _FROZEN, change)
        width = self.layers.embeddings.shape[1]
        head, bias = 0.02 * torch.randn(len(keys), width), torch.zeros(len(keys))
        begun = self.layers.output() or {"norm": torch.ones(width), "shift": torch.zeros(width)}
        known = {key: row for row, key in enumerate(begun["keys"].tolist())} if "keys" in begun else {}
        for row, key in enumerate(keys):
            if key in known:
                head[row], bias[row] = begun["head"][known[key]], begun["bias"][known[key]]
        output = {"norm": begun["norm"], "shift": begun["shift"], "head": head, "bias": bias}
        self.output = {name: value.clone().requires_grad_() for name, value in output.items()}

    def log_shares(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Of each text's tokens: (texts, answers)."""
        import torch
        from torch.nn.functional import layer_norm, linear

        tokens = torch.nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts], batch_first=True)
        last = torch.tensor([len(text) - 1 for text in texts])
        states = self.layers.states(tokens)[torch.arange(len(texts)), last]
        normed = layer_norm(states, states.shape[1:], self.output["norm"], self.output["shift"])
        return linear(normed, self.output["head"], self.output["bias"]).log_softmax(1)


def load_asked(knowledge: Knowledge) -> list[Asked]:
    """Everything that is trained on."""
    places = [(passage.id, i) for passage in knowledge.passages for i, _ in enumerate(passage.sentences)]
    place = {f"{name}:{i}": n for n, (name, i) in enumerate(places)}
    of_passage = [tuple(place[f"{p.id}:{i}"] for i, _ in enumerate(p.sentences)) for p in knowledge.passages]
    rows = passage_rows(knowledge.passages)
    sentences = (sentence for passage in knowledge.passages for sentence in passage.sentences)
    return [
        *_taught(place),
        *(Asked(text, of_passage[owner], True) for text, owner, is_text in rows if not is_text),
        *(Asked(sentence, (i,)) for i, sentence in enumerate(sentences)),
        *(Asked(question, (len(place),)) for question in elsewhere_questions() for _ in range(_STRANGE_OFTEN)),
    ]


def _taught(place: dict[str, int]) -> Iterator[Asked]:
    for path in sorted(FOLDER.glob("*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            if row["answer"]:
                answer = tuple(place[reference] for reference in dict.fromkeys(row["answer"]))
                yield Asked(row["standalone"], answer)
                if row["history"]:
                    asked, answered = row["history"][-1]
                    yield Asked(in_context(claim_of(row["question"]), asked, answered), answer)


def _loss(log_shares: Tensor, asked: Sequence[Asked]) -> Tensor:
    """Mean over the texts: cross-entropy with the answer's sentences, the first counting most, or, where any will do, with what all of them have."""
    import torch

    target = torch.zeros_like(log_shares)
    for row, one in enumerate(asked):
        first, *others = one.answer
        for sentence in others:
            target[row, sentence] = 1.0 if one.any_will_do else (1 - _FIRST) / len(others)
        target[row, first] = _FIRST if others and not one.any_will_do else 1.0
    whichever = torch.tensor([one.any_will_do for one in asked])
    of_any = log_shares.masked_fill(target == 0, -1e4).logsumexp(1)
    return -torch.where(whichever, of_any, (log_shares * target).sum(1)).mean()


def train(asked: Sequence[Asked], trainee: Trainee, rounds: float, pace: float, seed: int = 0) -> None:
    """Train in place: so many `rounds` through all texts, at `pace` times the rates."""
    rng = random.Random(seed)
    texts = [read_tokens(trainee.layers.encode, one.text) for one in asked]
    lengths, steps, left = [len(text) for text in texts], list[list[int]](), rounds
    while left > 0:
        through = steps_of_like_length(lengths, rng.sample(range(len(texts)), len(texts)), _LOT, _STEP)
        rng.shuffle(through)
        steps += through[: int(len(through) * min(1.0, left))]
        left -= 1
    groups = [
        {"params": trainee.layers.changes, "pace": pace * _RATE},
        {"params": [*trainee.output.values()], "pace": pace * _OUTPUT_RATE},
    ]

    def loss_of(places: Sequence[int]) -> Tensor:
        return _loss(trainee.log_shares([texts[i] for i in places]), [asked[i] for i in places])

    train_through(steps, loss_of, groups, _WARMUP)


def main() -> None:
    import torch

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--further", action="store_true", help="go on from what ships: a quarter of the steps")
    further = parser.parse_args().further
    torch.manual_seed(0)
    knowledge = load_knowledge()
    keys = [*(key_of(sentence) for passage in knowledge.passages for sentence in passage.sentences), NONE]
    folder = ensure_tutor_model(Settings.from_environ().cache, adapter=None)
    trainee = Trainee(folder, keys, CHANGE if further else None)
    train(load_asked(knowledge), trainee, *((_FURTHER_ROUNDS, _FURTHER) if further else (_ROUNDS, 1.0)))
    trainee.layers.save(CHANGE, {**trainee.output, "keys": torch.tensor(keys)})
    log.info("%s; now `make calibrate` and `make report`", CHANGE)


if __name__ == "__main__":
    main()
