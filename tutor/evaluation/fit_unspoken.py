"""Fit tutor/choosing/unspoken.npz, part of `make calibrate`: which messages want a difference told whole, or a picture from daily life, and which something narrower.

From wishes/*.jsonl, written for it by people who saw neither notes nor tutor, and the teacher's questions: those that she answered with a picture, give or take
a sentence of what would be told (tutor/choosing/whole.py), and of the others a part. wishes/fresh.jsonl takes no part; what is made of it is told.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.mentions import Mentions
from knowledge.passages import Passage
from knowledge.search import Search
from tutor.choosing.unspoken import BUCKETS, DIMENSION, FITTED, SURE, WISHES, Fitted, hints, masked_question
from tutor.choosing.whole import sentences_about, sides_asked
from tutor.distill.examples import Example, load_examples
from tutor.hashed import hashed_table

log = logging.getLogger(__name__)

WRITTEN = Path(__file__).parent / "wishes"
_OTHERS = 20_000  # the teacher's questions that want neither: a part of them is enough
_COUNTS = 10.0  # times as much as hers counts a message that was written for this
_MEANING, _WORDS = 3.0, 0.5  # scales at which the ridge weighs on meaning and words alike
_NONE = len(WISHES)


def fit_unspoken(search: Search) -> None:
    """Multinomial logistic regression."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    written = [row for path in sorted(WRITTEN.glob("[!f]*.jsonl")) for row in read_wishes(path)]
    told = _taught(search)
    queries = [query for query, _ in (*written, *told)]
    masked = [masked_question(query, search.mentions) for query in queries]
    words = hashed_table(
        [hints(query, text, search.mentions) for query, text in zip(queries, masked, strict=True)], BUCKETS
    )
    table = hstack([csr_matrix(_embedded(masked, search) * _MEANING), words * _WORDS]).tocsr()
    model = LogisticRegression(max_iter=600)
    weights = [_COUNTS] * len(written) + [1.0] * len(told)
    model.fit(table, [kind for _, kind in (*written, *told)], sample_weight=weights)
    fitted = Fitted(
        (model.coef_[:, :DIMENSION] * _MEANING).astype(np.float16),
        (model.coef_[:, DIMENSION:] * _WORDS).astype(np.float16),
        model.intercept_.astype(np.float32),
    )
    np.savez_compressed(FITTED, meaning=fitted.meaning, words=fitted.words, bias=fitted.bias)
    _tell(read_wishes(WRITTEN / "fresh.jsonl"), fitted, search)


def read_wishes(path: Path) -> list[tuple[str, int]]:
    """Messages, each with the place of its wish in WISHES, or behind the last for none."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [(row["question"], WISHES.index(row["wish"]) if row["wish"] in WISHES else _NONE) for row in rows]


def _taught(search: Search) -> list[tuple[str, int]]:
    passages = {passage.id: passage for passage in search.knowledge.passages}
    examples = [example for example in load_examples(search.knowledge) if example.answer]
    pictures = [example.query for example in examples if _is_picture(example, passages, search.mentions)]
    others = [
        example.query for example in examples if all(passages[name].kind not in WISHES for name, _ in example.answer)
    ]
    others = random.Random(0).sample(others, min(_OTHERS, len(others)))
    return [(query, WISHES.index("analogy")) for query in pictures] + [(query, _NONE) for query in others]


def _is_picture(example: Example, passages: Mapping[str, Passage], mentions: Mentions) -> bool:
    """Who asks for a detail of a picture wants that detail."""
    passage = passages[example.answer[0][0]]
    if passage.kind != "analogy":
        return False
    told = sentences_about(passage, sides_asked(example.query, passage, mentions), mentions)
    return len({*told} ^ {number for name, number in example.answer if name == passage.id}) <= 1


def _tell(rows: Sequence[tuple[str, int]], fitted: Fitted, search: Search) -> None:
    masked = [masked_question(query, search.mentions) for query, _ in rows]
    vectors = _embedded(masked, search)
    odds = np.array(
        [
            fitted.log_odds(vector, hints(query, text, search.mentions))
            for (query, _), text, vector in zip(rows, masked, vectors, strict=True)
        ]
    )
    kinds = np.array([kind for _, kind in rows])
    for i, wish in enumerate(WISHES):
        said, right = odds[:, i] > SURE, kinds == i
        log.info(
            "wants a %s: found %.3f of %d, and %d of %d others",
            wish,
            said[right].mean(),
            right.sum(),
            said[~right].sum(),
            (~right).sum(),
        )


def _embedded(texts: Sequence[str], search: Search) -> NDArray[np.float32]:
    distinct = list(dict.fromkeys(texts))
    vectors = dict(zip(distinct, search.embedder.embed(distinct), strict=True))
    return np.stack([vectors[text] for text in texts])
