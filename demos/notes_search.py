"""Finding the note that answers a question: by words, by embeddings (bi-encoder), and by reading both (cross-encoder).

All three are small on purpose. BM25 counts shared words. The bi-encoder is the language model itself: a text's embedding is
the mean of its hidden states after the last layer. The cross-encoder is the language model, too: it reads note and question together,
and the score is how likely it finds the question after the note (Sachan et al. 2022, arXiv:2204.07496).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos.base import Specimen
from demos.measure import TEXTS, Span, Steps

if TYPE_CHECKING:
    from torch import Tensor

CANDIDATES = 4  # notes that the embeddings pick for the cross-encoder
BATCH = 6  # short texts read at once: a step of progress every few tenths of a second


@dataclass(frozen=True)
class Fact:
    """A made-up note, a question that it answers, and the words that a right answer holds."""

    note: str
    question: str
    answer: str

    def answered_by(self, text: str) -> bool:
        """Whether the text holds the answer, in any case, and not as a part of a longer number."""
        return bool(re.search(rf"(?<![\w.:]){re.escape(self.answer)}(?![\d]|[.:]\d)", text, re.IGNORECASE))


@dataclass(frozen=True)
class Found:
    """For each question the places of the notes, best first: by each way to search; `together` ranks only candidates.

    Seconds a question: `search_s` for its embedding and the comparison, `rerank_s` for reading it with the candidates.
    """

    words: list[list[int]]
    embedding: list[list[int]]
    together: list[list[int]]
    search_s: float
    rerank_s: float


def load_facts() -> list[Fact]:
    """The committed notes."""
    lines = (TEXTS / "rag.jsonl").read_text(encoding="utf-8").splitlines()
    return [Fact(**json.loads(line)) for line in lines]


def find_notes(specimen: Specimen, notes: Sequence[str], questions: Sequence[str], span: Span) -> Steps[Found]:
    """Search in all three ways; the notes are embedded once, ahead of any question."""
    index, ask, read = span.split(2, 1, 4)
    indexed = yield from embed(specimen, notes, index, "Embedding the notes")
    began = time.perf_counter()
    vectors = yield from embed(specimen, questions, ask, "Embedding the questions")
    by_embedding = rank_by_embedding(indexed, vectors)
    search_s = (time.perf_counter() - began) / len(questions)
    began = time.perf_counter()
    together = []
    for i, (question, order) in enumerate(zip(questions, by_embedding, strict=True)):
        yield read.step(i, len(questions), f"Reading question {i + 1} of {len(questions)} with each candidate note")
        some = order[:CANDIDATES]
        scores = score_together(specimen, [notes[j] for j in some], question)
        together.append([j for _, j in sorted(zip(scores, some, strict=True), reverse=True)])
    rerank_s = (time.perf_counter() - began) / len(questions)
    return Found(rank_by_words(notes, questions), by_embedding, together, search_s, rerank_s)


def rank_by_words(notes: Sequence[str], questions: Sequence[str]) -> list[list[int]]:
    """For each question the places of the notes, best first, by BM25."""
    import bm25s

    index = bm25s.BM25()
    index.index([_words(note) for note in notes], show_progress=False)
    scores = [index.get_scores(_words(question)).tolist() for question in questions]
    return [sorted(range(len(notes)), key=lambda i: -row[i]) for row in scores]


def embed(specimen: Specimen, texts: Sequence[str], span: Span, note: str) -> Steps[Tensor]:
    """The mean hidden state after the last layer of each text, shape [texts, width]."""
    import torch

    from tutor.engines.tokens import encode_text

    vectors = []
    encoded = [encode_text(specimen.tokenizer, text) for text in texts]
    for start in range(0, len(texts), BATCH):
        yield span.step(start, len(texts), note)
        batch = encoded[start : start + BATCH]
        with torch.inference_mode():
            # A decoder never looks ahead, so what stands behind a text's end changes nothing before it.
            states = specimen.model.base_model(input_ids=_padded(batch).to(specimen.model.device), use_cache=False)
            hidden = states.last_hidden_state.float()
            vectors += [hidden[row, : len(ids)].mean(0) for row, ids in enumerate(batch)]
    return torch.stack(vectors)


def rank_by_embedding(notes: Tensor, questions: Tensor) -> list[list[int]]:
    """For each question [n, width] the places of the notes [m, width], best first, by the cosine of the embeddings."""
    from torch.nn.functional import normalize

    similar = normalize(questions, dim=-1) @ normalize(notes, dim=-1).T
    order: list[list[int]] = similar.argsort(dim=-1, descending=True, stable=True).tolist()
    return order


def score_together(specimen: Specimen, notes: Sequence[str], question: str) -> list[float]:
    """Mean log-likelihood (nats a token) of the question after each note; all are read in one pass."""
    import torch

    from tutor.engines.tokens import encode_text

    asked = encode_text(specimen.tokenizer, " " + question)
    before = [encode_text(specimen.tokenizer, f"{note}\nQuestion:") for note in notes]
    with torch.inference_mode():
        ids = _padded([first + asked for first in before]).to(specimen.model.device)
        hidden = specimen.model.base_model(input_ids=ids, use_cache=False).last_hidden_state
        # The state at one token scores the next, so those from the last token before the question on.
        starts = [len(first) - 1 for first in before]
        states = torch.stack([row[at : at + len(asked)] for row, at in zip(hidden, starts, strict=True)])
        likely = specimen.model.get_output_embeddings()(states).float().log_softmax(-1)
        scores: list[float] = likely[:, range(len(asked)), asked].mean(-1).tolist()
    return scores


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    import torch

    longest = max(map(len, rows))
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
