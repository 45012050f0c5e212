"""Vectors that ship: what a first start need not embed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from knowledge.concept_files import load_knowledge
from knowledge.embedder import SentenceEmbedder, TunedEmbedder
from knowledge.shipped import FOLDER, read_shipped, write_shipped
from knowledge.vectors import VectorStore
from tests.conftest import FakeEmbedder
from tutor.distill.vectors import texts_to_ship
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings

TEXTS = [f"text {i}" for i in range(5)]
DIGESTS = [hashlib.sha256(text.encode()).digest() for text in TEXTS]


def _vectors() -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(5, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_what_shipped_comes_back_for_its_encoder_only(tmp_path: Path) -> None:
    """Protects retrieval: cosines move by less than two thousandths, and vectors of another encoder are never taken."""
    vectors = _vectors()
    (path,) = write_shipped("one", TEXTS, vectors, tmp_path)
    found = read_shipped("one", DIGESTS[1:], tmp_path)
    assert list(found) == DIGESTS[1:]
    rounded = np.stack([found[digest] for digest in DIGESTS[1:]])
    assert np.abs(rounded @ vectors.T - vectors[1:] @ vectors.T).max() < 2e-3
    assert read_shipped("another", DIGESTS, tmp_path) == {}
    assert write_shipped("one", TEXTS, rounded[[0, 0, 1, 2, 3]], tmp_path) == [path]  # rounding twice is rounding once
    again = read_shipped("one", DIGESTS[1:], tmp_path)
    np.testing.assert_allclose(np.stack([again[digest] for digest in DIGESTS[1:]]), rounded, atol=1e-6)


def test_a_damaged_file_holds_none(tmp_path: Path) -> None:
    """Protects the start: what cannot be read is embedded."""
    (path,) = write_shipped("one", TEXTS, _vectors(), tmp_path)
    whole = path.read_bytes()
    for damaged in (whole[:300], whole[:400] + bytes(40) + whole[440:]):
        path.write_bytes(damaged)
        assert read_shipped("one", DIGESTS, tmp_path) == {}
    np.savez(path, hashes=np.zeros((3, 8), dtype=np.uint8), values=np.ones((2, 384), dtype=np.int8))
    assert read_shipped("one", DIGESTS, tmp_path) == {}


def test_a_first_start_embeds_only_what_did_not_ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: the store takes what shipped, embeds the rest, and keeps both for the next start."""
    import knowledge.vectors as store

    asked: list[str] = []

    class Noting(FakeEmbedder):
        def embed(self, texts: object) -> np.ndarray:
            asked.extend(texts)  # type: ignore[arg-type]
            return super().embed(texts)  # type: ignore[arg-type]

    embedder = Noting()
    known = FakeEmbedder().embed(TEXTS)
    monkeypatch.setattr(store, "read_shipped", lambda key, wanted: {DIGESTS[0]: known[0]})
    np.testing.assert_allclose(VectorStore(tmp_path, embedder).embed(TEXTS), known, atol=1e-6)
    assert asked == TEXTS[1:]
    monkeypatch.setattr(store, "read_shipped", lambda key, wanted: {})
    VectorStore(tmp_path, embedder).embed(TEXTS)
    assert asked == TEXTS[1:]


def test_all_that_a_first_start_embeds_has_shipped() -> None:
    """Protects a Space, whose every start is a first one: after training or teaching, `make vectors` is not forgotten."""
    published = SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))
    assert len({path.name.partition("-")[0] for path in FOLDER.glob("*")}) == 2, "vectors of an encoder that is gone"
    for embedder, texts in zip((published, TunedEmbedder(published)), texts_to_ship(load_knowledge()), strict=True):
        digests = [hashlib.sha256(text.encode()).digest() for text in texts]
        missing = 1 - len(read_shipped(embedder.key, digests)) / len(digests)
        assert missing < 0.01, f"{missing:.0%} of {len(texts)} texts are not in {FOLDER}; run `make vectors`"
