"""Train the reader of tutor/causal_classifier.py: which sentence answers a question, or none (`make causal-classifier`, an hour on two cores that multiply in bf16).

Twice through the teacher's questions (those of keyed.py and those that the notes do not answer, four times), each with the sentences that she answered, follow-ups both asked in full and behind what they go on from; those with all sentences that answer them
(keyed.py), those with two requests also request by request, as tutor/compound.py has them read; the passages' own questions, each with all sentences of its passage, of which any will do; the sentences themselves,
questions of their own behind an exchange that another went on from, and what the notes do not answer, so that it is not taken for what they do. With `--further` it goes on from what ships, as after new questions or notes: twice through those of keyed.py and through all that is answered by sentences that it does not know yet,
with as many others beside as keyed.py gives, a quarter as many changes of subject, and those that the notes do not answer. What ships was trained so, twice, after a first training without keyed.py. Labelled evaluation items take no part.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.classifier import key_of
from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from knowledge.dialogue import in_context
from knowledge.index import passage_rows
from knowledge.mentions import Mentions
from knowledge.passages import Knowledge, Reference
from tutor.causal_classifier import CHANGE, LAYERS, read_tokens
from tutor.distill.examples import FOLDER
from tutor.distill.keyed import load_keyed, split_reference
from tutor.distill.lower_layers import LowerLayers, steps_of_like_length, train_through
from tutor.engines.weights import ensure_tutor_model
from tutor.parts import parts_of
from tutor.polarity import claim_of
from tutor.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_FROZEN = 4  # layers from the bottom that stay as they are
_ROUNDS = 2
_RATE, _OUTPUT_RATE, _WARMUP = 6e-4, 3e-3, 40
_FURTHER = 0.3  # of the rates, where training goes on; outputs learn at all of theirs where some begin anew, as those must catch up
_LOT, _STEP = 3_000, 4_500  # texts among which those of like length are found, tokens a step
NONE = 0  # the key of what is no sentence
_FIRST = 0.6  # of the target for what was answered first
_STRANGE_OFTEN = 2  # times that a question from elsewhere is asked: they are few beside the taught


@dataclass(frozen=True)
class Asked:
    """A text, and what answers it: the points in their order, each the places of sentences of which any makes it. The place behind the last is for none."""

    text: str
    points: tuple[tuple[int, ...], ...]


class Trainee:
    """The lower layers, and an output for each answer, which its key names; `unknown` are the places of those that begin anew."""

    def __init__(self, folder: Path, keys: Sequence[int], change: Path | None = CHANGE) -> None:
        """Goes on from the change, if there is one; answers that it does not know begin anew."""
        import torch

        self.layers = LowerLayers(folder, LAYERS, _FROZEN, change)
        width = self.layers.embeddings.shape[1]
        head, bias = 0.02 * torch.randn(len(keys), width), torch.zeros(len(keys))
        begun = self.layers.output() or {"norm": torch.ones(width), "shift": torch.zeros(width)}
        known = {key: row for row, key in enumerate(begun["keys"].tolist())} if "keys" in begun else {}
        self.unknown = frozenset(row for row, key in enumerate(keys) if key not in known)
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
    """What the teacher asked, and what the notes hold."""
    place = _places(knowledge)
    of_passage = [tuple(place[p.id, i] for i, _ in enumerate(p.sentences)) for p in knowledge.passages]
    rows = passage_rows(knowledge.passages)
    sentences = (sentence for passage in knowledge.passages for sentence in passage.sentences)
    return [
        *_taught(place),
        *(Asked(text, (of_passage[owner],)) for text, owner, is_text in rows if not is_text),
        *(Asked(sentence, ((i,),)) for i, sentence in enumerate(sentences)),
    ]


def load_strange(knowledge: Knowledge) -> list[Asked]:
    """What the notes do not answer."""
    none = len(_places(knowledge))
    return [Asked(question, ((none,),)) for question in elsewhere_questions()]


def load_keyed_asked(knowledge: Knowledge) -> list[Asked]:
    """The questions of keyed.py: whole, in full, and request by request."""
    place, mentions = _places(knowledge), Mentions(knowledge.concepts)
    text = {(p.id, i): sentence for p in knowledge.passages for i, sentence in enumerate(p.sentences)}
    asked: list[Asked] = []
    for one in load_keyed():
        points = tuple(tuple(place[reference] for reference in point) for point in one.points)
        asked += [Asked(whole, points) for whole in dict.fromkeys((one.text, one.standalone))]
        parts = parts_of(one.standalone, mentions)
        if len(parts) == len(points) == 2 and parts[1].after:
            asked.append(Asked(parts[0].words, points[:1]))
            behind = in_context(parts[1].words, parts[1].after, text[one.points[0][0]])
            asked.append(Asked(behind, points[1:]))
    return asked


def load_switches(knowledge: Knowledge) -> list[Asked]:
    """Questions of their own behind an exchange that they do not go on from, half as many as follow-ups: tutor/followup.py has every question behind the last one read so."""
    place, rng = _places(knowledge), random.Random(0)
    own, exchanges = [], []
    for row in _taught_rows():
        if row["history"]:
            exchanges.append(row["history"][-1])
        else:
            own.append((row["question"], _points(row, place)))
    behind = rng.sample(exchanges, len(exchanges) // 2)
    asked = rng.sample(own, len(behind))
    return [
        Asked(in_context(claim_of(question), *exchange), answer)
        for (question, answer), exchange in zip(asked, behind, strict=True)
    ]


def _places(knowledge: Knowledge) -> dict[Reference, int]:
    references = ((passage.id, i) for passage in knowledge.passages for i, _ in enumerate(passage.sentences))
    return {reference: n for n, reference in enumerate(references)}


def _points(row: Mapping[str, Any], place: Mapping[Reference, int]) -> tuple[tuple[int, ...], ...]:
    return tuple((place[split_reference(text)],) for text in dict.fromkeys(row["answer"]))


def _taught(place: dict[Reference, int]) -> Iterator[Asked]:
    for row in _taught_rows():
        answer = _points(row, place)
        yield Asked(row["standalone"], answer)
        if row["history"]:
            asked, answered = row["history"][-1]
            yield Asked(in_context(claim_of(row["question"]), asked, answered), answer)


def _taught_rows() -> Iterator[dict[str, Any]]:
    """The teacher's questions that have an answer, without those of keyed.py."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            if row["answer"] and "points" not in row:
                yield row


