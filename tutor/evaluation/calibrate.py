"""Fit knowledge/coverage.json and tutor/manner.npz (`make calibrate`, some minutes): is it a question, and do the notes cover it?

Covered questions are the teacher's and those of the labelled set's tuning half; not covered are knowledge/elsewhere.txt, each
measured against the others, and the tuning half's. The threshold makes refusals as precise as complete on the tuning half. The reported half
takes no part. fit_manner.py fits what is no question.
"""

from __future__ import annotations

import json
import logging

import numpy as np

from knowledge.coverage import FEATURES, FITTED, Coverage, elsewhere_questions
from knowledge.search import Search
from tutor.distill.examples import load_examples
from tutor.evaluation.fit_manner import fit_manner
from tutor.evaluation.items import load_items
from tutor.followup import make_standalone
from tutor.open import open_search
from tutor.settings import Settings

log = logging.getLogger(__name__)

_TUNING_WEIGHT = 3.0  # a labelled question counts as three: it is nearer to what learners type


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    search = open_search(Settings.from_environ(), coverage=Coverage((0.0,) * len(FEATURES), 0.0))
    fit_coverage(search)
    fit_manner(search)


def fit_coverage(search: Search) -> None:
    """A logistic model of the features; its threshold is moved into the bias."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    taught = [(search.features(e.query), 1) for e in load_examples(search.knowledge) if e.answer]
    strange = [(search.features(question, leave_out=i), 0) for i, question in enumerate(elsewhere_questions())]
    tuning = [
        (
            search.features(make_standalone(i.question, i.history, search.knowledge, search.mentions).query),
            int(i.covered),
        )
        for i in load_items()
        if i.half == "tune" and i.intent == "ask"
    ]
    rows = [*taught, *strange, *tuning]
    x, y = np.array([row for row, _ in rows]), np.array([label for _, label in rows])
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(class_weight="balanced")
    weight = np.array([1.0] * (len(taught) + len(strange)) + [_TUNING_WEIGHT] * len(tuning))
    model.fit(scaler.transform(x), y, sample_weight=weight)
    scores = model.decision_function(scaler.transform(x[-len(tuning) :]))
    refused = y[-len(tuning) :] == 0
    threshold = max(np.unique(scores), key=lambda t: _lesser(scores < t, refused))
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - weights @ scaler.mean_ - threshold)
    fitted = {"weights": dict(zip(FEATURES, map(float, weights.round(4)), strict=True)), "bias": round(bias, 4)}
    FITTED.write_text(json.dumps(fitted, indent=1) + "\n")
    log.info("precision and recall of refusals on the tuning half: at least %.3f", _lesser(scores < threshold, refused))


def _lesser(said: np.ndarray, true: np.ndarray) -> float:
    """The lesser of precision and recall: a question refused in error is as bad as one answered in error."""
    return float((said & true).sum() / max(1, said.sum(), true.sum()))


if __name__ == "__main__":
    main()
