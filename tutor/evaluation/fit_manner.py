"""Fit tutor/requests/manner.npz: how an utterance is meant, and which experiment a wish for a run is about.

Learned from tutor/requests/utterances.tsv, the labelled set's tuning part and questions that are certainly such. The reported part takes no part.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from knowledge.coverage import elsewhere_questions
from knowledge.embedder import Embedder
from knowledge.passages import Knowledge
from tutor.distill.examples import load_examples
from tutor.engines.large_encoder import WEIGHTS
from tutor.engines.wheels import sha256_of
from tutor.evaluation.items import load_items
from tutor.open import open_encoder, open_knowledge
from tutor.requests.manner import FITTED, MANNERS, utterances, word_weight
from tutor.requests.wording import BUCKETS, buckets_of
from tutor.settings import Settings

log = logging.getLogger(__name__)

_LOOSE = 30.0  # inverse regularisation of the weights
_QUESTION_WEIGHT = 0.1  # of one among thousands of certain questions, which have few forms
_FOLDS = 4
_EVERY = 7  # of the teacher's questions, which are many and certain
_MANNER_OF = {"ask": "question", "demo": "run", "quiz": "quiz"}


def fit_manner(knowledge: Knowledge, embedder: Embedder) -> None:
    """Two softmax regressions on embeddings and words; cross-validation says how often the likeliest label is right."""
    labelled = utterances()
    tuning = [item for item in load_items() if item.half == "tune" and item.intent in _MANNER_OF]
    manners = [(manner, text) for manner, _, text in labelled]
    manners += [(_MANNER_OF[item.intent], item.question) for item in tuning]
    manners += _refused()
    asked = [example.query for example in load_examples(knowledge) if example.answer][::_EVERY]
    asked += [ask.text for passage in knowledge.passages for ask in passage.asks]
    certain = [("question", text) for text in (*asked, *elsewhere_questions())]
    weight = np.array([1.0] * len(manners) + [_QUESTION_WEIGHT] * len(certain))
    experiments = [(experiment, text) for _, experiment, text in labelled if experiment]
    experiments += [(item.demo["name"], item.question) for item in tuning if item.demo is not None]
    names = sorted({name for name, _ in experiments})
    rows = [*manners, *certain]
    vectors = embedder.embed([text for _, text in (*rows, *experiments)])
    np.savez_compressed(
        FITTED,
        encoder=np.array(sha256_of(WEIGHTS)),
        **_fit("manners", MANNERS, rows, weight, vectors[: len(rows)]),
        **_fit("experiments", names, experiments, np.ones(len(experiments)), vectors[len(rows) :]),
    )


def _refused() -> list[tuple[str, str]]:
    """What the tuning part wants refused: orders to the tutor, and where few of the words are any, nothing at all."""
    known = {word for manner, _, text in utterances() if manner != "empty" for word in _words(text)}
    refused = [item.question for item in load_items() if item.half == "tune" and item.intent == "refuse"]
    return [
        ("injection" if 2 * sum(word in known for word in words) >= len(words) else "empty", text)
        for text in refused
        if (words := _words(text))
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{2,}", text.lower())


def _fit(
    name: str,
    labels: Sequence[str],
    rows: Sequence[tuple[str, str]],
    weight: NDArray[np.float64],
    vectors: NDArray[np.float32],
) -> dict[str, Any]:
    """The fitted arrays under `name`, for tutor.requests.manner.load_manner."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    x = _features([text for _, text in rows], vectors)
    y = np.array([labels.index(label) for label, _ in rows])
    model = LogisticRegression(C=_LOOSE, max_iter=300)
    said = cross_val_predict(model, x, y, cv=_FOLDS, params={"sample_weight": weight})
    for kind, label in enumerate(labels):
        right = ((said == kind) & (y == kind)).sum()
        found, true = (said == kind).sum(), (y == kind).sum()
        log.info("%-10s precision %.3f recall %.3f of %d", label, right / max(1, found), right / max(1, true), true)
    model.fit(x, y, sample_weight=weight)
    return {
        name: np.array(labels),
        f"{name}_weights": model.coef_.astype(np.float16),
        f"{name}_bias": model.intercept_.astype(np.float16),
    }


def _features(texts: Sequence[str], vectors: NDArray[np.float32]) -> csr_matrix:
    """Vectors beside the words' buckets, as tutor.requests.manner.Softmax reads them: (texts, dimension + BUCKETS)."""
    found = [buckets_of(text) for text in texts]
    values = np.concatenate([np.full(len(buckets), word_weight(len(buckets))) for buckets in found])
    starts = np.cumsum([0, *map(len, found)])
    words = csr_matrix((values, np.concatenate(found), starts), shape=(len(texts), BUCKETS))
    return csr_matrix(hstack([csr_matrix(vectors), words]))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = Settings.from_environ()
    fit_manner(open_knowledge(settings), open_encoder(settings))


if __name__ == "__main__":
    main()
