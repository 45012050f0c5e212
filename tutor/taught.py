"""What a teacher answered to questions like this one: votes for sentences, beside what the model makes of the wording.

The teacher's examples (tutor/distill/examples/) train the adapter; their questions are searched here as well. A sentence that answered
a near question gains weight, as stored contexts vote for what comes next in kNN language models (Khandelwal et al.
2019, arXiv:1911.00172).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from knowledge.passages import Ask, Polarity
from knowledge.projection import load_projection, project
from tutor.distill.examples import Example

Reference = tuple[str, int]
"""Passage id and sentence number."""


@dataclass(frozen=True)
class Votes:
    """Cosine of the nearest taught question that a sentence answered: as the first one, or anywhere. Likewise Yes and No.

    `passages` are those that any taught question is about; of the others the votes say nothing.
    """

    first: Mapping[Reference, float] = field(default_factory=dict)
    anywhere: Mapping[Reference, float] = field(default_factory=dict)
    polarity: Mapping[Polarity, float] = field(default_factory=dict)
    passages: frozenset[str] = frozenset()


NO_VOTES = Votes()


class Taught:
    """Taught questions and the sentences that answered them. Immutable, so that all learners share it."""

    def __init__(self, examples: Sequence[Example], embedder: Embedder, settled: Sequence[Ask] = ()) -> None:
        """`settled` are further questions with a Yes or No."""
        self._examples = [example for example in examples if example.answer]
        self._embedder, self._projection = embedder, load_projection()
        self._passages = frozenset(name for example in self._examples for name, _ in example.answer)
        self._vectors = self._project([example.query for example in self._examples])
        polar = [Ask(example.query, example.opening) for example in self._examples if example.opening]
        self._polar = [*polar, *(ask for ask in settled if ask.polarity)]
        self._polar_vectors = self._project([ask.text for ask in self._polar])

    def votes(self, query: str) -> Votes:
        """The votes of all taught questions; the same question itself votes with 1."""
        first: dict[Reference, float] = {}
        anywhere: dict[Reference, float] = {}
        if not self._examples:
            return NO_VOTES
        vector = self._project([query])[0]
        scores = self._vectors @ vector
        for i in np.argsort(scores):  # the nearest last, so that it overwrites
            example, score = self._examples[i], float(scores[i])
            first[example.answer[0]] = score
            anywhere.update(dict.fromkeys(example.answer, score))
        polar_scores = self._polar_vectors @ vector
        polarity = {self._polar[i].polarity: float(polar_scores[i]) for i in np.argsort(polar_scores)}
        return Votes(first, anywhere, {key: value for key, value in polarity.items() if key}, self._passages)

    def _project(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return project(self._embedder.embed(texts), self._projection)
