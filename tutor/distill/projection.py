"""Fit the projection of knowledge/projection.py (`make projection`, about a minute).

Supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362): each question must be nearer to the other questions of its
passage, and to its passage's text, than to those of all other passages. Teacher questions take part; labelled evaluation items
never do.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.concept_files import load_knowledge
from knowledge.embedder import SentenceEmbedder
from knowledge.index import passage_rows
from knowledge.projection import PROJECTION
from knowledge.vectors import VectorStore
from tutor.distill.examples import load_examples
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings

log = logging.getLogger(__name__)

_TEMPERATURE = 0.05


def fit_projection(
    questions: NDArray[np.float32], owners: Sequence[int], texts: NDArray[np.float32], epochs: int = 15, seed: int = 0
) -> NDArray[np.float32]:
    """The matrix (d, d) for unit vectors of questions (n, d), the passage of each, and passage texts (passages, d)."""
    import torch
    from torch.nn.functional import cross_entropy, normalize

    torch.manual_seed(seed)
    x, t, own = torch.from_numpy(questions), torch.from_numpy(texts), torch.tensor(list(owners))
    matrix = torch.eye(x.shape[1]).requires_grad_()
    optimizer = torch.optim.Adam([matrix], lr=1e-3)
    for epoch in range(epochs):
        for batch in torch.randperm(len(x)).split(512):
            query, keys, passages = normalize(x[batch] @ matrix), normalize(x @ matrix), normalize(t @ matrix)
            near = (query @ keys.T / _TEMPERATURE).index_put((torch.arange(len(batch)), batch), torch.tensor(-1e9))
            same = own[batch][:, None] == own[None]
            to_questions = (near.logsumexp(1) - near.masked_fill(~same, -1e9).logsumexp(1)).mean()
            loss = to_questions + cross_entropy(query @ passages.T / _TEMPERATURE, own[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        log.info("epoch %d of %d, loss %.3f", epoch + 1, epochs, float(loss.detach()))
    return matrix.detach().numpy()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = Settings.from_environ()
    knowledge = load_knowledge()
    store = VectorStore(settings.cache / "index", SentenceEmbedder(ensure_embedder(settings.cache)))
    rows = passage_rows(knowledge.passages)
    number = {passage.id: i for i, passage in enumerate(knowledge.passages)}
    taught = [(example.query, number[example.answer[0][0]]) for example in load_examples(knowledge) if example.answer]
    pairs = [(text, owner) for text, owner, is_text in rows if not is_text] + taught
    questions = store.embed([text for text, _ in pairs])
    texts = store.embed([text for text, _, is_text in rows if is_text])
    matrix = fit_projection(questions, [owner for _, owner in pairs], texts)
    np.save(PROJECTION, matrix.astype(np.float16))
    log.info("%d questions, %d passages: %s", len(pairs), len(texts), PROJECTION)


if __name__ == "__main__":
    main()
