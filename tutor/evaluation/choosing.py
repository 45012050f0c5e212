"""Fit tutor/choosing/choice.json: how much each hint counts beside the model's likelihoods (`python -m tutor.evaluation.choosing`, part of `make calibrate`).

A conditional logit (McFadden 1974) over what might come next, on the labelled set's tuning part: first a sentence that makes a key
point, then one that makes another, then the end. What only fits is neither rewarded nor punished. The model's own log-probability was one of the
hints once, and hardly told anything beside the others (its weight was 0.018 where votes had 15, and 0.02 for later sentences), so it keeps the least
weight, by which the others are scaled, and is not asked here. The reported part takes no part.

Learners' questions count for the most part: each three times, and beside them each fourth of the others is asked. Of `later` and `end`, and likewise of both `of several`, not all weights are fitted anew, which by folds told
worse when to go on: the weights there, once fitted on what others had written, are kept up to a factor, and beside it both `reads on` and a constant of the end are fitted. With `--anew`, as after a new hint, all are, on all questions.
Either way an answer then goes on more readily than the likelihood wants (`_GO_ON`, chosen by trial); of `first`, "opposes yes" stays as it was.

With `--opening`, Yes against No alone is fitted, to learners' questions alone. What ships is such a fit to 286 of them, behind an earlier one of all else, which knows learners-a to -c: by folds, of the 142 of learners-d it is right for 0.80 where it was for 0.76, and for 0.84 where a Yes or No
is said (0.81 before); of the 144 others, which the fit before knew, for 0.85 and 0.89 (0.87 and 0.90). What question and sentence share in words tells nothing there beside the rest.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.search import Hit
from tutor.chat import Tutor
from tutor.choosing.composition import LONGEST_ANSWER, Composition
from tutor.choosing.weighing import END, FIRST, FITTED, LATER, OPENING, UNSURE, load_weighing
from tutor.engines.base import Branch
from tutor.evaluation.items import Item, load_items
from tutor.followup import make_standalone
from tutor.lookup import look_up
from tutor.open import open_unfitted
from tutor.settings import Settings
from tutor.verdict.polarity import is_yes_no

log = logging.getLogger(__name__)

_LEAST = 0.02  # weight of the model's log-odds
_MISSING = 2.5  # needless sentences that a missing key point outweighs
_LEARNER = 3.0  # what learners typed who had not read the notes counts so much: it is what will be asked
# Taken from the end's constants behind the fit. Of two groups of learners that the fit knows, answers are complete for 0.61 and 0.57 without it, 0.64 and 0.59 with 40, 0.65 and 0.62 with 80; and complete without
# a needless sentence for 0.60 and 0.56, 0.62 and 0.57, 0.61 and 0.58; 60 lies between; of these it alone was measured on the exam, once.
# Behind the last fit 60 has 0.66 and 0.61, and 0.62 and 0.58; 110 has 0.68 and 0.63, but 0.58 and 0.55: it adds more that is needless than it completes.
# A fit to outputs of the classifying language model that were fitted to the end (tutor/distill/causal_classifier.py), with half of the other questions, weighed `read` half as much again (318, 216 before), but of 411 questions of learners that both fits know, answers were
# complete for 0.693 and complete without a needless sentence for 0.652, where they are for 0.701 and 0.667 with the weights before: what ships is that earlier fit.
# learners-d.jsonl, once keyed by the exam's rule, did not change that. With `later` and `end` fitted to 600 of its items alone, the 704 answered questions of learners-a to -c were answered completely for 0.679, 0.695 and 0.712, and without a needless sentence for 0.669, 0.662 and 0.653, at 0, 30 and 60;
# with all their weights anew for 0.724 and 0.608 at 60; with what ships for 0.702 and 0.668. With the next outputs of the language model, and `first` fitted to 1,044 items of learners-a to -d, for 0.697 and 0.659 of the 704, and 0.567 and 0.511 of 376 of learners-d left out of that fit; with what ships for 0.696 and 0.658, 0.569 and 0.511.
# Since a second reader names sentences too (tutor/choosing/encoder_classifier.py), what ships weighs `first` as fitted to 800 of the learners' items and answers end 8 more readily: of 320 of the others, answered in trial with the right Yes or No, 0.716 are complete and 0.666 complete without a needless sentence; without the 8
# 0.716 and 0.656; with three tenths, half or all of `later` and `end` from a fit to the same, at 30, 0.713 and 0.666, 0.706 and 0.659, 0.697 and 0.647. Of 400, the weights before had 0.667 and 0.613, with `read` doubled 0.695 and 0.640, and `first` as fitted to 740 had 0.718 and 0.660.
_GO_ON = 60.0
_KEPT = "opposes yes"  # of `first`: so few of the questions asked tell of it that its sign turned
_OTHERS = 4  # of the questions that no learner typed, one in so many is asked
_ENDS = tuple(len(LATER) + END.index(name) for name in ("one said", "two said", "more said"))
_READ, _END_READ = LATER.index("reads on"), len(LATER) + END.index("reads on")
_CLOSE = 0.02  # ridge: what nothing speaks for weighs nothing


@dataclass(frozen=True)
class Choice:
    """One fork: `hints` (branches, hints), which branches were right, which are right or wrong at all, how much it counts, and whether several things are asked."""

    hints: NDArray[np.float64]
    right: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    weight: float = 1.0
    several: bool = False


@dataclass(frozen=True)
class Polar:
    """Of a yes/no question: the hints, whether Yes is right, and how much it counts."""

    hints: tuple[float, ...]
    yes: bool
    weight: float = 1.0


def compose(item: Item, tutor: Tutor) -> tuple[str, Sequence[Hit], Composition]:
    """The item's standalone question, its notes, and the grammar of its answer with the right opening."""
    assert tutor.taught is not None
    search = tutor.search
    standalone = make_standalone(item.question, item.history, search)
    query = standalone.query
    found = look_up(standalone, search, tutor.taught)
    hits = found.retrieval.hits
    composition = Composition(
        query,
        hits,
        search.embedder,
        (item.polarity,) if item.polarity else (),
        votes=found.votes,
        tuned=search.tuned,
        weighing=load_weighing(strict=False),
        readers=tutor.readers,
        mentions=search.mentions,
        told=standalone.said,
        vector=standalone.vector,
        context=standalone.reader_context,
    )
    return query, hits, composition