def _loss(log_shares: Tensor, asked: Sequence[Asked]) -> Tensor:
    """Mean over the texts: cross-entropy with their points, the first counting most; a point has what all of its sentences have."""
    import torch

    rows, weights, points = [], [], []
    for row, one in enumerate(asked):
        rest = len(one.points) - 1
        for n, point in enumerate(one.points):
            rows.append(row)
            weights.append((_FIRST if n == 0 else (1 - _FIRST) / rest) if rest else 1.0)
            points.append(torch.tensor(point))
    makes = torch.nn.utils.rnn.pad_sequence(points, batch_first=True, padding_value=-1)
    shares = log_shares[torch.tensor(rows)].gather(1, makes.clamp(min=0)).masked_fill(makes < 0, -1e4)
    return -(torch.tensor(weights) * shares.logsumexp(1)).sum() / len(asked)


def train(asked: Sequence[Asked], trainee: Trainee, rounds: int, pace: float, seed: int = 0) -> None:
    """Train in place: so many `rounds` through all texts, the layers at `pace` times their rate, the outputs at all of theirs where some begin anew."""
    rng = random.Random(seed)
    texts = [read_tokens(trainee.layers.encode, one.text) for one in asked]
    lengths, steps = [len(text) for text in texts], list[list[int]]()
    for _ in range(rounds):
        through = steps_of_like_length(lengths, rng.sample(range(len(texts)), len(texts)), _LOT, _STEP)
        rng.shuffle(through)
        steps += through
    groups = [
        {"params": trainee.layers.changes, "pace": pace * _RATE},
        {"params": [*trainee.output.values()], "pace": (1.0 if trainee.unknown else pace) * _OUTPUT_RATE},
    ]

    def loss_of(places: Sequence[int]) -> Tensor:
        return _loss(trainee.log_shares([texts[i] for i in places]), [asked[i] for i in places])

    train_through(steps, loss_of, groups, _WARMUP)


def main() -> None:
    import torch

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--further",
        action="store_true",
        help="go on from what ships, a quarter of an hour on two cores that multiply in bf16",
    )
    further = parser.parse_args().further
    torch.manual_seed(0)
    knowledge = load_knowledge()
    keys = [*(key_of(sentence) for passage in knowledge.passages for sentence in passage.sentences), NONE]
    folder = ensure_tutor_model(Settings.from_environ().cache, adapter=None)
    trainee = Trainee(folder, keys, CHANGE if further else None)
    others, keyed, strange = load_asked(knowledge), 2 * load_keyed_asked(knowledge), load_strange(knowledge)
    switches = load_switches(knowledge)
    if further:
        new = [one for one in others if any(trainee.unknown.intersection(point) for point in one.points)]
        again = random.Random(0).sample(others, len(keyed)) + random.Random(0).sample(switches, len(keyed) // 4)
        train([*again, *(2 * new), *keyed, *strange], trainee, 1, _FURTHER)
    else:
        train([*others, *switches, *keyed, *(_STRANGE_OFTEN * strange)], trainee, _ROUNDS, 1.0)
    trainee.layers.save(CHANGE, {**trainee.output, "keys": torch.tensor(keys)})
    log.info("%s; now `make calibrate` and `make report`", CHANGE)


if __name__ == "__main__":
    main()
