"""Fit tutor/picture.npz, part of `make calibrate`: which questions the teacher answered with a picture from daily life, told whole.

A question counts as one that wants it if what she told are the sentences that would be told (tutor/whole.py), give or take one: who asks for a detail of a
picture wants that detail.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.mentions import Mentions
from knowledge.passages import Passage
from knowledge.search import Search
from tutor.distill.examples import Example, load_examples
from tutor.evaluation.items import load_items
from tutor.hashed import hashed_table
from tutor.picture import BUCKETS, DIMENSION, FITTED, hints, masked_question
from tutor.whole import sentences_about, sides_asked

log = logging.getLogger(__name__)

_OTHERS = 20_000  # questions that want none: a part of them is enough
_MEANING, _WORDS = 3.0, 0.5  # scales at which the ridge weighs on meaning and words alike


def fit_picture(search: Search) -> None:
    """Logistic regression; what it makes of the labelled set's tuning part, which takes no part, is told."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    def table(queries: Sequence[str]) -> csr_matrix:
        masked = [masked_question(query, search.mentions) for query in queries]
        words = hashed_table([hints(text) for text in masked], BUCKETS)
        return hstack([csr_matrix(_embedded(masked, search) * _MEANING), words * _WORDS]).tocsr()

    passages = {passage.id: passage for passage in search.knowledge.passages}
    kinds = {name: passage.kind for name, passage in passages.items()}
    examples = [example for example in load_examples(search.knowledge) if example.answer]
    wanted = [example for example in examples if _is_picture(example, passages, search.mentions)]
    others = [example for example in examples if not any(kinds[name] == "analogy" for name, _ in example.answer)]
    others = random.Random(0).sample(others, min(_OTHERS, len(others)))
    model = LogisticRegression(max_iter=400)
    model.fit(table([e.query for e in (*wanted, *others)]), [True] * len(wanted) + [False] * len(others))
    np.savez_compressed(
        FITTED,
        meaning=(model.coef_[0, :DIMENSION] * _MEANING).astype(np.float16),
        weights=(model.coef_[0, DIMENSION:] * _WORDS).astype(np.float16),
        bias=model.intercept_[0],
    )
    items = [item for item in load_items() if item.half == "tune" and item.must and not item.history]
    pictures = np.array([all(kinds[r.rpartition(":")[0]] == "analogy" for r in item.must[0]) for item in items])
    said = model.predict(table([item.question for item in items]))
    log.info(
        "wants a picture: found %.3f of %d, and of %d others %.4f",
        said[pictures].mean(),
        pictures.sum(),
        (~pictures).sum(),
        said[~pictures].mean(),
    )


def _is_picture(example: Example, passages: Mapping[str, Passage], mentions: Mentions) -> bool:
    passage = passages[example.answer[0][0]]
    if passage.kind != "analogy":
        return False
    told = sentences_about(passage, sides_asked(example.query, passage, mentions), mentions)
    return len({*told} ^ {number for name, number in example.answer if name == passage.id}) <= 1


def _embedded(texts: Sequence[str], search: Search) -> NDArray[np.float32]:
    distinct = list(dict.fromkeys(texts))
    vectors = dict(zip(distinct, search.embedder.embed(distinct), strict=True))
    return np.stack([vectors[text] for text in texts])