def polar(item: Item, tutor: Tutor) -> Polar | None:
    """What is known of the item's Yes or No; None if it is no such question, or is not told to be one."""
    query, _, composition = compose(item, tutor)
    if item.polarity is None or not is_yes_no(query, tutor.search.embedder):
        return None
    return Polar(composition.opening_hints(), item.polarity == "yes", _LEARNER if item.learner else 1.0)


def fork(item: Item, tutor: Tutor) -> tuple[list[Choice], list[Choice]]:
    """The item's first forks, and its later ones."""
    _, hits, composition = compose(item, tutor)
    chosen: tuple[Branch, ...] = tuple(composition.allowed(())[:1]) if item.polarity else ()
    opening = composition.pieces[chosen[0].key].text if chosen else ""
    references = [f"{hit.passage.id}:{i}" for hit in hits for i, _ in enumerate(hit.passage.sentences)]
    left, item_weight = [set(point) for point in item.must], _LEARNER if item.learner else 1.0
    first: list[Choice] = []
    later: list[Choice] = []
    said: list[int] = []
    while len(said) < LONGEST_ANSWER:
        allowed = composition.allowed(chosen)
        makes = np.array([bool(b.text) and any(references[b.key] in point for point in left) for b in allowed])
        ends = np.array([not b.text for b in allowed])
        fits = np.array([bool(b.text) and references[b.key] in item.ok for b in allowed])
        right = makes if left else ends
        if right.any():
            if said:
                hints = [
                    [*composition.evidence.later_hints(b.key, said), *(0.0,) * len(END)]
                    if b.text
                    else [*(0.0,) * len(LATER), *composition.evidence.end_hints(said)]
                    for b in allowed
                ]
                counts = item_weight * (_MISSING if left else 1.0)
                later.append(Choice(np.array(hints), right, right | ~fits, counts, composition.evidence.of_several))
            else:
                hints = [list(composition.evidence.first_hints(b.key, opening)) for b in allowed]
                first.append(Choice(np.array(hints), right, right | ~fits, item_weight))
        if not left or not makes.any():
            break
        # Go on from the right sentence that speaks loudest for itself.
        best = max((i for i in range(len(allowed)) if makes[i]), key=lambda i: allowed[i].bias)
        said.append(allowed[best].key)
        chosen = (*chosen, allowed[best])
        left = [point for point in left if references[allowed[best].key] not in point]
    return first, later


def fit(choices: Sequence[Choice], names: Sequence[str]) -> dict[str, float]:
    """The hints' weights of largest likelihood, divided by the model's."""
    import torch

    weights = torch.zeros(len(names), dtype=torch.float64, requires_grad=True)
    longest = max(len(choice.right) for choice in choices)
    table = torch.zeros(len(choices), longest, len(names), dtype=torch.float64)
    right, counted = (torch.zeros(len(choices), longest, dtype=torch.bool) for _ in range(2))
    weight = torch.tensor([choice.weight for choice in choices], dtype=torch.float64)
    for i, choice in enumerate(choices):
        so_many = len(choice.right)
        table[i, :so_many] = torch.tensor(choice.hints)
        right[i, :so_many], counted[i, :so_many] = torch.tensor(choice.right), torch.tensor(choice.counted)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = table @ weights
        missed = scores.masked_fill(~counted, -1e9).logsumexp(1) - scores.masked_fill(~right, -1e9).logsumexp(1)
        total = _CLOSE * (weights**2).sum() + weight @ missed
        total.backward()
        return total

    optimizer.step(loss)
    best = (table @ weights).masked_fill(~counted, -1e9).argmax(1, keepdim=True)
    log.info("right at %.3f of %d forks", right.gather(1, best).double().mean(), len(choices))
    return {name: round(weight / _LEAST, 3) for name, weight in zip(names, weights.tolist(), strict=True)}


