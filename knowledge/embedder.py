"""Sentence embeddings: texts in, unit vectors out."""

from __future__ import annotations

import copy
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.bert import Bert, Layer, States
from tutor.compute import Together, on_tensor_thread
from tutor.errors import WeightsError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

TUNED = tuple(Path(__file__).parent / f"tuned-{layers}.safetensors" for layers in ("2-3", "4-5"))
"""The last layers of the encoder, trained so that questions with the same answer lie together (`make encoder`); in two files, as hosts take none of more than 10 MB without large-file storage."""
SHARED = 2  # of six layers, which no tuning changes
DIMENSION = 384  # of the vectors
LONGEST = 256  # tokens of a text, as the encoder was published
_LAYER = "encoder.layer."  # stands in the names of the layers' weights
_BULK = 500  # texts
_KEPT = 64  # texts whose states below the tuned layers are kept
_SMALL = 16  # texts up to which several learners' share one pass


class Embedder(Protocol):
    """Anything that turns n texts into float32 unit vectors of shape (n, dimension)."""

    key: str

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class SentenceEmbedder:
    """all-MiniLM-L6-v2 (Reimers & Gurevych 2019, arXiv:1908.10084) from a verified folder; 384 dimensions.

    Many texts are embedded by its library, which is imported when they come; few by knowledge/bert.py, which is loaded with the first.
    """

    key = "all-MiniLM-L6-v2"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._small = Together(self._encode_lots)
        self._lower: OrderedDict[str, Tensor] = OrderedDict()

    @cached_property
    def model(self) -> SentenceTransformer:
        """Only touched on the tensor thread, so it is loaded once."""
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)

    @cached_property
    def bert(self) -> Bert:
        """Only touched on the tensor thread, like `model`."""
        return Bert.load(self._folder)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, DIMENSION), dtype=np.float32)
        if len(texts) <= _SMALL:
            return self._small.ask(texts)
        return on_tensor_thread(lambda: self._encode_many(texts))

    def below(self, texts: Sequence[str]) -> States:
        """The texts under the layers that tuning changes, kept for a while: the tuned encoder is asked for the same ones next."""
        import torch

        missing = list(dict.fromkeys(text for text in texts if text not in self._lower))
        if missing:
            states = self.bert.run(self.bert.embed(missing, LONGEST), stop=SHARED)
            self._lower.update((text, x[real]) for text, x, real in zip(missing, states.x, states.real, strict=True))
        found = [self._lower[text] for text in texts]
        while len(self._lower) > _KEPT:
            self._lower.popitem(last=False)
        lengths = torch.tensor([len(x) for x in found])
        x = torch.nn.utils.rnn.pad_sequence(found, batch_first=True)
        return States(x, torch.arange(x.shape[1])[None] < lengths[:, None])

    def _encode_lots(self, lots: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        vectors = self._encode_few([text for lot in lots for text in lot])
        return np.split(vectors, np.cumsum([len(lot) for lot in lots])[:-1])

    def _encode_few(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            vectors = self._upper(self.below(texts)).mean()
            return np.asarray(torch.nn.functional.normalize(vectors, dim=1).numpy(), dtype=np.float32)

    def _upper(self, states: States) -> States:
        return self.bert.run(states, SHARED)

    def _encode_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        # A first start embeds tens of thousands of texts; half precision, where the chip has it, halves the wait.
        bulk = len(texts) > _BULK and torch.cpu._is_avx512_bf16_supported()
        with torch.autocast("cpu", torch.bfloat16, enabled=bulk):
            vectors = self.model.encode(
                list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=64, convert_to_numpy=True
            )
        return np.asarray(vectors, dtype=np.float32)


class TunedEmbedder(SentenceEmbedder):
    """An encoder with the last layers that files hold in the place of its own; all others are shared."""

    def __init__(self, base: SentenceEmbedder, paths: Sequence[Path] = TUNED, command: str = "make encoder") -> None:
        """`command` trains them anew. Raises WeightsError if a file is missing or damaged."""
        super().__init__(base._folder)
        self._base, self._paths, self._command = base, paths, command
        self.key = f"{base.key}, tuned {hashlib.sha256(b''.join(map(self._read, paths))).hexdigest()[:12]}"

    @cached_property
    def model(self) -> SentenceTransformer:
        base, own = self._base.model, self._layers()
        weights = {f"{_LAYER}{i}.{name}": value for i, layer in own.items() for name, value in layer.items()}
        shared: dict[int, Any] = {
            id(value): value for name, value in base.named_parameters() if _in_layers(name) not in weights
        }
        model = copy.deepcopy(base, shared)
        for name, value in model.named_parameters():
            if _in_layers(name) in weights:
                value.data = weights[_in_layers(name)]
        return model

    @cached_property
    def bert(self) -> Bert:
        whole, own = self._base.bert, self._layers()
        return replace(whole, layers=(*whole.layers[: -len(own)], *(Layer.of(own[i]) for i in sorted(own))))

    def below(self, texts: Sequence[str]) -> States:
        return self._base.below(texts)

    def _read(self, path: Path) -> bytes:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "numpy"):
                return path.read_bytes()
        except (OSError, SafetensorError) as error:
            raise WeightsError(
                f"{path} is missing or damaged ({error}); restore it with `git checkout`, or run `{self._command}`."
            ) from error

    def _layers(self) -> dict[int, dict[str, Tensor]]:
        """The weights of each layer that changes: the last ones, from SHARED on or later. Raises WeightsError if the files do not fit the encoder."""
        from safetensors.torch import load_file

        found = {name: value for path in self._paths for name, value in load_file(path).items()}
        own: dict[int, dict[str, Tensor]] = {}
        for name, value in found.items():
            number, _, part = _in_layers(name).removeprefix(_LAYER).partition(".")
            own.setdefault(int(number) if number.isdigit() else -1, {})[part] = value.float()
        layers = dict(enumerate(self._base.bert.layers))
        last = range(max(SHARED, len(layers) - len(own)), len(layers))
        if not own or {i: _shapes(layer) for i, layer in own.items()} != {
            i: _shapes(layers[i].weights()) for i in last
        }:
            raise WeightsError(
                f"{', '.join(map(str, self._paths))} must hold the last layers of {self._base.key}, none below {SHARED} and none left out, "
                f"got {sorted(found)[:3]}; restore with `git checkout`, or run `{self._command}`."
            )
        return own


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights.items()}


