"""Train the encoder that reads follow-ups with what came before (`make dialogue`, twenty minutes on two cores).

Conversational dense retrieval (Yu et al. 2021, arXiv:2105.04166): the last two layers of the tuned encoder learn to put a follow-up behind its exchange (knowledge/dialogue.py)
where the tuned encoder puts the same question asked in full by a teacher, and near the sentences that answer it. Questions that go on from nothing, put behind an
exchange of the same set or another, have to stay where they are. The lower layers, and what the tuned encoder makes of questions and sentences, stay as they are.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knowledge.concept_files import load_knowledge
from knowledge.dialogue import DIALOGUE, in_dialogue
from knowledge.embedder import TUNED
from knowledge.passages import Knowledge
from tutor.distill.encoder import contrast
from tutor.distill.examples import FOLDER
from tutor.distill.top_layers import TopLayers
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor

log = logging.getLogger(__name__)

_LAYERS = 2  # of the tuned encoder's six, which change once more: what fits in one file
_EPOCHS, _BATCH = 3, 192
_RATE = 3e-4
_TEMPERATURE = 0.05
_STAYING = 0.5  # questions of their own behind an exchange, for each follow-up
_SAME_SET = 0.45  # of these are behind an exchange of their own set
_DISTANCE = 4.0  # weight of the cosine distance to the full question
_BESIDE = 0.5  # of telling it from the batch's others


@dataclass(frozen=True)
class Dialogue:
    """A question behind an exchange, the same asked in full, and the places of its answer's sentences among all."""

    text: str
    full: str
    answer: tuple[int, ...]


def load_dialogues(knowledge: Knowledge, seed: int = 0) -> list[Dialogue]:
    """The teacher's follow-ups, and questions of their own behind exchanges."""
    places = [f"{passage.id}:{i}" for passage in knowledge.passages for i, _ in enumerate(passage.sentences)]
    place = {reference: i for i, reference in enumerate(places)}
    lines = (line for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines())
    rows = [row for row in map(json.loads, lines) if row["answer"]]

    def dialogue(row: Mapping[str, Any], exchange: Sequence[str]) -> Dialogue:
        answer = tuple(place[reference] for reference in row["answer"])
        return Dialogue(in_dialogue(row["question"], *exchange), row["standalone"], answer)

    return [dialogue(row, exchange) for row, exchange in _behind(rows, random.Random(seed))]


def _behind(rows: Sequence[Mapping[str, Any]], rng: random.Random) -> Iterator[tuple[Mapping[str, Any], Sequence[str]]]:
    """Each question that is trained on, and the exchange that it is read with."""
    follow_ups = [row for row in rows if row["history"]]
    of_set: dict[str, list[Mapping[str, Any]]] = {}
    for row in follow_ups:
        yield row, row["history"][-1]
        of_set.setdefault(_set_of(row), []).append(row)
    alone = [row for row in rows if not row["history"]]
    for row in rng.sample(alone, min(len(alone), round(_STAYING * len(follow_ups)))):
        others = of_set.get(_set_of(row), follow_ups) if rng.random() < _SAME_SET else follow_ups
        yield row, rng.choice(others)["history"][-1]


def _set_of(row: Mapping[str, Any]) -> str:
    return str(row["answer"][0].partition("#")[0])


def train(knowledge: Knowledge, folder: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """The trained weights by their names in the encoder, bf16."""
    import torch

    rng = random.Random(seed)
    torch.manual_seed(seed)
    encoder = TopLayers(folder, _LAYERS, TUNED)

    def embed(texts: Sequence[str]) -> Tensor:
        with torch.no_grad():
            return encoder.upper(encoder.lower(texts), train=False)

    dialogues = load_dialogues(knowledge, seed)
    sentences = embed([sentence for passage in knowledge.passages for sentence in passage.sentences])
    full = embed([dialogue.full for dialogue in dialogues])
    states = encoder.lower([dialogue.text for dialogue in dialogues])
    optimizer = torch.optim.AdamW(encoder.weights, lr=_RATE, weight_decay=0.0)
    steps = _EPOCHS * len(dialogues) // _BATCH
    log.info("%d dialogues, %d steps", len(dialogues), steps)
    began, deck = time.monotonic(), list[int]()
    for step in range(steps):
        if len(deck) < _BATCH:
            deck += rng.sample(range(len(dialogues)), len(dialogues))
        batch = [deck.pop(0) for _ in range(_BATCH)]
        read, meant = encoder.upper([states[i] for i in batch]), full[batch]
        answering = torch.zeros(len(batch), len(sentences), dtype=torch.bool)
        for row, i in enumerate(batch):
            answering[row, list(dialogues[i].answer)] = True
        loss = contrast(read @ sentences.T / _TEMPERATURE, answering)
        loss = loss + _DISTANCE * (1 - (read * meant).sum(1)).mean()
        beside = read @ meant.T / _TEMPERATURE
        loss = loss + _BESIDE * contrast(beside, torch.eye(len(batch), dtype=torch.bool))
        encoder.descend(optimizer, loss, step, steps)
        if step % 20 == 19:
            log.info(
                "step %d of %d, loss %.3f, %.0f s", step + 1, steps, float(loss.detach()), time.monotonic() - began
            )
    return encoder.trained()


def main() -> None:
    from safetensors.torch import save_file

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    weights = train(load_knowledge(), str(ensure_embedder(Settings.from_environ().cache)))
    save_file(weights, DIALOGUE)
    log.info("%s; now `make calibrate` and `make report`", DIALOGUE)


if __name__ == "__main__":
    main()
