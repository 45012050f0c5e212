"""Fit knowledge/coverage.json (`make calibrate`, seconds): when do the notes cover a question?

Covered questions are the teacher's and those of the labelled set's tuning half; not covered are knowledge/elsewhere.txt, each
measured against the others, and the tuning half's. The threshold is the best F1 of refusals on the tuning half. The
reported half takes no part.
"""

from __future__ import annotations

import json
import logging

import numpy as np

from knowledge.coverage import FEATURES, FITTED, Coverage, elsewhere_questions
from tutor.distill.examples import load_examples
from tutor.evaluation.items import load_items
from tutor.followup import make_standalone
from tutor.open import open_search
from tutor.settings import Settings

log = logging.getLogger(__name__)

_TUNING_WEIGHT = 3.0  # a labelled question counts as three: it is nearer to what learners type


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    search = open_search(Settings.from_environ(), coverage=Coverage((0.0,) * len(FEATURES), 0.0))
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
    threshold = max(np.unique(scores), key=lambda t: _f1(scores < t, refused))
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - weights @ scaler.mean_ - threshold)
    fitted = {"weights": dict(zip(FEATURES, map(float, weights.round(4)), strict=True)), "bias": round(bias, 4)}
    FITTED.write_text(json.dumps(fitted, indent=1) + "\n")
    log.info("F1 of refusals on the tuning half: %.3f; written to %s", _f1(scores < threshold, refused), FITTED)


def _f1(said: np.ndarray, true: np.ndarray) -> float:
    return float(2 * (said & true).sum() / max(1, said.sum() + true.sum()))


if __name__ == "__main__":
    main()
