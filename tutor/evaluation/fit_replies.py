"""Fit tutor/requests/replies.npz: whether a reply to a question with choices is one of them, and which.

Learned from tutor/requests/replies.tsv, what people typed who were shown the predictions before experiments and quiz questions: the question's key, the index of the choice (or skip, or other), the reply.
`python -m tutor.evaluation.fit_replies` logs how often that is told right by models that saw neither the reply nor, for a fourth of the replies at a time, any other of that fourth.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demos import DEMOS
from knowledge.embedder import Embedder, RememberingEmbedder
from knowledge.passages import Knowledge
from tutor.engines.large_encoder import WEIGHTS, WIDTH
from tutor.engines.wheels import sha256_of
from tutor.open import open_encoder, open_knowledge
from tutor.requests.manner import JudgesManner, load_manner
from tutor.requests.replies import FEATURES, FITTED, KINDS, SIGNS, Replies, Reply
from tutor.settings import Settings

log = logging.getLogger(__name__)

LABELLED = Path(__file__).parents[1] / "requests" / "replies.tsv"
_FOLDS = 4
_LOOSE = 3.0  # inverse regularisation of the kinds' weights
_ENOUGH = 12  # replies that are choices, for a question to have weights of its own,
_LOOSE_OWN = 100.0  # their inverse regularisation,
_SHARE_OF_OWN = 0.5  # and how much they count beside the signs
_STIFF = 0.01  # regularisation of the choices'


@dataclass(frozen=True)
class Labelled:
    """A reply with the question that it was given to; `choice` is None for what is none."""

    question: str
    choices: tuple[str, ...]
    kind: str
    choice: int | None
    text: str


def load_labelled(knowledge: Knowledge, path: Path = LABELLED) -> list[Labelled]:
    """Every line; raises ValueError with its number for an unknown question or label."""
    asked = {d.name: (d.prediction.question, d.prediction.choices) for d in DEMOS if d.prediction}
    asked |= {f"{c.id}#{i}": (item.question, item.choices) for c in knowledge.concepts for i, item in enumerate(c.quiz)}
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("# "):
            continue
        key, label, text = line.split("\t")
        question, choices = asked.get(key, ("", ()))
        if label not in KINDS[1:] and not (label.isdigit() and int(label) < len(choices)):
            raise ValueError(
                f"{path}:{number}: expected a known question and a choice of it, skip or other, got {line!r}"
            )
        choice = int(label) if label.isdigit() else None
        rows.append(Labelled(question, tuple(choices), label if choice is None else "choice", choice, text))
    return rows


def fit(rows: Sequence[Labelled], embedder: Embedder, judge: JudgesManner) -> Replies:
    """The models learned from the rows, whose replies are known; none of them is near to itself while it is learned from."""
    from scipy.optimize import minimize
    from sklearn.linear_model import LogisticRegression

    empty = np.zeros((len(KINDS), FEATURES), np.float32)
    known = known_replies(rows, embedder)
    model = Replies(embedder, judge, np.zeros(SIGNS, np.float32), empty, np.zeros(len(KINDS), np.float32), known)
    chosen = [row for row in rows if row.choice is not None]
    signs = [_without(model, row).seen(row.question, row.choices, row.text)[0] for row in chosen]

    def loss(weights: NDArray[np.float64]) -> float:
        logits = [each @ weights for each in signs]
        return sum(
            float(np.logaddexp.reduce(z) - z[row.choice]) for z, row in zip(logits, chosen, strict=True)
        ) + float(_STIFF * weights @ weights)

    model = replace(model, which=minimize(loss, np.ones(SIGNS)).x.astype(np.float32))
    x = np.stack([_without(model, row).seen(row.question, row.choices, row.text)[1] for row in rows])
    kinds = LogisticRegression(C=_LOOSE, max_iter=2000).fit(x, [KINDS.index(row.kind) for row in rows])
    return replace(
        model,
        kinds=kinds.coef_.astype(np.float32),
        bias=kinds.intercept_.astype(np.float32),
        own=own_of(chosen, embedder),
    )


def own_of(chosen: Sequence[Labelled], embedder: Embedder) -> dict[str, NDArray[np.float32]]:
    """For each question with enough replies that are choices, a row of weights and a bias for each choice."""
    from sklearn.linear_model import LogisticRegression

    own: dict[str, NDArray[np.float32]] = {}
    for question, times in Counter(row.question for row in chosen).items():
        rows = [row for row in chosen if row.question == question]
        if times < _ENOUGH or {row.choice for row in rows} < set(range(len(rows[0].choices))):
            continue
        x = embedder.embed([row.text for row in rows])
        fitted = LogisticRegression(C=_LOOSE_OWN, max_iter=2000).fit(x, [row.choice for row in rows])
        weights, bias = fitted.coef_, fitted.intercept_
        if len(weights) == 1:  # of two choices the second's, against the first
            weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        own[question] = (_SHARE_OF_OWN * np.column_stack([weights, bias])).astype(np.float32)
    return own


def known_replies(rows: Sequence[Labelled], embedder: Embedder) -> dict[tuple[str, str], NDArray[np.float32]]:
    """Vectors of the replies that meant each choice."""
    found: dict[tuple[str, str], list[NDArray[np.float32]]] = {}
    for row in rows:
        if row.choice is not None:
            vector = embedder.embed([row.text])[0][WIDTH:]
            found.setdefault((row.question, row.choices[row.choice]), []).append(vector)
    return {pair: np.stack(vectors) for pair, vectors in found.items()}


def _without(model: Replies, row: Labelled) -> Replies:
    """The model as it is for a reply that it has never seen."""
    if row.choice is None:
        return model
    pair = row.question, row.choices[row.choice]
    own = model.embedder.embed([row.text])[0][WIDTH:]
    others = model.known[pair][np.abs(model.known[pair] - own).max(1) > 0]
    rest = {other: vectors for other, vectors in model.known.items() if other != pair}
    return replace(model, known=rest | ({pair: others} if len(others) else {}))


def validate(rows: Sequence[Labelled], embedder: Embedder, judge: JudgesManner) -> Counter[str]:
    """How replies are read by models that were fitted on the other folds."""
    told: Counter[str] = Counter()
    for fold in range(_FOLDS):
        model = fit([row for i, row in enumerate(rows) if i % _FOLDS != fold], embedder, judge)
        for row in rows[fold::_FOLDS]:
            reply = model.read(row.question, row.choices, row.text)
            told[f"{row.kind}: {_outcome(row, reply)}"] += 1
    return told


def _outcome(row: Labelled, reply: Reply) -> str:
    if reply.kind != row.kind:
        return f"taken for {reply.kind}"
    if reply.choice == row.choice:
        return "right"
    return "unsure" if reply.choice is None else "wrong"


def save(model: Replies, path: Path = FITTED) -> None:
    pairs = list(model.known)
    arrays: Mapping[str, Any] = {
        "encoder": np.array(sha256_of(WEIGHTS)),
        "which": model.which,
        "kinds": model.kinds.astype(np.float16),
        "bias": model.bias,
        "choices": np.array(pairs),
        "vectors": np.concatenate([model.known[pair] for pair in pairs]).astype(np.float16),
        "owners": np.repeat(np.arange(len(pairs)), [len(model.known[pair]) for pair in pairs]),
        "asked": np.repeat([*model.own], [len(weights) for weights in model.own.values()]),
        "own": np.concatenate([*model.own.values(), np.zeros((0, 2 * WIDTH + 1), np.float32)]).astype(np.float16),
    }
    np.savez_compressed(path, **arrays)


def fit_replies(knowledge: Knowledge, embedder: Embedder) -> None:
    """Fit anew, and log how well others' replies are read."""
    embedder = RememberingEmbedder(embedder, most=10_000)
    manner, rows = load_manner(embedder), load_labelled(knowledge)
    told = validate(rows, embedder, manner.judge)
    for what, times in sorted(told.items()):
        log.info("%s: %d", what, times)
    save(fit(rows, embedder, manner.judge))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = Settings.from_environ()
    fit_replies(open_knowledge(settings), open_encoder(settings))


if __name__ == "__main__":
    main()
