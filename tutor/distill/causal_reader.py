"""Train the reader of tutor/verdict/causal_reader.py further: Yes or No, given question and sentence (`make causal-reader`, half an hour on two cores).

Once through the pairs of tutor/distill/pairs.py, follow-ups among them both asked in full and behind what they go on from. Questions about the same sentence are read side by side: none sees the others, and the sentence is read
once for all. It goes on from the reader that is there, which was trained so three times (twice by earlier forms of this script, without those follow-ups), and twice more with `--keyed` (minutes; the second time with the newest people's, learner-h* to learner-m*, as keyed ones): through what is said of the questions of keyed.py, and as many other pairs; delete tutor/distill/reading/ to begin anew. How often it is right
on questions that it never saw is told by `make calibrate`.
"""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.concept_files import load_knowledge
from tutor.distill.keyed import KEYED
from tutor.distill.lower_layers import LowerLayers, steps_of_like_length, train_through
from tutor.distill.pairs import Pair, follow_ups, keyed_questions, load_pairs, taught_questions
from tutor.engines.lower import Encode
from tutor.engines.weights import ensure_tutor_model
from tutor.settings import Settings
from tutor.verdict.causal_reader import CHANGE, LAYERS, question_tokens, sentence_tokens

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_FROZEN = 8  # layers from the bottom that stay as they are, so that nothing is kept for them
_RATE, _WARMUP, _OUTPUT_PACE = 6e-4, 30, 0.02
_BESIDE, _STEP = 12, 1_700  # questions a row, tokens a step


@dataclass(frozen=True)
class Row:
    """A sentence's tokens, and of each question beside it its tokens and whether the sentence says Yes."""

    sentence: tuple[int, ...]
    questions: tuple[tuple[int, ...], ...]
    yes: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.sentence) + sum(map(len, self.questions))


class Trainee:
    """The lower layers, and an output that begins as the model's own preference of " Yes" to " No"."""

    def __init__(self, folder: Path, change: Path = CHANGE) -> None:
        """Goes on from the change, if there is one."""
        import torch

        self.layers = LowerLayers(folder, LAYERS, _FROZEN, change)
        yes, no = (self.layers.embeddings[self.layers.encode(word)[0]].float() for word in (" Yes", " No"))
        begun = self.layers.output() or {"head": yes - no, "bias": torch.zeros(1)}
        self.head, self.bias = (begun[name].clone().requires_grad_() for name in ("head", "bias"))

    def log_odds(self, rows: Sequence[Row]) -> Tensor:
        """Of Yes, question after question of all rows."""
        tokens, positions, seen, ends = _side_by_side(rows)
        states = self.layers.states(tokens, positions, seen)
        return states[[row for row, _ in ends], [place for _, place in ends]] @ self.head + self.bias

    def save(self, folder: Path = CHANGE) -> None:
        self.layers.save(folder, {"head": self.head, "bias": self.bias})


def _side_by_side(rows: Sequence[Row]) -> tuple[Tensor, Tensor, Tensor, list[tuple[int, int]]]:
    """Tokens and positions (rows, longest), what each token sees (rows, 1, longest, longest), to be added to scores, and where each question ends."""
    import torch

    longest = max(map(len, rows))
    tokens, positions = torch.zeros(2, len(rows), longest, dtype=torch.long)
    owner = torch.full((len(rows), longest), -1)
    ends: list[tuple[int, int]] = []
    for i, row in enumerate(rows):
        at = 0
        for number, text in enumerate((row.sentence, *row.questions)):
            here = slice(at, at + len(text))
            tokens[i, here], owner[i, here] = torch.tensor(text), number
            positions[i, here] = torch.arange(len(text)) + (len(row.sentence) if number else 0)
            at += len(text)
            ends += [(i, at - 1)] if number else []
    mine = (owner[:, None] == 0) | (owner[:, None] == owner[..., None])
    seen = mine & torch.ones(longest, longest, dtype=torch.bool).tril()
    return tokens, positions, torch.zeros(seen.shape, dtype=torch.bfloat16).masked_fill(~seen, -1e9)[:, None], ends


def _rows(pairs: Sequence[Pair], encode: Encode) -> Iterator[Row]:
    by_sentence: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_sentence.setdefault(pair.sentence, []).append(pair)
    for sentence, asked in by_sentence.items():
        start = tuple(sentence_tokens(encode, sentence))
        for i in range(0, len(asked), _BESIDE):
            some = asked[i : i + _BESIDE]
            questions = tuple(tuple(question_tokens(encode, pair.question)) for pair in some)
            yield Row(start, questions, tuple(pair.yes for pair in some))


def train(pairs: Sequence[Pair], trainee: Trainee, seed: int = 0) -> None:
    """Train in place, once through the pairs."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    rng = random.Random(seed)
    torch.manual_seed(seed)
    rows = list(_rows(rng.sample(list(pairs), len(pairs)), trainee.layers.encode))
    steps = steps_of_like_length([len(row) for row in rows], rng.sample(range(len(rows)), len(rows)), 64, _STEP)
    rng.shuffle(steps)
    output = [trainee.head, trainee.bias]
    groups = [{"params": trainee.layers.changes, "pace": _RATE}, {"params": output, "pace": _OUTPUT_PACE * _RATE}]

    def loss_of(places: Sequence[int]) -> Tensor:
        step = [rows[i] for i in places]
        truth = torch.tensor([float(yes) for row in step for yes in row.yes])
        return binary_cross_entropy_with_logits(trainee.log_odds(step), truth)

    train_through(steps, loss_of, groups, _WARMUP)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--keyed", action="store_true", help="only what is said of the questions of keyed.py, and as much beside"
    )
    only_keyed = parser.parse_args().keyed
    trainee = Trainee(ensure_tutor_model(Settings.from_environ().cache, adapter=None))
    knowledge = load_knowledge()
    pairs = [*load_pairs(knowledge), *follow_ups(knowledge)]
    if only_keyed:
        keyed = [*keyed_questions(knowledge), *taught_questions(knowledge, KEYED), *follow_ups(knowledge, KEYED)]
        others = sorted(set(pairs).difference(keyed), key=lambda pair: (pair.question, pair.sentence))
        pairs = [*keyed, *random.Random(0).sample(others, len(keyed))]
    train(pairs, trainee)
    trainee.save()
    log.info("%s; now `make calibrate` and `make report`", CHANGE)


if __name__ == "__main__":
    main()