def _in_layers(name: str) -> str:
    """A weight's name without what the library puts before it."""
    return name[max(0, name.find(_LAYER)) :]


class RememberingEmbedder:
    """An embedder that keeps vectors computed before: of texts that it is given to remember for good, and of those seen last, as a turn asks
    for the same ones several times. Thread-safe."""

    def __init__(self, embedder: Embedder, most: int = 20_000) -> None:
        """`most` of the texts seen last are kept."""
        self._embedder, self._most = embedder, most
        self._row: dict[str, int] = {}
        self._vectors: NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)
        self._recent: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self.key = embedder.key

    def remember(self, texts: Sequence[str], vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
        """Take in vectors (rows, dimension) that were computed elsewhere, and each text's row, before anything is asked."""
        self._row, self._vectors = dict(zip(texts, rows.tolist(), strict=True)), vectors

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if texts and all(text in self._row for text in texts):
            return self._vectors[[self._row[text] for text in texts]]
        with self._lock:
            found = {text: self._recent[text] for text in texts if text in self._recent}
            for text in found:
                self._recent.move_to_end(text)
        found.update((text, self._vectors[self._row[text]]) for text in texts if text in self._row)
        new = list(dict.fromkeys(text for text in texts if text not in found))
        if new or not texts:
            vectors = self._embedder.embed(new)
            if not texts:
                return vectors
            found.update(zip(new, vectors, strict=True))
            self._keep(new, vectors)
        return np.stack([found[text] for text in texts])

    def table(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Vectors (rows, dimension), and each text's row: without a copy where all texts are remembered, as of hundreds of thousands that is a quarter of a gigabyte."""
        if all(text in self._row for text in texts):
            return self._vectors, np.array([self._row[text] for text in texts], dtype=np.int64)
        return self.embed(texts), np.arange(len(texts))

    def _keep(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        with self._lock:
            self._recent.update(zip(texts, vectors, strict=True))
            while len(self._recent) > self._most:
                self._recent.popitem(last=False)
