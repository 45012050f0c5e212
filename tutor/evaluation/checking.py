"""Fit tutor/judging.json: when is a freely written sentence supported? (`python -m tutor.evaluation.checking`, ten minutes, part of `make calibrate`)

Logistic regression on the evidence for right and faulty free wordings (written/tuning.jsonl; written/fresh.jsonl takes no part). The threshold leaves as many
false alarms as are allowed on answers that the fit has not seen.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from knowledge.search import Search
from tutor.engines.local import LocalEngine
from tutor.engines.weights import ensure_tutor_model
from tutor.evaluation.injection import KINDS, TUNING, trials
from tutor.grounding import Grounding, judgeable
from tutor.judging import EVIDENCE, FITTED, Judge
from tutor.open import open_tutor
from tutor.settings import Settings

log = logging.getLogger(__name__)

_FALSE_ALARMS = 0.10
_FOLDS = 12


@dataclass(frozen=True)
class _Tried:
    """A sentence of a kind and the evidence for it; none if it is not shown anyway."""

    answer: str
    kind: str
    evidence: tuple[float, ...] | None


def fit_judging(search: Search, judge: Judge) -> None:
    """Weigh what `judge`'s models find; its own weights do not matter."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.preprocessing import StandardScaler

    tried = list(_tried(search, judge))
    kinds = np.array([one.kind for one in tried])
    judged = np.array([one.evidence is not None for one in tried])
    right = kinds == "right"
    rows = np.array([one.evidence for one in tried if one.evidence is not None])
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression(C=0.3, class_weight="balanced")
    groups = np.unique([one.answer for one in tried], return_inverse=True)[1]
    unseen = np.full(len(tried), -np.inf)
    unseen[judged] = cross_val_predict(
        model,
        scaler.transform(rows),
        right[judged],
        groups=groups[judged],
        cv=GroupKFold(_FOLDS),
        method="decision_function",
    )
    threshold = float(np.quantile(unseen[right], _FALSE_ALARMS))
    for kind in KINDS:
        log.info("%s: %.3f of %d not shown", kind, (unseen[kinds == kind] < threshold).mean(), (kinds == kind).sum())
    model.fit(scaler.transform(rows), right[judged])
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - weights @ scaler.mean_ - threshold)
    fitted = {**{name: round(float(w), 4) for name, w in zip(EVIDENCE, weights, strict=True)}, "bias": round(bias, 4)}
    FITTED.write_text(json.dumps(fitted, indent=1) + "\n")
    log.info("%s", json.dumps(fitted))


def _tried(search: Search, judge: Judge) -> Iterator[_Tried]:
    for trial in trials(search, TUNING):
        grounding = Grounding(trial.hits, search.embedder, search.mentions, judge)
        scores, order = grounding.nearest(trial.sentence)
        line, near = grounding.lines[order[0]], scores[order[0]]
        evidence = None
        if judgeable(trial.sentence, near, line):
            evidence = judge.evidence(trial.sentence, near, line.text, line.hit.passage.text, search.mentions)
        yield _Tried(trial.id, trial.kind, evidence)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = Settings.from_environ()
    tutor = open_tutor(settings)
    model = LocalEngine.load(ensure_tutor_model(settings.cache, adapter=None), "as published")
    assert tutor.readers is not None
    fit_judging(tutor.search, Judge(model, tutor.readers, (0.0,) * len(EVIDENCE), 0.0))


if __name__ == "__main__":
    main()