def refit(choices: Sequence[Choice], later: Sequence[float], end: Sequence[float]) -> tuple[list[float], list[float]]:
    """The weights of LATER and END: those given, times a factor, with both `reads on` and the constant by which answers end, after one sentence as after more, fitted beside."""
    given, ends = np.array([*later, *end]), np.zeros(len(LATER) + len(END))
    ends[[*_ENDS]] = 1.0

    def reduced(choice: Choice) -> Choice:
        hints = choice.hints
        columns = (_LEAST * (hints @ given), hints[:, _READ], hints[:, _END_READ], hints @ ends)
        return replace(choice, hints=np.column_stack(columns))

    found = fit([reduced(choice) for choice in choices], ("factor", "reads on", "end: reads on", "end"))
    weights = _LEAST * found["factor"] * given + found["end"] * ends
    weights[[_READ, _END_READ]] += found["reads on"], found["end: reads on"]
    log.info("the factor to what ships is %.3f; added: %s", _LEAST * found["factor"], found)
    return weights[: len(LATER)].tolist(), weights[len(LATER) :].tolist()


def fit_later(
    choices: Sequence[Choice], given: tuple[Sequence[float], Sequence[float]] | None
) -> tuple[list[float], list[float]]:
    """The weights of LATER and END, by which answers go on more readily than is likeliest; all anew where none are given."""
    if given:
        later, end = refit(choices, *given)
    else:
        weights = [*fit(choices, (*LATER, *(f"end: {name}" for name in END))).values()]
        later, end = weights[: len(LATER)], weights[len(LATER) :]
    return later, [weight - _GO_ON * (len(LATER) + i in _ENDS) for i, weight in enumerate(end)]


def fit_opening(rows: Sequence[Polar]) -> dict[str, float]:
    """Yes against No: logistic in the hints, each on its own scale; as if learners asked for either alike, whatever the labelled set has more of.

    The model takes no part: alone it was right at 0.714 of 196 questions, where each hint that was there then was at 0.85 or more.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    x, y = np.array([row.hints for row in rows]), np.array([row.yes for row in rows])
    spread, weighed = x.std(0), {"sample_weight": np.array([row.weight for row in rows])}
    model = LogisticRegression(class_weight="balanced")
    folds = (StratifiedKFold(8, shuffle=True, random_state=seed) for seed in range(5))
    leads = (
        cross_val_predict(model, x / spread, y, cv=fold, method="decision_function", params=weighed) for fold in folds
    )
    lead = np.mean(list(leads), axis=0)
    right = (lead > 0) == y
    alone = ", ".join(f"{name} {((column > 0) == y).mean():.3f}" for name, column in zip(OPENING, x.T, strict=True))
    log.info("yes or no: right at %.3f of %d when fitted on the others (alone: %s)", right.mean(), len(y), alone)
    said = np.abs(lead) >= UNSURE * _LEAST
    log.info("said at %.3f, right at %.3f of these", said.mean(), right[said].mean())
    model.fit(x / spread, y, **weighed)
    weights = model.coef_[0] / spread / _LEAST
    fitted = {name: round(float(weight), 3) for name, weight in zip(OPENING, weights, strict=True)}
    return {**fitted, "yes": round(float(model.intercept_[0]) / _LEAST, 3)}


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anew", action="store_true", help="all weights of `later` and `end`, not four numbers each")
    parser.add_argument("--opening", action="store_true", help="Yes against No alone, on learners' questions")
    args = parser.parse_args()
    given: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    kept: dict[str, float] = {}
    if not args.anew:
        now = load_weighing()
        kept = {_KEPT: now.first[FIRST.index(_KEPT)]}
        given = {"": (now.later, now.end), " of several": (now.later_of_several, now.end_of_several)}
    tutor = open_unfitted(Settings.from_environ())
    items = [item for item in load_items() if item.half == "tune" and item.must]
    if args.opening:
        learners = [item for item in items if item.learner and item.polarity]
        opening = fit_opening([found for item in learners if (found := polar(item, tutor))])
        FITTED.write_text(json.dumps({**json.loads(FITTED.read_text()), "opening": opening}, indent=1) + "\n")
        return
    if not args.anew:
        others = [item for item in items if not item.learner]
        items = [*(item for item in items if item.learner), *others[::_OTHERS]]
    polars = [found for item in items if item.polarity and (found := polar(item, tutor))]
    forks = [fork(item, tutor) for item in items]
    fitted = {"first": {**fit([choice for first, _ in forks for choice in first], FIRST), **kept}}
    for of in ("", " of several"):
        choices = [choice for _, later in forks for choice in later if choice.several is bool(of)]
        weights = fit_later(choices, given.get(of))
        for part, names, values in (("later", LATER, weights[0]), ("end", END, weights[1])):
            fitted[f"{part}{of}"] = {name: round(weight, 3) for name, weight in zip(names, values, strict=True)}
    fitted["opening"] = fit_opening(polars)
    FITTED.write_text(json.dumps(fitted, indent=1) + "\n")
    log.info("%s", json.dumps(fitted))


if __name__ == "__main__":
    main()
