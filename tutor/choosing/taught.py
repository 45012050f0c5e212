"""What a teacher answered to questions like this one: votes for what an answer says next, beside what the model makes of the wording.

The teacher's examples (tutor/distill/examples/) train the adapter; their questions are searched here as well. As in nearest-neighbour
language models (Khandelwal et al. 2019, arXiv:1911.00172), stored contexts vote for what follows, with sentences in the place
of tokens: after the sentences said so far, the teacher's answers that hold them all vote for their other sentences, or for ending there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.classifier import AnswerWords
from knowledge.embedder import Embedder, RememberingEmbedder
from knowledge.passages import Ask, Polarity, Reference
from knowledge.search import Part, embed_read
from tutor.choosing.outputs import Behind, Named, doubt_of
from tutor.choosing.shared_words import SharedWords
from tutor.compute import Together
from tutor.distill.examples import Example

SHARPNESS = 0.08  # cosine by which a question must be nearer for its vote to count e times as much
SAYS = 0.76  # the vote of a twentieth of what might answer
SILENCE = 0.2  # the vote for what no near question was answered with


class Reads(Protocol):
    """What learned the taught questions and reads a new one (tutor/choosing/causal_classifier.py, tutor/choosing/encoder_classifier.py)."""

    def load(self) -> None: ...

    def named(self, texts: Sequence[str]) -> list[Named]: ...

    def behind(self, text: str, said: Sequence[Reference]) -> Behind | None: ...


@dataclass(frozen=True)
class Votes:
    """Votes on the scale of cosines: the nearest question's, raised a little where many say the same.

    `first` holds the votes for each sentence to come first, `words` the same by shared words, `learned` what was learned of them from all taught questions, `read` what language model and encoder make of the question that learned them (both are `first` for what they do not know), `held` those for it to come anywhere, `polarity` those for Yes and No. `examples` and `weights` are the teacher's
    answers with what each one counts. `passages` are those that any taught question is about; of others the votes say nothing. Where `query`
    asks several things, `parts` holds the votes of each; `vector` is what was compared, `doubt` whether these find it answered at all (knowledge/coverage.py: READ), and `reads_on` asks that further.
    """

    query: str = ""
    vector: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    first: Mapping[Reference, float] = field(default_factory=dict)
    words: Mapping[Reference, float] = field(default_factory=dict)
    learned: Mapping[Reference, float] = field(default_factory=dict)
    read: Mapping[Reference, float] = field(default_factory=dict)
    held: Mapping[Reference, float] = field(default_factory=dict)
    polarity: Mapping[Polarity, float] = field(default_factory=dict)
    passages: frozenset[str] = frozenset()
    examples: Sequence[Example] = ()
    weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    holding: Mapping[Reference, NDArray[np.int64]] = field(default_factory=dict)
    parts: tuple[Votes, ...] = ()
    doubt: tuple[float, float] | None = None
    reads_on: Callable[[tuple[Reference, ...]], Behind | None] | None = field(default=None, compare=False, repr=False)

    def behind(self, said: tuple[Reference, ...]) -> Behind | None:
        """What the language model reads behind these sentences as an answer; None where nothing is known of one. Raises as Taught.load does."""
        return self.reads_on(said) if self.reads_on else None

    def after(self, said: Collection[Reference]) -> tuple[Mapping[Reference, float], float]:
        """The votes for each sentence to come next, and for ending, once some sentences are said."""
        known = [self.holding[reference] for reference in said if reference in self.holding]
        if len(known) < len(said) or not known:
            return {}, SILENCE
        shared = known[0]
        for others in known[1:]:
            shared = np.intersect1d(shared, others)
        more: dict[Reference, float] = {}
        end = 0.0
        for i in shared:
            answer, weight = self.examples[int(i)].answer, float(self.weights[i])
            end += weight if len(answer) == len(said) else 0.0
            for reference in answer:
                if reference not in said:
                    more[reference] = more.get(reference, 0.0) + weight
        return {reference: _vote(weight) for reference, weight in more.items()}, _vote(end)

    def passages_read(self) -> frozenset[str]:
        """The passage of the sentence that votes and readers find likeliest, for each part, unless that says little: a question about notes that nobody taught."""
        of_each = [max(v.read.items(), key=itemgetter(1)) for v in self.parts or (self,) if v.read]
        return frozenset(name for (name, _), vote in of_each if vote >= SAYS)


NO_VOTES = Votes()
_UNREAD = Named({}, 0.0)


class Taught:
    """Taught questions and the sentences that answered them. Thread-safe, so that all learners share it."""

    def __init__(
        self,
        examples: Sequence[Example],
        tuned: Embedder,
        settled: Sequence[Ask] = (),
        learned: AnswerWords | None = None,
        reads: Reads | None = None,
        words: Path | None = None,
    ) -> None:
        """`tuned` embeds questions with the same answer near each other; `settled` are further questions with a Yes or No; `learned` goes by words, and `reads` by what models make of them. In the file `words` is kept what was counted of the questions."""
        self._examples = [example for example in examples if example.answer]
        self._tuned, self._learned, self._reads = tuned, learned, reads
        self._passages = frozenset(name for example in self._examples for name, _ in example.answer)
        polar = [(i, example.opening) for i, example in enumerate(self._examples) if example.opening]
        further = [ask for ask in settled if ask.polarity]
        asked = [*(example.query for example in self._examples), *(ask.text for ask in further)]
        self._vectors, self._row = _table(tuned, asked)
        self._polar = np.array([*(i for i, _ in polar), *range(len(self._examples), len(asked))], dtype=np.int64)
        self._yes = np.array([*(o == "yes" for _, o in polar), *(ask.polarity == "yes" for ask in further)], dtype=bool)
        self._together = Together(self._cosines)
        self._words = SharedWords([example.query for example in self._examples], words)
        holding: dict[Reference, list[int]] = {}
        for i, example in enumerate(self._examples):
            for reference in dict.fromkeys(example.answer):
                holding.setdefault(reference, []).append(i)
        self._holding = {reference: np.array(places, dtype=np.int64) for reference, places in holding.items()}
        self._held = np.repeat(np.arange(len(self._holding)), [len(places) for places in self._holding.values()])
        self._holders = np.concatenate([*self._holding.values(), np.zeros(0, dtype=np.int64)])
        self._openers = list(dict.fromkeys(example.answer[0] for example in self._examples))
        place = {reference: i for i, reference in enumerate(self._openers)}
        self._first = np.array([place[example.answer[0]] for example in self._examples], dtype=np.int64)

    def load(self) -> None:
        """Load what is only loaded when it is first asked. Raises EngineError or WeightsError if it cannot be."""
        if self._reads is not None:
            self._reads.load()

    def votes(
        self,
        query: str,
        parts: Sequence[Part] = (),
        vector: NDArray[np.float32] | None = None,
        context: str = "",
    ) -> Votes:
        """The votes of all taught questions, for the whole question and for each of its parts; the same question itself votes with 1.

        `vector` stands for a follow-up, as it was read with what came before it, and `context` is the text of both, as a part has its own. Raises as `load` does.
        """
        if not self._examples:
            return NO_VOTES
        vectors = embed_read([(query, vector), *((part.text, part.vector) for part in parts)], self._tuned)
        texts = (query, *(part.text for part in parts))
        contexts = (context or query, *(part.context or part.text for part in parts))
        read = self._reads.named(contexts) if self._reads else [_UNREAD] * len(texts)
        whole, *voted = (
            self._votes_of(*each) for each in zip(texts, vectors, self._together.ask(vectors), read, strict=True)
        )
        reads_on = cache(partial(self._reads.behind, contexts[0])) if self._reads else None
        doubt = doubt_of(read[0]) if read[0].shares else None
        return replace(whole, parts=tuple(voted), doubt=doubt, reads_on=reads_on)

    def _cosines(self, lots: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Of each lot of vectors (n, dimension) with all questions (n, questions): a class's in one go, as reading the questions takes longest."""
        import torch

        vectors = torch.from_numpy(np.concatenate(lots))
        # One column alone would be multiplied on one core, and a column that is the other one's very memory takes three times as long.
        columns = (vectors if len(vectors) > 1 else vectors.repeat(2, 1)).T
        cosines = (torch.from_numpy(self._vectors) @ columns).T.contiguous().numpy()[: len(vectors)]
        return np.split(np.take(cosines, self._row, axis=1), np.cumsum([len(lot) for lot in lots])[:-1])

    def _votes_of(
        self,
        query: str,
        vector: NDArray[np.float32],
        cosines: NDArray[np.float32],
        read: Named,
    ) -> Votes:
        weights = _weights(cosines[: len(self._examples)])
        sums = _votes(np.bincount(self._first, weights, len(self._openers)))
        held = _votes(np.bincount(self._held, weights[self._holders], len(self._holding)))
        shared = self._words.cosines(query)
        near = np.flatnonzero(shared > SILENCE)
        alike = _votes(np.bincount(self._first[near], _weights(shared[near]), len(self._openers)))
        polar = _weights(cosines[self._polar])
        sides: tuple[tuple[Polarity, NDArray[np.bool_]], ...] = (("yes", self._yes), ("no", ~self._yes))
        first = dict(zip(self._openers, sums.tolist(), strict=True))
        return Votes(
            query=query,
            vector=vector,
            first=first,
            words=dict(zip(self._openers, alike.tolist(), strict=True)),
            learned={**first, **self._learned_of(query)},
            read={**first, **_scaled(read.shares)},
            held=dict(zip(self._holding, held.tolist(), strict=True)),
            polarity={side: _vote(float(polar[answered].sum())) for side, answered in sides if answered.any()},
            passages=self._passages,
            examples=self._examples,
            weights=weights,
            holding=self._holding,
        )

    def _learned_of(self, query: str) -> dict[Reference, float]:
        """On the votes' scale; of an edited sentence, which the classifier does not know, there is none, and its vote stands for it."""
        if self._learned is None:
            return {}
        return _scaled(dict(zip(self._learned.references, self._learned.shares(query).tolist(), strict=True)))


def _weights(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.exp((cosines - 1) / SHARPNESS), dtype=np.float32)


def _scaled(shares: Mapping[Reference, float]) -> dict[Reference, float]:
    """Shares of all answers on the scale of votes."""
    return dict(zip(shares, _votes(np.array(list(shares.values()))).tolist(), strict=True))


def _vote(weight: float) -> float:
    return float(_votes(np.array([weight]))[0])


def _votes(weights: NDArray[Any]) -> NDArray[np.float64]:
    """The cosines that single questions would need for these weights; not below SILENCE."""
    return np.maximum(SILENCE, 1 + SHARPNESS * np.log(np.maximum(weights, 1e-9)))


def _table(tuned: Embedder, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Vectors, and each text's row."""
    return tuned.table(texts) if isinstance(tuned, RememberingEmbedder) else (tuned.embed(texts), np.arange(len(texts)))
