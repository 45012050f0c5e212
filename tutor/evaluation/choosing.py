"""Fit tutor/choice.json: how much each hint counts beside the model's likelihoods (`python -m tutor.evaluation.choosing`, a quarter of an hour).

A conditional logit (McFadden 1974) over what might come next, on the labelled set's tuning part: first a sentence that makes a key
point, then one that makes another, then the end. What only fits is neither rewarded nor punished. The model's own log-probability is one of
the hints of the later ones; weights are scaled so that it counts 1, as it does when the tutor chooses. Which sentence comes first it hardly told (its
weight was 0.018 where votes had 15), so there it keeps the least weight and is not asked. The reported part takes no part.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.search import Hit
from tutor.chat import NOTES, Tutor
from tutor.composition import Composition
from tutor.engines.base import Branch
from tutor.engines.local import LocalEngine
from tutor.evaluation.items import Item, load_items
from tutor.followup import make_standalone
from tutor.open import open_tutor
from tutor.parts import parts_of
from tutor.polarity import is_yes_no
from tutor.prompts import choice_prompt
from tutor.settings import Settings
from tutor.weighing import END, FIRST, FITTED, LATER, OPENING, load_weighing

log = logging.getLogger(__name__)

_LEAST = 0.02  # weight of the model's log-odds, should fitting leave it none
_EVERY = 2  # of the items, whose later forks the model weighs: most of the time goes there
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
    """Of a yes/no question: the hints, and whether Yes is right."""

    hints: tuple[float, ...]
    yes: bool


def compose(item: Item, tutor: Tutor) -> tuple[str, Sequence[Hit], Composition]:
    """The item's standalone question, its notes, and the grammar of its answer with the right opening."""
    assert tutor.taught is not None
    search = tutor.search
    standalone = make_standalone(item.question, item.history, search)
    query = standalone.query
    hits = search.search(query, NOTES, standalone.concept).hits
    composition = Composition(
        query,
        hits,
        search.embedder,
        (item.polarity,) if item.polarity else (),
        votes=tutor.taught.votes(query, parts_of(query, search.mentions)),
        tuned=search.tuned,
        weighing=load_weighing(strict=False),
        reader=tutor.reader,
        mentions=search.mentions,
        told=standalone.said,
    )
    return query, hits, composition


def polar(item: Item, tutor: Tutor) -> Polar | None:
    """What is known of the item's Yes or No; None if it is no such question, or is not told to be one."""
    query, _, composition = compose(item, tutor)
    if item.polarity is None or not is_yes_no(query):
        return None
    return Polar(composition.opening_hints(), item.polarity == "yes")


def fork(item: Item, tutor: Tutor, later_too: bool = True) -> tuple[list[Choice], list[Choice]]:
    """The item's first forks, which the model does not weigh, and its later ones."""
    engine = tutor.engine
    assert isinstance(engine, LocalEngine)
    query, hits, composition = compose(item, tutor)
    prompt = choice_prompt(query, hits)
    chosen: tuple[Branch, ...] = tuple(composition.allowed(())[:1]) if item.polarity else ()
    opening = composition.pieces[chosen[0].key].text if chosen else ""
    references = [f"{hit.passage.id}:{i}" for hit in hits for i, _ in enumerate(hit.passage.sentences)]
    left = [set(point) for point in item.must]
    first: list[Choice] = []
    later: list[Choice] = []
    said: list[int] = []
    while len(said) < 3:
        allowed = composition.allowed(chosen)
        model = np.array(engine.weigh(prompt, chosen, allowed)) if said else np.zeros(len(allowed))
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
        if not left or not makes.any() or not later_too:
            break
        # Go on from the right sentence that speaks loudest for itself.
        best = max((i for i in range(len(allowed)) if makes[i]), key=lambda i: model[i] if said else allowed[i].bias)
        said.append(allowed[best].key)
        chosen = (*chosen, allowed[best])
        left = [point for point in left if references[allowed[best].key] not in point]
    return first, later


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
    if not any(choice.model.any() for choice in choices):
        found[0] = _LEAST
    best = [
        bool(c.right[np.argmax(np.where(c.counted, np.column_stack([c.model, c.hints]) @ found, -np.inf))])
        for c in choices
    ]
    log.info("model's weight %.3f; right at %.3f of %d forks", found[0], float(np.mean(best)), len(choices))
    return float(found[0]), {name: round(float(w / found[0]), 3) for name, w in zip(names, found[1:], strict=True)}


def fit_opening(rows: Sequence[Polar]) -> dict[str, float]:
    """Yes against No: logistic in the hints, each on its own scale; learners ask for either alike, though the labelled set has more No.

    The model takes no part: alone it was right at 0.714 of 196 questions, where each hint was at 0.85 or more.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    x, y = np.array([row.hints for row in rows]), np.array([row.yes for row in rows])
    spread = x.std(0)
    model = LogisticRegression(class_weight="balanced")
    folds = StratifiedKFold(8, shuffle=True, random_state=0)
    beyond = cross_val_score(model, x / spread, y, cv=folds).mean()
    alone = ", ".join(f"{name} {((column > 0) == y).mean():.3f}" for name, column in zip(OPENING, x.T, strict=True))
    log.info("yes or no: right at %.3f of %d when fitted on the others (alone: %s)", beyond, len(y), alone)
    model.fit(x / spread, y)
    weights = model.coef_[0] / spread / _LEAST
    fitted = {name: round(float(weight), 3) for name, weight in zip(OPENING, weights, strict=True)}
    return {**fitted, "yes": round(float(model.intercept_[0]) / _LEAST, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit tutor/choice.json")
    parser.add_argument(
        "--quick", action="store_true", help="only first sentences and Yes or No, in which the model has no part"
    )
    quick = parser.parse_args().quick
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tutor = open_tutor(Settings.from_environ())
    items = [item for item in load_items() if item.half == "tune" and item.must]
    polars = [found for item in items if item.polarity and (found := polar(item, tutor))]
    fitted = {**json.loads(FITTED.read_text()), "opening": fit_opening(polars)}
    forks = [fork(item, tutor, not quick and i % _EVERY == 0) for i, item in enumerate(items)]
    _, fitted["first"] = fit([choice for first, _ in forks for choice in first], FIRST)
    if not quick:
        names = (*LATER, *(f"end: {name}" for name in END))
        _, laters = fit([choice for _, later in forks for choice in later], names)
        fitted["later"] = {name: laters[name] for name in LATER}
        fitted["end"] = {name: laters[f"end: {name}"] for name in END}
    FITTED.write_text(json.dumps(fitted, indent=1) + "\n")
    log.info("%s", json.dumps(fitted))


if __name__ == "__main__":
    main()
