"""Train the reader of tutor/verdict/reader.py further: Yes or No, given question and sentence (`make reader`, a quarter of an hour on two cores).

On the pairs of tutor/distill/pairs.py, of which a fiftieth is kept aside for the figure in the log. It goes on from the reader that is there: to read
two texts together is learned slowly, and what new pairs teach comes on top. Delete tutor/verdict/reader.safetensors to begin anew, with six times the epochs.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from knowledge.concept_files import load_knowledge
from knowledge.embedder import SentenceEmbedder
from tutor.distill.pairs import Pair, load_pairs
from tutor.engines.models import fastest_dtype
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings
from tutor.verdict.reader import FITTED, LONGEST, PARTS, SCALE

if TYPE_CHECKING:
    import torch
    from torch import Tensor

log = logging.getLogger(__name__)

_RANK, _BATCH, _EPOCHS = 32, 64, 1
_ASIDE = 50  # every so-manieth pair is kept aside
_RATE, _WARMUP, _DROPOUT = 6e-4, 30, 0.1
_STEEPNESS = 10.0  # of the output, so that it learns at the pace of the rest
_HEADS = 12


class LowRank:
    """The published encoder, frozen, with trainable changes `up @ down` to its matrices and an output."""

    def __init__(self, published: SentenceEmbedder) -> None:
        import torch

        self._dtype = fastest_dtype()
        bert: Any = published.model[0].auto_model
        self._tokenizer: Any = published.model.tokenizer
        self._embeddings, layers = bert.embeddings, bert.encoder.layer
        self._weights = [[layer.get_submodule(part).weight.detach() for part in PARTS] for layer in layers]
        self._biases = [[layer.get_submodule(part).bias.detach().to(self._dtype) for part in PARTS] for layer in layers]
        norms = ("attention.output.LayerNorm", "output.LayerNorm")
        self._norms = [
            [
                (norm.weight.detach().to(self._dtype), norm.bias.detach().to(self._dtype))
                for norm in map(layer.get_submodule, norms)
            ]
            for layer in layers
        ]
        self.down = [
            [(torch.randn(_RANK, w.shape[1]) / w.shape[1] ** 0.5).requires_grad_() for w in row]
            for row in self._weights
        ]
        self.up = [[torch.zeros(w.shape[0], _RANK).requires_grad_() for w in row] for row in self._weights]
        self.head, self.bias = torch.zeros(384, requires_grad=True), torch.zeros(1, requires_grad=True)
        self.trained = [*(value for row in (*self.down, *self.up) for value in row), self.head, self.bias]

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        self.head.data, self.bias.data = state["head"].float() / _STEEPNESS, state["bias"].float()
        for i, (downs, ups) in enumerate(zip(self.down, self.up, strict=True)):
            for part, down, up in zip(PARTS, downs, ups, strict=True):
                down.data, up.data = state[f"{i}.{part}.down"].float(), state[f"{i}.{part}.up"].float()

    def log_odds(self, pairs: Sequence[Pair], train: bool) -> Tensor:
        """Shape (pairs,), of Yes. BERT layers (Devlin et al. 2018, arXiv:1810.04805) written out."""
        import torch
        from torch.nn.functional import dropout, gelu, layer_norm, linear

        questions, sentences = [pair.question for pair in pairs], [pair.sentence for pair in pairs]
        batch = self._tokenizer(
            questions, sentences, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        with torch.no_grad():
            ids, types = batch["input_ids"], batch["token_type_ids"]
            x = self._embeddings(input_ids=ids, token_type_ids=types).to(self._dtype)
        rows, tokens, width = x.shape
        real = batch["attention_mask"].bool()
        unseen = torch.zeros(rows, 1, 1, tokens, dtype=x.dtype).masked_fill(~real[:, None, None], -1e4)
        for i, (biases, norms) in enumerate(zip(self._biases, self._norms, strict=True)):
            matrices = zip(self._weights[i], self.up[i], self.down[i], strict=True)
            q, k, v, o, inner, outer = ((w + SCALE * (up @ down)).to(self._dtype) for w, up, down in matrices)
            qkv = linear(x, torch.cat([q, k, v]), torch.cat(biases[:3]))
            heads = qkv.view(rows, tokens, 3, _HEADS, width // _HEADS).permute(2, 0, 3, 1, 4)
            scores = heads[0] @ heads[1].transpose(-1, -2) * (width // _HEADS) ** -0.5 + unseen
            mixed = (scores.softmax(-1) @ heads[2]).transpose(1, 2).reshape(rows, tokens, width)
            x = layer_norm(x + dropout(linear(mixed, o, biases[3]), _DROPOUT, train), (width,), *norms[0], 1e-12)
            wide = linear(gelu(linear(x, inner, biases[4])), outer, biases[5])
            x = layer_norm(x + dropout(wide, _DROPOUT, train), (width,), *norms[1], 1e-12)
        mean = (x.float() * real[..., None]).sum(1) / real.sum(1)[:, None]
        return _STEEPNESS * (dropout(mean, _DROPOUT, train) @ self.head) + self.bias

    def state(self) -> dict[str, torch.Tensor]:
        """What tutor/verdict/reader.py loads."""
        import torch

        found = {"head": (_STEEPNESS * self.head).detach(), "bias": self.bias.detach()}
        for i, (downs, ups) in enumerate(zip(self.down, self.up, strict=True)):
            for part, down, up in zip(PARTS, downs, ups, strict=True):
                found[f"{i}.{part}.down"], found[f"{i}.{part}.up"] = down.detach(), up.detach()
        return {name: value.to(torch.bfloat16).contiguous() for name, value in found.items()}


def train(pairs: Sequence[Pair], model: LowRank, seed: int = 0) -> float:
    """Train in place; returns the share of pairs kept aside that it judges rightly."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    rng = random.Random(seed)
    torch.manual_seed(seed)
    shuffled = rng.sample(list(pairs), len(pairs))
    aside, pairs = shuffled[: len(pairs) // _ASIDE], shuffled[len(pairs) // _ASIDE :]
    optimizer = torch.optim.AdamW(model.trained, lr=_RATE, weight_decay=0.01)
    steps, step, began = _EPOCHS * math.ceil(len(pairs) / _BATCH), 0, time.monotonic()
    for _ in range(_EPOCHS):
        for batch in _batches(pairs, rng):
            for group in optimizer.param_groups:
                group["lr"] = (
                    _RATE * min(1, (step + 1) / _WARMUP) * 0.5 * (1 + math.cos(math.pi * min(1, step / steps)))
                )
            truth = torch.tensor([float(pair.yes) for pair in batch])
            loss = binary_cross_entropy_with_logits(model.log_odds(batch, train=True), truth)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.trained, 1.0)
            optimizer.step()
            step += 1
            if step % 20 == 0:
                log.info("step %d of %d, loss %.3f, %.0f s", step, steps, float(loss), time.monotonic() - began)
    with torch.inference_mode():
        judged = [float(model.log_odds([pair], train=False)) > 0 for pair in aside]
    return sum(said == pair.yes for said, pair in zip(judged, aside, strict=True)) / max(1, len(aside))


def _batches(pairs: Sequence[Pair], rng: random.Random) -> list[list[Pair]]:
    """Batches of pairs of like length, in random order."""
    order = rng.sample(list(pairs), len(pairs))
    groups = [order[i : i + 8 * _BATCH] for i in range(0, len(order), 8 * _BATCH)]
    for group in groups:
        group.sort(key=lambda pair: len(pair.question) + len(pair.sentence))
    made = [group[i : i + _BATCH] for group in groups for i in range(0, len(group), _BATCH)]
    rng.shuffle(made)
    return made


def main() -> None:
    from safetensors.torch import load_file, save_file

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = LowRank(SentenceEmbedder(ensure_embedder(Settings.from_environ().cache)))
    if FITTED.exists():
        model.resume(load_file(FITTED))
    right = train(load_pairs(load_knowledge()), model)
    save_file(model.state(), FITTED)
    log.info("right for %.3f of those kept aside; %s; now `make calibrate` and `make report`", right, FITTED)


if __name__ == "__main__":
    main()
