"""Train the last layers of the sentence encoder on our subject (`make encoder`, hours on two cores; with `--further` half an hour where the CPU multiplies in bf16).

all-MiniLM-L6-v2 was trained on general text; on a few hundred passages about one subject everything is near everything. Supervised
contrastive loss (Khosla et al. 2020, arXiv:2004.11362) on the questions of passages and teacher: each must be nearest to the sentence that answers it, and
nearer to other questions of its passage, and of its sentence, than to those of the neighbours and to what the notes do not answer. A batch
holds a few sets, so that what is told apart is what learners mix up. Labelled evaluation items never take part. The lower layers stay as they are, and run once.
"""

from __future__ import annotations

import argparse
import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from knowledge.embedder import SHARED, TUNED
from knowledge.index import passage_rows
from knowledge.passages import Knowledge
from tutor.distill.examples import load_examples
from tutor.engines.models import fastest_dtype
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor

log = logging.getLogger(__name__)

LAYERS = 6 - SHARED
_HEADS = 12
_EPOCHS = 6
_FURTHER_EPOCHS, _FURTHER_RATE = 1.5, 1e-4  # when training goes on from the weights there are
# Rounds of teaching (examples/zw-*.jsonl to zz-*.jsonl) worded far from the notes, as strangers' questions are, and hardest to find.
_FAR = ("zw-", "zx-", "zy-", "zz-")
_FAR_OFTEN = 4
_SETS, _QUESTIONS = 3, 100  # a batch: so many sets, so many questions of each
_OTHERS = 60  # sentences of these sets that answer none of the batch's questions
_ELSEWHERE = 60  # questions that the notes do not answer
_RATE, _WARMUP, _DROPOUT = 2e-4, 20, 0.1
_STAY = 0.01  # weight of the squared distance from where training began
_TEMPERATURE = 0.05
_PARTS = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)


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


class TopLayers:
    """The encoder cut in two: `lower` runs without gradients, `upper` with trainable copies of the last layers."""

    def __init__(self, folder: str, layers: int = LAYERS, begin: Sequence[Path] = ()) -> None:
        """So many `layers` are trained; `begin` holds weights to start from, in the place of the published ones. Raises ValueError if it holds others."""
        from safetensors.torch import load_file
        from sentence_transformers import SentenceTransformer

        self._layers = layers
        self._whole: Any = SentenceTransformer(folder, device="cpu", local_files_only=True)
        for path in begin:
            if unknown := self._whole.load_state_dict(load_file(path), strict=False).unexpected_keys:
                raise ValueError(f"{path} must hold weights of the encoder, got {unknown[:3]}; run `make encoder`")
        bert: Any = self._whole[0].auto_model
        self._bert = bert.eval()
        names = {id(value): name for name, value in self._whole.named_parameters()}
        modules = [layer.get_submodule(part) for layer in bert.encoder.layer[-layers:] for part in _PARTS]
        originals = [value for module in modules for value in (module.weight, module.bias)]
        self.names = [names[id(value)] for value in originals]
        self.start = [value.detach().float().clone() for value in originals]
        self.weights = [value.clone().requires_grad_() for value in self.start]
        bert.encoder.layer = bert.encoder.layer[:-layers]
        self._dtype = fastest_dtype()

    def lower(self, texts: Sequence[str]) -> list[Tensor]:
        """Hidden states (tokens, width) of each text below the trained layers."""
        import torch

        found: dict[int, Tensor] = {}
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        half = self._dtype == torch.bfloat16
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            for start in range(0, len(order), 128):
                rows = order[start : start + 128]
                batch = self._whole.tokenizer(
                    [texts[i] for i in rows], padding=True, truncation=True, max_length=80, return_tensors="pt"
                )
                states = self._bert(**batch).last_hidden_state
                for i, state, length in zip(rows, states, batch["attention_mask"].sum(1).tolist(), strict=True):
                    found[i] = state[:length].to(self._dtype).clone()
        return [found[i] for i in range(len(texts))]

    def upper(self, states: Sequence[Tensor], train: bool = True) -> Tensor:
        """Unit vectors (texts, width), fp32. Texts of like length run together."""
        import torch

        weights = [value.to(self._dtype) for value in self.weights]
        order = sorted(range(len(states)), key=lambda i: len(states[i]))
        parts = [self._run([states[i] for i in order[s : s + 80]], weights, train) for s in range(0, len(order), 80)]
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(parts)[back]

    def descend(self, optimizer: torch.optim.Optimizer, loss: Tensor, step: int, steps: int) -> None:
        """One step down the loss; the optimizer's rate rises from nothing over the first steps and falls again as a cosine."""
        import torch

        for group in optimizer.param_groups:
            group["lr"] = (
                optimizer.defaults["lr"] * min(1, (step + 1) / _WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))
            )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        optimizer.step()

    def trained(self) -> dict[str, Tensor]:
        """The weights as they are now, by their names in the encoder, bf16."""
        import torch

        return {name: value.detach().to(torch.bfloat16) for name, value in zip(self.names, self.weights, strict=True)}

    def _run(self, states: Sequence[Tensor], weights: Sequence[Tensor], train: bool) -> Tensor:
        """BERT layers (Devlin et al. 2018, arXiv:1810.04805) written out: x (texts, tokens, width), then the mean over tokens."""
        import torch
        from torch.nn.functional import gelu, layer_norm, linear, normalize

        lengths = torch.tensor([len(state) for state in states])
        x = torch.nn.utils.rnn.pad_sequence(list(states), batch_first=True)
        rows, tokens, width = x.shape
        real = torch.arange(tokens)[None] < lengths[:, None]
        unseen = torch.zeros(rows, 1, 1, tokens, dtype=x.dtype).masked_fill(~real[:, None, None], -1e4)
        for layer in range(self._layers):
            q, qb, k, kb, v, vb, o, ob, n, nb, i, ib, d, db, m, mb = weights[16 * layer : 16 * layer + 16]
            qkv = linear(x, torch.cat([q, k, v]), torch.cat([qb, kb, vb]))
            heads = qkv.view(rows, tokens, 3, _HEADS, width // _HEADS).permute(2, 0, 3, 1, 4)
            scores = heads[0] @ heads[1].transpose(-1, -2) * (width // _HEADS) ** -0.5 + unseen
            mixed = (scores.softmax(-1) @ heads[2]).transpose(1, 2).reshape(rows, tokens, width)
            x = layer_norm(x + dropped(linear(mixed, o, ob), _DROPOUT, train), (width,), n, nb, 1e-12)
            inner = linear(gelu(linear(x, i, ib)), d, db)
            x = layer_norm(x + dropped(inner, _DROPOUT, train), (width,), m, mb, 1e-12)
        return normalize((x.float() * real[..., None]).sum(1) / lengths[:, None], dim=1)


def dropped(x: Tensor, rate: float, train: bool) -> Tensor:
    """Dropout of x (texts, tokens, width) with one mask for all tokens of a text (Gal & Ghahramani 2016, arXiv:1512.05287): random numbers are what a CPU is slow at."""
    import torch

    return x * torch.nn.functional.dropout(torch.ones_like(x[:, :1]), rate) if train else x


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
    encoder = TopLayers(folder, begin=begin)
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
