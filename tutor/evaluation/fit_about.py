"""Fit tutor/experiments/about.npz: whether a question behind an experiment is about that run, about two, or about the subject.

Learned from tutor/experiments/about.tsv: the experiment, the label, the question. `python -m tutor.evaluation.fit_about` logs how often that is told right by models that saw no question behind the same experiment.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demos import DEMOS
from knowledge.embedder import Embedder, RememberingEmbedder
from tutor.engines.large_encoder import WEIGHTS
from tutor.engines.wheels import sha256_of
from tutor.experiments.about import FITTED, SUBJECTS, About, Subject
from tutor.open import open_encoder
from tutor.settings import Settings

log = logging.getLogger(__name__)

LABELLED = Path(__file__).parents[1] / "experiments" / "about.tsv"
_LOOSE = 3.0  # inverse regularisation


@dataclass(frozen=True)
class Labelled:
    """A question, the experiment that it came behind, and what it is about."""

    experiment: str
    subject: Subject
    question: str


def load_labelled(path: Path = LABELLED) -> list[Labelled]:
    """Every line; raises ValueError with its number for an unknown experiment or label."""
    known, rows = {demo.name for demo in DEMOS}, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("# "):
            continue
        experiment, label, question = line.split("\t")
        subject = next((subject for subject in SUBJECTS if subject == label), None)
        if experiment not in known or subject is None:
            raise ValueError(f"{path}:{number}: expected an experiment and one of {SUBJECTS}, got {line!r}")
        rows.append(Labelled(experiment, subject, question))
    return rows


def fit(rows: Sequence[Labelled], embedder: Embedder) -> About:
    from sklearn.linear_model import LogisticRegression

    labels = [SUBJECTS.index(row.subject) for row in rows]
    fitted = LogisticRegression(C=_LOOSE, max_iter=3000).fit(embedder.embed([row.question for row in rows]), labels)
    return About(embedder, fitted.coef_.astype(np.float32), fitted.intercept_.astype(np.float32))


def validate(rows: Sequence[Labelled], embedder: Embedder) -> Counter[str]:
    """How questions are read by models that were fitted on those behind other experiments."""
    told: Counter[str] = Counter()
    for name in dict.fromkeys(row.experiment for row in rows):
        model = fit([row for row in rows if row.experiment != name], embedder)
        told.update(f"{row.subject} read as {model.read(row.question)}" for row in rows if row.experiment == name)
    return told


def fit_about(embedder: Embedder) -> None:
    """Fit anew, and log how well questions behind another experiment are read."""
    embedder, rows = RememberingEmbedder(embedder), load_labelled()
    for what, times in sorted(validate(rows, embedder).items()):
        log.info("%s: %d", what, times)
    model = fit(rows, embedder)
    encoder = np.array(sha256_of(WEIGHTS))
    np.savez_compressed(FITTED, encoder=encoder, weights=model.weights.astype(np.float16), bias=model.bias)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    fit_about(open_encoder(Settings.from_environ()))


if __name__ == "__main__":
    main()
