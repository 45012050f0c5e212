"""Sentence embeddings: texts in, unit vectors out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    """Anything that turns n texts into float32 unit vectors of shape (n, dimension)."""

    key: str

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class SentenceEmbedder:
    """all-MiniLM-L6-v2 (Reimers & Gurevych 2019, arXiv:1908.10084) from a verified folder; 384 dimensions."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        self.key = "all-MiniLM-L6-v2"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, 384), dtype=np.float32)
        vectors = self._model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=64, convert_to_numpy=True
        )
        return np.asarray(vectors, dtype=np.float32)
