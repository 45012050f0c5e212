"""Train the reader of tutor/choosing/causal_classifier.py (`make causal-classifier`): which sentence answers a question, or none; and behind sentences that are said, which other one comes next, or the end, and whether the answer begins with Yes or No.

Twice through the teacher's questions (those of keyed.py and those that the notes do not answer, four times), each with the sentences that she answered, follow-ups both asked in full and behind what they go on from; those with all sentences that answer them
(keyed.py), those with two requests also request by request, as tutor/choosing/compound.py has them read; the passages' own questions, each with all sentences of its passage, of which any will do; the sentences themselves,
questions of their own behind an exchange that another went on from, and what the notes do not answer, so that it is not taken for what they do; and through those of keyed.py, and a part of the others, behind what was answered first: some three hours on two cores that multiply in bf16, as calculated from what follows. With `--further` it goes on from what ships, as after new questions or notes: twice through those of keyed.py and through all that is answered by sentences that it does not know yet,
with as many others beside as keyed.py gives, a quarter as many changes of subject, and those that the notes do not answer; and once through those of keyed.py, and half as many others, behind what is said. tutor/distill/asked.py has them all.

What ships went on fifteen times from a first training (243, 304, 583, 693, 230, 559, 328, 346, 282, 376, 341, 231, 348, 229 and 155 steps, 2.5 s each): the third time it learned to read behind what is said, with 20,000 of the teacher's other questions, and the tenth
the sentences of 220 new notes, with all that they answer twice and 20,000 other texts. The fifth, the seventh to the ninth and the last five times a script beside the tree asked the questions of the newest people (learner-g*, learner-h* to -m*, then learner-el* and learner-n* to -s*) twice
and as many others once, or twice as many, at a quarter of the rates. The ninth and the last three began at a mean of what those before had come to, and what ships is one: of 704 questions of the tuning learners the likeliest sentence makes a key point for 462, 470, 476 and 466
at the ends of the last four, and for 479 in the means behind the last three. So `--further` ends at the mean of where it began and where it came to, if it knew all sentences.

A few times through leave the outputs far from fitted: on the layers' states as they were (480 of the 704), six times more teach them all that the states tell, in a minute each, as each text is read but once. So training ends with that, and `--outputs` does it
alone. 480 became 521; with 8,300 questions of 192 people, and 710 that the notes do not answer, which the layers have never read, 543; with 9,700 of 252 people (96 of them the same), and 1,460, 547; with 5,200 of 108 more, and 420, 542: fewer of the 704, which hardly show such questions, as others like them were taught long ago. Of 1,313 first messages and 568 second ones
that it was not fitted to (tutor/evaluation/learners-d.jsonl, by its first reader's keys), and of 597 second messages of the newest 36 people, left out here, the likeliest sentence of the fit before answered 0.655, 0.507 and 0.560, of this one 0.662, 0.542 and 0.605; and the area under the curve by which "none" tells which questions of the tuning part are not answered went from 0.857 to 0.886. What ships is the mean of two fits to all of it, one from the layers' own outputs
and one from the outputs that shipped before. A script beside the tree made them: it read the states in portions, few of those that ask a follow-up in full, and 4,500 texts behind what is said; and it lowered the end's bias by 0.4 (0.45 and 0.2 before), as the end had become likelier where a point was left.
Of 2,645 first messages of 72 people that it had not read, an earlier fit's likeliest sentence answered 0.664, and 0.691 once it has read 5,600 other new ones, so more of them will tell more, though the 704, which earlier people asked, hardly show it.
251 steps of the layers, which began at these layers with the outputs that were not fitted yet, through the first 8,300 twice and 11,200 other texts, and then a fit of the outputs to 44,000 texts without these 2,645: 0.700 of them, but 518 of the 704, where the layers that ship
have 0.673 and 531 behind such a fit to 47,000. So they were left. 327 more steps from there, through the next 9,700 messages once (those behind an exchange also asked in full), 5,500 of them behind what was answered first, and 10,900 other texts,
came behind a fit to 27,000 texts to 516 of the 704, and of what 36 people typed that none of these had read (tutor/evaluation/learners-d.jsonl) to 0.657 of first and 0.512 of second messages, where what shipped then had 547, 0.676 and 0.507 (by both readers' keys); and the mean of both models' log shares to 544, 0.668 and 0.521. So the layers
seem to have told what they can at this size and rank, and further steps are not worth their hour.
The neighbours of a question's state among those of the taught ones, voting (Khandelwal et al. 2020, arXiv:1911.00172), had told 480 to 515, but behind the fit 526 to 532 only.
"""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.classifier import key_of
from knowledge.concept_files import load_knowledge
from tutor.choosing.causal_classifier import CHANGE, LAYERS, read_tokens
from tutor.choosing.outputs import BESIDE
from tutor.distill.asked import (
    Asked,
    load_asked,
    load_keyed_asked,
    load_keyed_continued,
    load_strange,
    load_switches,
    load_taught_continued,
)
from tutor.distill.lower_layers import LowerLayers, steps_of_like_length, train_through
from tutor.engines.lower import Encode
from tutor.engines.weights import ensure_tutor_model
from tutor.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_FROZEN = 4  # layers from the bottom that stay as they are
_ROUNDS = 2
_RATE, _OUTPUT_RATE, _WARMUP = 6e-4, 3e-3, 40
_FURTHER = 0.3  # of the rates, where training goes on; outputs learn at all of theirs where some begin anew, as those must catch up
_LOT, _STEP = 3_000, 4_500  # texts among which those of like length are found, tokens a step
_FIRST = 0.6  # of the target for what was answered first
_CONTINUED = 30_000  # of the teacher's other questions that are read behind her answers
_STRANGE_OFTEN = 2  # times that a question from elsewhere is asked: they are few beside the taught
_OUTPUT_ROUNDS, _ALONE_RATE, _DROPOUT, _AT_ONCE = 6, 1e-3, 0.1, 512  # where the outputs learn alone
# That teach the outputs beside those of keyed.py.
_BEHIND, _TAUGHT_BEHIND, _OTHERS, _SWITCHES = 11_400, 2_000, 9_000, 1_500


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
        self._began = [value.detach().clone() for value in (*self.layers.changes, *self.output.values())]

    def step_back(self) -> None:
        """Halfway to where it began: of two states of one descent the mean errs less than either (Izmailov et al. 2018, arXiv:1803.05407). Not where some answers began anew, as those began nowhere."""
        import torch

        if self.unknown:
            return
        with torch.no_grad():
            for value, before in zip((*self.layers.changes, *self.output.values()), self._began, strict=True):
                value.lerp_(before, 0.5)

    def last_states(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Of each text, that of its last token: (texts, width)."""
        import torch

        tokens = torch.nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts], batch_first=True)
        last = torch.tensor([len(text) - 1 for text in texts])
        return self.layers.states(tokens)[torch.arange(len(texts)), last]

    def logits(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Of each text's tokens: (texts, answers)."""
        from torch.nn.functional import layer_norm, linear

        states = self.last_states(texts)
        normed = layer_norm(states, states.shape[1:], self.output["norm"], self.output["shift"])
        return linear(normed, self.output["head"], self.output["bias"])


def loss_of(logits: Tensor, asked: Sequence[Asked]) -> Tensor:
    """Mean over the texts: cross-entropy with their points, the first counting most, where a point has what all of its sentences have; and with the opening."""
    import torch

    none, end, *openings = range(logits.shape[1] - len(BESIDE), logits.shape[1])
    rows, weights, points = [], [], []
    for row, one in enumerate(asked):
        rest = len(one.points) - 1
        for n, point in enumerate(one.points):
            rows.append(row)
            weights.append((_FIRST if n == 0 else (1 - _FIRST) / rest) if rest else 1.0)
            points.append(torch.tensor(point))
    makes = torch.nn.utils.rnn.pad_sequence(points, batch_first=True, padding_value=-1)
    behind = torch.tensor([bool(one.said) for one in asked])
    # What answers, or none; behind what is said, what comes next and is not said yet, or the end.
    possible = torch.ones_like(logits[:, : end + 1], dtype=torch.bool)
    possible[:, none], possible[:, end] = ~behind, behind
    for row, one in enumerate(asked):
        possible[row, list(one.said)] = False
    log_shares = logits[:, : end + 1].masked_fill(~possible, -1e4).log_softmax(1)
    shares = log_shares[torch.tensor(rows)].gather(1, makes.clamp(min=0)).masked_fill(makes < 0, -1e4)
    loss = -(torch.tensor(weights) * shares.logsumexp(1)).sum()
    opens = [(row, ("yes", "no", None).index(one.opening)) for row, one in enumerate(asked) if one.opens]
    if opens:
        among, opening = torch.tensor(opens).T
        loss = loss + torch.nn.functional.cross_entropy(logits[among][:, openings], opening, reduction="sum")
    return loss / len(asked)


def tokens_of(one: Asked, sentences: Sequence[str], encode: Encode) -> list[int]:
    """As answers have it read (tutor/choosing/causal_classifier.py); `sentences` are those that its places stand for."""
    return read_tokens(encode, one.text, [sentences[place] for place in one.said])


def train(
    asked: Sequence[Asked], sentences: Sequence[str], trainee: Trainee, rounds: int, pace: float, seed: int = 0
) -> None:
    """Train in place, `sentences` being those that places stand for: so many `rounds` through all texts, the layers at `pace` times their rate, the outputs at all of theirs where some begin anew."""
    rng = random.Random(seed)
    texts = [tokens_of(one, sentences, trainee.layers.encode) for one in asked]
    lengths, steps = [len(text) for text in texts], list[list[int]]()
    for _ in range(rounds):
        through = steps_of_like_length(lengths, rng.sample(range(len(texts)), len(texts)), _LOT, _STEP)
        rng.shuffle(through)
        steps += through
    groups = [
        {"params": trainee.layers.changes, "pace": pace * _RATE},
        {"params": [*trainee.output.values()], "pace": (1.0 if trainee.unknown else pace) * _OUTPUT_RATE},
    ]

    def loss_at(places: Sequence[int]) -> Tensor:
        return loss_of(trainee.logits([texts[i] for i in places]), [asked[i] for i in places])

    train_through(steps, loss_at, groups, _WARMUP)


def states_of(asked: Sequence[Asked], sentences: Sequence[str], trainee: Trainee) -> Tensor:
    """What the outputs are made of, for each text as the layers are: (texts, width)."""
    import torch
    from torch.nn.functional import layer_norm

    texts = [tokens_of(one, sentences, trainee.layers.encode) for one in asked]
    steps = steps_of_like_length([len(text) for text in texts], range(len(texts)), len(texts), _STEP)
    states = torch.empty(len(texts), trainee.output["head"].shape[1])
    with torch.no_grad():
        for number, step in enumerate(steps):
            last = trainee.last_states([texts[i] for i in step])
            states[step] = layer_norm(last, last.shape[1:], trainee.output["norm"], trainee.output["shift"])
            if number % 25 == 24:
                log.info("step %d of %d read", number + 1, len(steps))
    return states


def fit_outputs(asked: Sequence[Asked], states: Tensor, trainee: Trainee, rounds: int, seed: int = 0) -> None:
    """Train the outputs in place, and nothing else, on states that were read once: so many `rounds` through all of them. What Yes and No learn from stays out: so often, they learn it by heart."""
    from torch.nn.functional import dropout, linear

    rng = random.Random(seed)
    unopened = [replace(one, opens=False) for one in asked]
    steps: list[list[int]] = []
    for _ in range(rounds):
        order = rng.sample(range(len(asked)), len(asked))
        steps += [order[start : start + _AT_ONCE] for start in range(0, len(order), _AT_ONCE)]
    head, bias = trainee.output["head"], trainee.output["bias"]

    def loss_at(places: Sequence[int]) -> Tensor:
        kept = dropout(states[list(places)], _DROPOUT)
        return loss_of(linear(kept, head, bias), [unopened[i] for i in places])

    train_through(steps, loss_at, [{"params": [head, bias], "pace": _ALONE_RATE}], _WARMUP)


def main() -> None:
    import torch

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--further",
        action="store_true",
        help="go on from what ships, about an hour on two cores that multiply in bf16",
    )
    parser.add_argument(
        "--outputs",
        action="store_true",
        help="fit the outputs alone to what ships, as after new questions: as long again as it takes to read them once",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="another one each time that it goes on, for other ways through the questions",
    )
    arguments = parser.parse_args()
    further, alone, seed = arguments.further, arguments.outputs, arguments.seed
    torch.manual_seed(seed)
    knowledge = load_knowledge()
    sentences = [sentence for passage in knowledge.passages for sentence in passage.sentences]
    keys = [*map(key_of, sentences), *BESIDE]
    folder = ensure_tutor_model(Settings.from_environ().cache, adapter=None)
    trainee = Trainee(folder, keys, CHANGE if further or alone else None)
    rng = random.Random(seed)
    others, keyed, strange = load_asked(knowledge), load_keyed_asked(knowledge), load_strange(knowledge)
    switches, behind = load_switches(knowledge), load_keyed_continued(knowledge, seed)
    new = [one for one in others if any(trainee.unknown.intersection(point) for point in one.points)]
    if further:
        again = rng.sample(others, len(keyed)) + rng.sample(switches, len(keyed) // 4)
        going_on = behind + load_taught_continued(knowledge, len(behind) // 2, seed)
        train([*again, *(2 * new), *(2 * keyed), *strange, *going_on], sentences, trainee, 1, _FURTHER, seed)
        trainee.step_back()
    elif not alone:
        going_on = behind + load_taught_continued(knowledge, _CONTINUED, seed)
        all_of_it = [*others, *switches, *(2 * keyed), *(_STRANGE_OFTEN * strange), *going_on]
        train(all_of_it, sentences, trainee, _ROUNDS, 1.0, seed)
    some = rng.sample(behind, _BEHIND) + load_taught_continued(knowledge, _TAUGHT_BEHIND, seed)
    beside = rng.sample(others, _OTHERS) + rng.sample(switches, _SWITCHES)
    lessons = [*keyed, *strange, *new, *some, *beside]
    fit_outputs(lessons, states_of(lessons, sentences, trainee), trainee, _OUTPUT_ROUNDS, seed)
    trainee.layers.save(CHANGE, {**trainee.output, "keys": torch.tensor(keys)})
    log.info("%s; now `make calibrate` and `make report`", CHANGE)


if __name__ == "__main__":
    main()
