"""Fit tutor/context/elliptic.npz and tutor/context/leaning.json: which questions lean on what was said before (a part of `make calibrate`).

Leaning are the tuning part's follow-ups. Not leaning are its switches, what it asks of other sets or of what the notes do not cover after a
conversation, and every third standalone item of both kinds put behind a follow-up's history, which is of other sets then.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from knowledge.coverage import elsewhere_questions
from knowledge.passages import Knowledge
from knowledge.search import Search
from tutor.context import elliptic
from tutor.context.leaning import FEATURES, FITTED, features, load_leaning
from tutor.distill.examples import FOLDER
from tutor.evaluation.items import Item, load_items
from tutor.events import Exchange
from tutor.followup import fill_in, read_in_dialogue, topic_of
from tutor.hashed import hashed_table

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

log = logging.getLogger(__name__)

# Weights: a follow-up, what was written as none, an item behind a history that is not its own: every third, each for three.
_LEANS, _REAL, _MADE = 3.0, 2.0, 1.5
_LEARNER = 1.5  # times that for a follow-up of who had not read the notes: hardly any of these stands alone
_EVERY = 3
_FOLDS = 8
_STRENGTH = 0.3  # of the fit against the pull to equal weights


def fit_elliptic(search: Search) -> None:
    """Which questions sound as if something came before: logistic regression on the teacher's, checked on the tuning part."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    def table(questions: Sequence[str]) -> csr_matrix:
        return hashed_table([elliptic.hints(question, search.mentions) for question in questions], elliptic.BUCKETS)

    rows = list(_asked(search.knowledge))
    model = LogisticRegression(C=0.3, max_iter=400, class_weight="balanced")
    model.fit(table([question for question, _ in rows]), [follows for _, follows in rows])
    weights = model.coef_[0].astype(np.float16)
    np.savez_compressed(elliptic.FITTED, weights=weights, bias=model.intercept_[0])
    elliptic.load_elliptic.cache_clear()
    items = [
        i for i in load_items() if i.half == "tune" and i.intent == "ask" and (i.kind == "followup" or not i.history)
    ]
    area = roc_auc_score(
        [item.kind == "followup" for item in items], table([i.question for i in items]) @ weights.astype(np.float32)
    )
    log.info("sounds like a follow-up: area under the curve %.3f of %d", area, len(items))


def _asked(knowledge: Knowledge) -> Iterator[tuple[str, bool]]:
    """The teacher's questions as learners type them, the notes' own and those of elsewhere, and whether something was said before."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            yield row["question"], bool(row["history"])
    yield from ((ask.text, False) for passage in knowledge.passages for ask in passage.asks)
    yield from ((question, False) for question in elsewhere_questions())


def fit_leaning(search: Search, seed: int = 0) -> None:
    """Logistic regression in the features; logs what is found rightly when fitted on the others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.preprocessing import StandardScaler

    rows = [row for case in _cases([i for i in load_items() if i.half == "tune"], seed) if (row := _row(*case, search))]
    x = np.array([row for row, _, _ in rows])
    y, weight = np.array([leans for _, leans, _ in rows]), np.array([weight for _, _, weight in rows])
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=_STRENGTH, max_iter=2000)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    said = cross_val_predict(model, scaler.transform(x), y, cv=folds, params={"sample_weight": weight})
    log.info(
        "leaning questions told at %.3f of %d, others at %.3f of %d written and %.3f of %d put behind a history",
        *(
            figure
            for kind in (y, ~y & (weight == _REAL), ~y & (weight == _MADE))
            for figure in ((said == y)[kind].mean(), kind.sum())
        ),
    )
    model.fit(scaler.transform(x), y, sample_weight=weight)
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - weights @ scaler.mean_)
    fitted = {"weights": dict(zip(FEATURES, map(float, weights.round(4)), strict=True)), "bias": round(bias, 4)}
    FITTED.write_text(json.dumps(fitted, indent=1) + "\n")
    load_leaning.cache_clear()


def _cases(items: Sequence[Item], seed: int) -> Iterator[tuple[str, Sequence[Exchange], bool, float]]:
    """Question, history, whether it leans, and its weight."""
    rng = random.Random(seed)
    histories = [(item.history, _sets(item)) for item in items if item.kind == "followup"]
    for place, item in enumerate(items):
        if item.intent != "ask":
            continue
        if item.kind == "followup":
            yield item.question, item.history, True, (_LEARNER if item.learner else 1.0) * _LEANS
        elif item.history:
            yield item.question, item.history, False, _REAL
        elif (item.must or not item.covered) and place % _EVERY == 0:
            others = [history for history, sets in histories if not sets & _sets(item)]
            yield item.question, rng.choice(others), False, _MADE


def _sets(item: Item) -> frozenset[str]:
    return frozenset(name.partition("#")[0] for name in item.relevant)


def _row(
    question: str, history: Sequence[Exchange], leans: bool, weight: float, search: Search
) -> tuple[tuple[float, ...], bool, float] | None:
    topic = topic_of(history, search)
    if topic is None:
        return None
    question = " ".join(question.split())
    filled_in = fill_in(question, topic, search.mentions)
    read = read_in_dialogue(question, topic, history[-1].tutor, search)
    return features(question, filled_in, topic.concept.id, search, read), leans, weight
