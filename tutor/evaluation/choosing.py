"""Fit tutor/choice.json: how much each hint counts beside the model's likelihoods (`python -m tutor.evaluation.choosing`, some minutes).

A conditional logit (McFadden 1974) over what might come next, on the labelled set's tuning part: first a sentence that makes a key
point, then one that makes another, then the end. What only fits is neither rewarded nor punished. The model's own log-probability is one of
the hints; weights are scaled so that it counts 1, as it does when the tutor chooses. The reported part takes no part.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tutor.chat import NOTES, Tutor
from tutor.composition import Composition
from tutor.engines.base import Branch
from tutor.engines.local import LocalEngine
from tutor.evaluation.items import Item, load_items
from tutor.followup import make_standalone
from tutor.open import open_tutor
from tutor.polarity import is_yes_no
from tutor.prompts import choice_prompt
from tutor.settings import Settings
from tutor.weighing import END, FIRST, FITTED, LATER, OPENING, load_weighing

log = logging.getLogger(__name__)

_LEAST = 0.02  # weight of the model's log-odds, should fitting leave it none
_CLOSE = 0.02  # ridge: weights stay where nothing speaks for moving them


@dataclass(frozen=True)
class Choice:
    """One fork: `model` (branches,) log-probabilities, `hints` (branches, hints), and which branches were right."""

    model: NDArray[np.float64]
    hints: NDArray[np.float64]
    right: NDArray[np.bool_]
    counted: NDArray[np.bool_]


@dataclass(frozen=True)
class Polar:
    """Of a yes/no question: the model's log-odds and the hints, and whether Yes is right."""

    hints: tuple[float, ...]
    yes: bool


def fork(item: Item, tutor: Tutor) -> tuple[list[Choice], list[Choice], Polar | None]:
    """The item's first forks, its later ones, and what is known of its Yes or No."""
    engine = tutor.engine
    assert isinstance(engine, LocalEngine) and tutor.taught is not None
    search = tutor.search
    query = make_standalone(item.question, item.history, search.knowledge, search.mentions).query
    hits = search.search(query, NOTES).hits
    votes = tutor.taught.votes(query)
    openings = (item.polarity,) if item.polarity else ()
    composition = Composition(
        query,
        hits,
        search.embedder,
        openings,
        votes=votes,
        tuned=search.tuned,
        weighing=load_weighing(strict=False),
        reader=tutor.reader,
    )
    prompt = choice_prompt(query, hits)
    polar = None
    if item.polarity and is_yes_no(query):
        yes, no = engine.weigh(prompt, (), (Branch("Yes."), Branch("No.")))
        polar = Polar((yes - no, *composition.opening_hints()), item.polarity == "yes")
    chosen: tuple[Branch, ...] = tuple(composition.allowed(())[:1]) if openings else ()
    opening = composition.pieces[chosen[0].key].text if chosen else ""
    references = [f"{hit.passage.id}:{i}" for hit in hits for i, _ in enumerate(hit.passage.sentences)]
    left = [set(point) for point in item.must]
    first: list[Choice] = []
    later: list[Choice] = []
    said: list[int] = []
    while len(said) < 3:
        allowed = composition.allowed(chosen)
        model = np.array(engine.weigh(prompt, chosen, allowed))
        makes = np.array([bool(b.text) and any(references[b.key] in point for point in left) for b in allowed])
        ends = np.array([not b.text for b in allowed])
        fits = np.array([bool(b.text) and references[b.key] in item.ok for b in allowed])
        right = makes if left else ends
        if right.any():
            if said:
                hints = [
                    [*composition.later_hints(b.key, said), *(0.0,) * len(END)]
                    if b.text
                    else [*(0.0,) * len(LATER), *composition.end_hints(said)]
                    for b in allowed
                ]
                later.append(Choice(model, np.array(hints), right, right | ~fits))
            else:
                hints = [list(composition.first_hints(b.key, opening)) for b in allowed]
                first.append(Choice(model, np.array(hints), right, right | ~fits))
        if not left or not makes.any():
            break
        # Go on from the right sentence that speaks loudest for itself.
        best = max((i for i in range(len(allowed)) if makes[i]), key=lambda i: model[i])
        said.append(allowed[best].key)
        chosen = (*chosen, allowed[best])
        left = [point for point in left if references[allowed[best].key] not in point]
    return first, later, polar


def fit(choices: Sequence[Choice], names: Sequence[str]) -> tuple[float, dict[str, float]]:
    """The model's weight, and the hints' weights divided by it, of largest likelihood."""
    import torch

    sizes = len(names)
    weights = torch.zeros(1 + sizes, dtype=torch.float64)
    weights[0] = 0.2
    weights.requires_grad_()
    tables = [
        (
            torch.tensor(np.column_stack([choice.model, choice.hints])),
            torch.tensor(choice.right),
            torch.tensor(choice.counted),
        )
        for choice in choices
    ]
    optimizer = torch.optim.LBFGS([weights], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        total = _CLOSE * (weights[1:] ** 2).sum()
        for table, right, counted in tables:
            scores = table @ weights
            total = total + scores[counted].logsumexp(0) - scores[right].logsumexp(0)
        total.backward()
        return total

    optimizer.step(loss)
    found = weights.detach().numpy()
    best = [
        bool(c.right[np.argmax(np.where(c.counted, np.column_stack([c.model, c.hints]) @ found, -np.inf))])
        for c in choices
    ]
    log.info("model's weight %.3f; right at %.3f of %d forks", found[0], float(np.mean(best)), len(choices))
    return float(found[0]), {name: round(float(w / found[0]), 3) for name, w in zip(names, found[1:], strict=True)}


def fit_opening(rows: Sequence[Polar]) -> dict[str, float]:
    """Yes against No: logistic in the model's log-odds and the hints; learners ask for either alike, though the labelled set has more No."""
    from sklearn.linear_model import LogisticRegression

    x, y = np.array([row.hints for row in rows]), np.array([row.yes for row in rows])
    model = LogisticRegression(C=30.0, class_weight="balanced").fit(x, y)
    alone = ", ".join(
        f"{name} {((column > 0) == y).mean():.3f}" for name, column in zip(("model", *OPENING), x.T, strict=True)
    )
    log.info("yes or no: right at %.3f of %d (alone: %s)", model.score(x, y), len(y), alone)
    by_model, *others = (float(weight) for weight in model.coef_[0])
    by_model = max(by_model, _LEAST)
    fitted = {name: round(weight / by_model, 3) for name, weight in zip(OPENING, others, strict=True)}
    return {**fitted, "yes": round(float(model.intercept_[0]) / by_model, 3)}


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tutor = open_tutor(Settings.from_environ())
    first: list[Choice] = []
    later: list[Choice] = []
    polar: list[Polar] = []
    for item in load_items():
        if item.half == "tune" and item.must:
            ones, others, opening = fork(item, tutor)
            first += ones
            later += others
            polar += [opening] if opening else []
    _, firsts = fit(first, FIRST)
    _, laters = fit(later, (*LATER, *(f"end: {name}" for name in END)))
    fitted = {
        "first": firsts,
        "later": {name: laters[name] for name in LATER},
        "end": {name: laters[f"end: {name}"] for name in END},
        "opening": fit_opening(polar),
    }
    FITTED.write_text(json.dumps(fitted, indent=1) + "\n")
    log.info("%s", json.dumps(fitted))


if __name__ == "__main__":
    main()
