"""Fit knowledge/coverage.json, in tutor/ context/elliptic.npz and leaning.json, requests/manner.npz, verdict/closed.npz and agreement.npz, choosing/several.npz and unspoken.npz (`make calibrate`, with choosing.py and checking.py about an hour): do
the notes cover a question, does it lean on another, is it one at all, are there several, is a picture wanted, and Yes or No?

Coverage and leaning are fitted on the labelled set's tuning part, most others on the teacher's questions. The threshold of coverage makes refusals as precise as
complete on the tuning part. The reported part takes no part. fit_manner.py fits what is no question, fit_replies.py what a reply to a question of the tutor's means.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from knowledge.coverage import FEATURES, FITTED, READ, load_coverage
from knowledge.passages import Knowledge
from knowledge.search import Search
from tutor.choosing import several
from tutor.choosing.outputs import doubt_of
from tutor.choosing.taught import Reads
from tutor.context.leaning import FEATURES as LEANING_FEATURES
from tutor.context.leaning import FITTED as FITTED_LEANING
from tutor.context.leaning import load_leaning
from tutor.distill.examples import load_examples
from tutor.distill.keyed import LEARNER
from tutor.distill.pairs import questions
from tutor.evaluation.fit_about import fit_about
from tutor.evaluation.fit_leaning import fit_elliptic, fit_leaning
from tutor.evaluation.fit_manner import fit_manner
from tutor.evaluation.fit_replies import fit_replies
from tutor.evaluation.fit_unspoken import fit_unspoken
from tutor.evaluation.items import load_items
from tutor.followup import make_standalone
from tutor.hashed import hashed_table
from tutor.open import open_classifier, open_encoder, open_search
from tutor.requests.parts import without_topic
from tutor.settings import Settings
from tutor.verdict import agreement
from tutor.verdict.closed import BUCKETS, hints
from tutor.verdict.closed import FITTED as FITTED_CLOSED
from tutor.verdict.polarity import by_rule

log = logging.getLogger(__name__)

_LEARNER = 6.0  # times that a message of who had not read the notes counts
_HABIT = 3.0  # size of the sign of a round of teaching, so that its weight is cheap
_OTHERS = 3  # of the questions that no learner typed, one in so many tells what the notes cover
_SENSE = 3.0  # size of an embedding beside the log-odds by words, so that its weights are cheap


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    begin_where_features_changed()
    settings = Settings.from_environ()
    search, encoder = open_search(settings), open_encoder(settings)
    fit_elliptic(search)
    fit_coverage(search, open_classifier(settings, search.knowledge, encoder))
    search = open_search(settings)  # with the coverage just fitted
    fit_leaning(search)
    fit_manner(search.knowledge, encoder)
    fit_replies(search.knowledge, encoder)
    fit_about(encoder)
    fit_closed(search)
    fit_several(search)
    fit_unspoken(search)
    fit_agreement(search.knowledge)


def begin_where_features_changed() -> None:
    """Each fit looks at questions as the others make them; one whose features are new begins with no weight on any."""

    def nothing(features: Sequence[str]) -> dict[str, Any]:
        return {"weights": dict.fromkeys(features, 0.0), "bias": 0.0}

    coverage = {"learned": nothing(FEATURES), "untaught": nothing(FEATURES[:-1]), "read": nothing((*FEATURES, *READ))}
    for load, path, unfitted in (
        (load_coverage, FITTED, coverage),
        (load_leaning, FITTED_LEANING, nothing(LEANING_FEATURES)),
    ):
        try:
            load()
        except (OSError, ValueError):
            path.write_text(json.dumps(unfitted))
            load_leaning.cache_clear()


def fit_agreement(knowledge: Knowledge) -> None:
    """Yes or No by words: logistic regression on the teacher's yes/no questions, a tenth of the sentences kept aside for the figure."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    pairs = list(questions(knowledge))
    found = [agreement.hints(pair.question, pair.sentence) for pair in pairs]
    places = [[i, bucket] for i, hints_ in enumerate(found) for bucket, _ in hints_]
    values = [value for hints_ in found for _, value in hints_]
    x = csr_matrix((values, np.array(places).T), shape=(len(pairs), agreement.BUCKETS))
    y = np.array([pair.yes for pair in pairs])
    aside = np.array([crc32(pair.sentence.encode()) % 10 == 0 for pair in pairs])
    model = LogisticRegression(C=0.5, max_iter=400).fit(x[~aside], y[~aside])
    log.info(
        "yes or no by words: right for %.3f of %d questions on other sentences",
        model.score(x[aside], y[aside]),
        sum(aside),
    )
    model.fit(x, y)
    weights = model.coef_[0].astype(np.float16)
    np.savez_compressed(agreement.FITTED, weights=weights, bias=model.intercept_[0])


