"""Sentence embeddings: texts in, unit vectors out."""

from __future__ import annotations

import copy
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tutor.compute import Together, on_tensor_thread

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TUNED = Path(__file__).parent / "tuned.safetensors"
"""The last layers of the encoder, trained so that questions with the same answer lie together (`make encoder`)."""
_BULK = 500  # texts
_SMALL = 16  # texts up to which several learners' share one pass


class Embedder(Protocol):
    """Anything that turns n texts into float32 unit vectors of shape (n, dimension)."""

    key: str

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class SentenceEmbedder:
    """all-MiniLM-L6-v2 (Reimers & Gurevych 2019, arXiv:1908.10084) from a verified folder; 384 dimensions.

    Loaded with the first text: importing its library takes longer than all else at a start whose vectors are all in the cache.
    """

    key = "all-MiniLM-L6-v2"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._small = Together(self._encode_lots)

    @cached_property
    def model(self) -> SentenceTransformer:
        """Only touched on the tensor thread, so it is loaded once."""
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, 384), dtype=np.float32)
        if len(texts) <= _SMALL:
            return self._small.ask(texts)
        return on_tensor_thread(lambda: self._encode(texts))

    def _encode_lots(self, lots: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        vectors = self._encode([text for lot in lots for text in lot])
        return np.split(vectors, np.cumsum([len(lot) for lot in lots])[:-1])

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        # A first start embeds tens of thousands of texts; half precision, where the chip has it, halves the wait.
        bulk = len(texts) > _BULK and torch.cpu._is_avx512_bf16_supported()
        with torch.autocast("cpu", torch.bfloat16, enabled=bulk):
            vectors = self.model.encode(
                list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=64, convert_to_numpy=True
            )
        return np.asarray(vectors, dtype=np.float32)


class TunedEmbedder(SentenceEmbedder):
    """The same encoder with the weights that a file holds in the place of its own; all others are shared."""

    def __init__(self, published: SentenceEmbedder, path: Path = TUNED) -> None:
        self._published, self._path = published, path
        self._small = Together(self._encode_lots)
        self.key = f"{published.key}, tuned {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"

    @cached_property
    def model(self) -> SentenceTransformer:
        """Raises ValueError if the file does not fit the encoder."""
        from safetensors.torch import load_file

        published, weights = self._published.model, load_file(self._path)
        mine: dict[str, Any] = dict(published.named_parameters())
        unknown = [name for name, value in weights.items() if name not in mine or mine[name].shape != value.shape]
        if unknown:
            raise ValueError(
                f"{self._path} must hold weights of {self._published.key}, got {unknown[0]!r}; run `make encoder`"
            )
        shared = {id(value): value for name, value in mine.items() if name not in weights}
        model = copy.deepcopy(published, shared)
        model.load_state_dict({name: value.float() for name, value in weights.items()}, strict=False)
        return model


class RememberingEmbedder:
    """An embedder that keeps the vectors of the texts seen last, since a turn asks for the same ones several times. Thread-safe."""

    def __init__(self, embedder: Embedder, most: int = 20_000) -> None:
        self._embedder, self._most = embedder, most
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self.key = embedder.key

    def remember(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Take in vectors (texts, dimension) that were computed elsewhere."""
        with self._lock:
            self._known.update(zip(texts, vectors, strict=True))
            while len(self._known) > self._most:
                self._known.popitem(last=False)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
            for text in found:
                self._known.move_to_end(text)
        new = list(dict.fromkeys(text for text in texts if text not in found))
        if new or not texts:
            vectors = self._embedder.embed(new)
            if not texts:
                return vectors
            found.update(zip(new, vectors, strict=True))
            self.remember(new, vectors)
        return np.stack([found[text] for text in texts])
