"""The FAISS index over passages: each one under its text, its claim and every question that it answers, a teacher's included.

Saved in the cache under a hash of the passages and the embedding model, so it is rebuilt when either changes; a
damaged file is noticed when it is loaded, and rebuilt too. Cosine similarity, as vectors have unit length.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from knowledge.passages import Passage
from knowledge.vectors import Progress, VectorStore, log_progress

if TYPE_CHECKING:
    import faiss

log = logging.getLogger(__name__)

APPROXIMATE_ABOVE = 20_000  # passages; below that, to compare all takes some milliseconds
_NEAREST = 4_000  # rows that are looked at: far more than any passage that matters is away
_FORMAT = "5"

Asked = tuple[str, str]
"""A question, and the id of the passage that answers it."""


@dataclass(frozen=True)
class Similarities:
    """What one search found: the best cosine of each passage's questions and of its text (passages,), 0 where none of its rows is among
    the nearest that were looked at, and the cosines of the nearest rows, of whatever passage, falling."""

    asks: NDArray[np.float32]
    texts: NDArray[np.float32]
    rows: NDArray[np.float32]


@dataclass(frozen=True)
class VectorIndex:
    """`owners[row]` is the passage that row belongs to; `is_text[row]` tells its text from its questions."""

    index: faiss.Index
    owners: NDArray[np.int64]
    is_text: NDArray[np.bool_]
    passages: int

    def similarities(self, query: NDArray[np.float32]) -> Similarities:
        """The cosines of a query (dimension,)."""
        rows = min(self.index.ntotal, _NEAREST if self.passages <= APPROXIMATE_ABOVE else 400)
        scores, found = self.index.search(query[None, :], rows)
        scores, found = scores[0][found[0] >= 0], found[0][found[0] >= 0]
        asks = np.zeros(self.passages, dtype=np.float32)
        texts = np.zeros(self.passages, dtype=np.float32)
        text_rows = self.is_text[found]
        np.maximum.at(texts, self.owners[found][text_rows], scores[text_rows])
        np.maximum.at(asks, self.owners[found][~text_rows], scores[~text_rows])
        return Similarities(asks, texts, scores)


def load_or_build(
    passages: Sequence[Passage],
    embedder: Embedder,
    cache: Path,
    asked: Sequence[Asked] = (),
    progress: Progress = log_progress,
) -> VectorIndex:
    """The saved index for exactly these texts and this model, or a new one, saved."""
    import faiss

    # Threads of FAISS's own would spin after each search, on the very cores that the embedding of the next text needs.
    faiss.omp_set_num_threads(1)
    rows = passage_rows(passages, asked)
    folder = cache / "index" / _key(rows, embedder)
    index = _load(folder, rows, len(passages))
    if index is None:
        index = build(passages, VectorStore(cache / "index", embedder, progress), asked)
        _save(index, folder)
    return index


class Embeds(Protocol):
    """What turns texts into unit vectors, remembered or not."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def build(passages: Sequence[Passage], embedder: Embeds, asked: Sequence[Asked] = ()) -> VectorIndex:
    """Embed and index the passages; raises ValueError if there are none."""
    rows = passage_rows(passages, asked)
    if not rows:
        raise ValueError(f"an index needs passages, got {passages!r}")
    return index_vectors(
        embedder.embed([text for text, _, _ in rows]),
        np.array([owner for _, owner, _ in rows], dtype=np.int64),
        np.array([is_text for _, _, is_text in rows], dtype=np.bool_),
        len(passages),
    )


def index_vectors(
    vectors: NDArray[np.float32], owners: NDArray[np.int64], is_text: NDArray[np.bool_], passages: int
) -> VectorIndex:
    """Index unit vectors (rows, dimension): each compared in bf16 up to APPROXIMATE_ABOVE passages, then with inverted lists.

    IVF with about 4·sqrt(rows) lists, as the FAISS guidelines advise for up to a million vectors
    (https://github.com/facebookresearch/faiss/wiki/Guidelines-to-choose-an-index).
    """
    import faiss

    dimension = vectors.shape[1]
    index: Any
    if passages <= APPROXIMATE_ABOVE:
        # All rows are read for each question, so half the bytes take two thirds of the time; a cosine moves by less than a thousandth.
        codes = faiss.ScalarQuantizer.QT_bf16
        index = faiss.IndexScalarQuantizer(dimension, codes, faiss.METRIC_INNER_PRODUCT)
    else:
        lists = int(4 * np.sqrt(len(vectors)))
        index = faiss.index_factory(dimension, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(0).choice(len(vectors), min(len(vectors), 40 * lists), replace=False)
        index.train(vectors[sample])
        index.nprobe = 32
    index.add(vectors)
    return VectorIndex(index, owners, is_text, passages)


def passage_rows(passages: Sequence[Passage], asked: Sequence[Asked] = ()) -> list[tuple[str, int, bool]]:
    """Each row's (text to embed, owner, whether it is the passage's own text rather than a question)."""
    number = {passage.id: owner for owner, passage in enumerate(passages)}
    rows = [(question, number[name], False) for question, name in asked if name in number]
    for owner, passage in enumerate(passages):
        rows.append((f"{passage.title}. {passage.text}", owner, True))
        rows += [(text, owner, False) for text in (*(ask.text for ask in passage.asks), *passage.phrasings)]
        if passage.claim:
            rows.append((passage.claim, owner, False))
    return rows


def _key(rows: Sequence[tuple[str, int, bool]], embedder: Embedder) -> str:
    texts, owners, are_texts = zip(*rows, strict=True) if rows else ((), (), ())
    numbers = np.array([[len(text) for text in texts], owners, are_texts], dtype="<i8").tobytes()
    content = b"\0".join([f"{_FORMAT} {embedder.key} {len(texts)}".encode(), numbers, "".join(texts).encode()])
    return hashlib.sha256(content).hexdigest()[:20]


def _load(folder: Path, rows: Sequence[tuple[str, int, bool]], passages: int) -> VectorIndex | None:
    import faiss

    path = folder / "vectors.faiss"
    if not path.is_file():
        return None
    try:
        if _digest(path) != (folder / "sha256").read_text(errors="replace"):
            raise RuntimeError("its SHA-256 differs from the recorded one")
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)  # mapped, not copied
        if index.ntotal != len(rows):
            raise RuntimeError(f"it holds {index.ntotal} vectors instead of {len(rows)}")
    except (OSError, RuntimeError) as error:
        log.warning("the saved index %s is damaged (%s); building it again", path, error)
        return None
    owners = np.array([owner for _, owner, _ in rows], dtype=np.int64)
    return VectorIndex(index, owners, np.array([is_text for *_, is_text in rows], dtype=np.bool_), passages)


def _save(index: VectorIndex, folder: Path) -> None:
    import faiss

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
            pass
        faiss.write_index(index.index, part.name)
        digest = _digest(Path(part.name))
        os.replace(part.name, folder / "vectors.faiss")
        (folder / "sha256").write_text(digest)
    except (OSError, RuntimeError) as error:
        log.warning("the index could not be saved in %s (%s); it is built again at the next start", folder, error)


def _digest(path: Path) -> str:
    """SHA-256, by blocks: the file is as large as all vectors."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