def fit_closed(search: Search) -> None:
    """Which questions want a Yes or No: logistic regression on the teacher's, by words, then by sense and what the words of the others tell; checked on the tuning part.

    What learners typed who had not read the notes counts `_LEARNER` times: they ask "A or B?" and "why isn't it …?" where the teacher asked for Yes or No.
    """
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold, cross_val_predict

    def table(queries: Sequence[str]) -> csr_matrix:
        return hashed_table([hints(query, by_rule(query)) for query in queries], BUCKETS)

    def sense(queries: Sequence[str]) -> NDArray[np.float32]:
        return _SENSE * search.embedder.embed([without_topic(query) for query in queries])

    examples = [example for example in load_examples(search.knowledge) if example.answer]
    queries, polar = [example.query for example in examples], [bool(example.opening) for example in examples]
    counts = np.array([_LEARNER if example.id.startswith(LEARNER) else 1.0 for example in examples])
    words, meant = LogisticRegression(C=0.1, solver="liblinear"), LogisticRegression(C=0.1, max_iter=1000)
    folds, hashed, weighed = KFold(5, shuffle=True, random_state=0), table(queries), {"sample_weight": counts}
    told = cross_val_predict(words, hashed, polar, cv=folds, method="decision_function", params=weighed)
    meant.fit(np.column_stack([told, sense(queries)]), polar, **weighed)
    words.fit(hashed, polar, **weighed)
    np.savez(
        FITTED_CLOSED,
        weights=words.coef_[0].astype(np.float16),
        bias=words.intercept_[0],
        steepness=meant.coef_[0, 0],
        sense=(_SENSE * meant.coef_[0, 1:]).astype(np.float32),
        sense_bias=meant.intercept_[0],
    )
    items = [item for item in load_items() if item.half == "tune" and item.must]
    asked = [item.standalone or item.question for item in items]  # as a reader put follow-ups
    wanted = [item.polarity is not None for item in items]
    beside = np.column_stack([words.decision_function(table(asked)), sense(asked)])
    log.info(
        "wants yes or no: right for %.3f of %d, by words alone %.3f, by rule alone %.3f",
        *(meant.score(beside, wanted), len(items), words.score(table(asked), wanted)),
        float(np.mean([by_rule(query) == want for query, want in zip(asked, wanted, strict=True)])),
    )


def fit_several(search: Search) -> None:
    """Which questions want several sentences: logistic regression on the teacher's, checked on the tuning part.

    Her rounds differ in how much she says, which a weight for each round takes up; a question of nowhere has none. Fitted on learners' messages alone (C of 0.01) it tells better which of 704 want several, an area of 0.792 instead of 0.764;
    but with weights of the end fitted to that, of 411 of them 0.711 were answered completely and 0.650 without a needless sentence, or 0.691 and 0.659 where an answer ended more readily, beside 0.701 and 0.667 as it ships: left. C of 0.03 has 0.803,
    with hints of the sentence said first 0.805, and MiniLM, four of its layers trained for it once through 20,000 messages of learners, 0.784 (0.809 beside the words); but by the exam's rule, which finds a second point more often, none of these has more than 0.73 on learners-d.jsonl.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    def table(queries: Sequence[str]) -> csr_matrix:
        return hashed_table([several.hints(query, search.mentions) for query in queries], several.BUCKETS)

    examples = [example for example in load_examples(search.knowledge) if example.answer]
    rounds = [re.sub(r"[^a-z].*", "", example.id) for example in examples]
    names = sorted(set(rounds))
    habits = (np.full(len(rounds), _HABIT), (np.arange(len(rounds)), [names.index(name) for name in rounds]))
    x = hstack([table([e.query for e in examples]), csr_matrix(habits, shape=(len(rounds), len(names)))]).tocsr()
    model = LogisticRegression(C=0.1, max_iter=400).fit(x, [len(e.answer) > 1 for e in examples])
    weights = model.coef_[0, : several.BUCKETS].astype(np.float16)
    np.savez_compressed(several.FITTED, weights=weights, bias=model.intercept_[0])
    items = [item for item in load_items() if item.half == "tune" and item.must]
    queries = [item.standalone or item.question for item in items]  # as a reader put follow-ups
    area = roc_auc_score([len(item.must) > 1 for item in items], table(queries) @ weights.astype(np.float32))
    log.info("asks several things: area under the curve %.3f of %d", area, len(items))


def fit_coverage(search: Search, reads: Reads) -> None:
    """On the tuning part alone: encoder, classifiers and language model were trained on the teacher's questions and on knowledge/elsewhere.txt."""
    items = [item for item in load_items() if item.half == "tune" and item.intent == "ask"]
    others = [item for item in items if not item.learner]
    items = [*(item for item in items if item.learner), *others[::_OTHERS]]
    asked = [make_standalone(item.question, item.history, search) for item in items]
    x = np.array([search.features(standalone.query, standalone.vector) for standalone in asked])
    named = reads.named([standalone.context or standalone.query for standalone in asked])
    read = np.column_stack([x, np.array([doubt_of(one) for one in named])])
    y = np.array([int(item.covered) for item in items])
    fitted = {
        "learned": _fit_logit("covered", FEATURES, x, y),
        "untaught": _fit_logit("covered, as on notes that nobody taught", FEATURES[:-1], x[:, :-1], y),
        "read": _fit_logit("covered, as its readers find", (*FEATURES, *READ), read, y),
    }
    FITTED.write_text(json.dumps(fitted, indent=1) + "\n")


def _fit_logit(name: str, features: Sequence[str], x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Weights and bias of a logistic model, its threshold moved into the bias."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    model = LogisticRegression(class_weight="balanced").fit(scaler.transform(x), y)
    scores, refused = model.decision_function(scaler.transform(x)), y == 0
    threshold = max(np.unique(scores), key=lambda t: _lesser(scores < t, refused))
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - weights @ scaler.mean_ - threshold)
    log.info("%s: precision and recall of refusals at least %.3f", name, _lesser(scores < threshold, refused))
    return {"weights": dict(zip(features, map(float, weights.round(4)), strict=True)), "bias": round(bias, 4)}


def _lesser(said: np.ndarray, true: np.ndarray) -> float:
    """The lesser of precision and recall: a question refused in error is as bad as one answered in error."""
    return float((said & true).sum() / max(1, said.sum(), true.sum()))


if __name__ == "__main__":
    main()
