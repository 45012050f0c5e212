"""The FAISS index: built once, found again, rebuilt when it is damaged or out of date."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import knowledge.index as module
from knowledge.index import build, index_vectors, load_or_build, passage_rows
from knowledge.passages import Knowledge
from tests.conftest import FakeEmbedder


def vector(text: str) -> np.ndarray:
    """A query's unit vector."""
    return FakeEmbedder().embed([text])[0]


def saved(cache: Path) -> Path:
    """The one saved index file."""
    (path,) = cache.glob("index/*/vectors.faiss")
    return path


def count_builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows by one at each build."""
    builds: list[int] = []

    def counted(*args: object) -> object:
        builds.append(1)
        return build(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "build", counted)
    return builds


def test_rows_hold_text_questions_and_claim(knowledge: Knowledge) -> None:
    """Each passage is found under its text, every question and its claim, and owned by itself."""
    rows = passage_rows(knowledge.passages)
    last = len(knowledge.by_id["cats-vs-dogs"].passages) - 1
    texts = [text for text, owner, is_text in rows if owner == last and not is_text]
    assert texts == ["the family of a cat", "Are cats small dogs?", "Cats are just small dogs."]
    assert sum(is_text for *_, is_text in rows) == len(knowledge.passages)


def test_similarities_tell_questions_from_texts(knowledge: Knowledge) -> None:
    """The authored question itself has cosine 1, as far as bf16 tells, with its passage's questions, and less with its text."""
    index = build(knowledge.passages, FakeEmbedder())
    near = index.similarities(vector("What are dogs?"))
    asks, texts = near.asks, near.texts
    assert asks.shape == texts.shape == (6,)
    assert int(asks.argmax()) == 1 and asks[1] == pytest.approx(1, abs=2e-3) and texts[1] < 0.9


def test_half_the_bytes_find_the_same() -> None:
    """Protects: cosines of the codes that are searched are those of the vectors, and so is the order where it matters."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(500, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near = index_vectors(vectors, np.arange(500), np.zeros(500, dtype=bool), 500).similarities(vectors[7])
    exact = vectors @ vectors[7]
    assert near.asks == pytest.approx(np.maximum(exact, 0), abs=2e-3)
    assert near.asks.argsort()[-5:].tolist() == exact.argsort()[-5:].tolist()


def test_the_nearest_rows_are_at_most_what_there_is(knowledge: Knowledge) -> None:
    """An index of few rows gives all of them, best first."""
    index = build(knowledge.passages[:1], FakeEmbedder())
    near = index.similarities(vector("What are cats?")).rows
    assert len(near) == 4 and near[0] == pytest.approx(1, abs=2e-3) and list(near) == sorted(near, reverse=True)


def test_a_saved_index_is_loaded(knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second start builds nothing and finds the same."""
    builds = count_builds(monkeypatch)
    first = load_or_build(knowledge.passages, FakeEmbedder(), tmp_path)
    second = load_or_build(knowledge.passages, FakeEmbedder(), tmp_path)
    assert len(builds) == 1
    query = vector("cats vs dogs")
    found, again = first.similarities(query), second.similarities(query)
    assert np.array_equal(found.asks, again.asks) and np.array_equal(found.texts, again.texts)
    assert np.array_equal(found.rows, again.rows)


def test_an_edited_passage_is_indexed_anew(
    knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed text or another embedding model never meets the old index."""
    builds = count_builds(monkeypatch)
    load_or_build(knowledge.passages, FakeEmbedder(), tmp_path)
    load_or_build(
        [replace(knowledge.passages[0], text="Cats hiss."), *knowledge.passages[1:]], FakeEmbedder(), tmp_path
    )
    load_or_build(knowledge.passages, FakeEmbedder("other"), tmp_path)
    assert len(builds) == 3


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("vectors.faiss", b""),
        ("vectors.faiss", b"junk"),
        ("sha256", b""),
        ("sha256", b"junk"),
        ("sha256", b"\xff\xfe\x00\x80"),
    ],
)
def test_a_damaged_index_is_built_again(
    knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes
) -> None:
    """Damage to the index or to its hash is noticed and mended, so the third start loads again."""
    builds = count_builds(monkeypatch)
    load_or_build(knowledge.passages, FakeEmbedder(), tmp_path)
    (saved(tmp_path).parent / name).write_bytes(data)
    index = load_or_build(knowledge.passages, FakeEmbedder(), tmp_path)
    assert len(builds) == 2 and int(index.similarities(vector("What are dogs?")).asks.argmax()) == 1
    load_or_build(knowledge.passages, FakeEmbedder(), tmp_path)
    assert len(builds) == 2


def test_one_flipped_byte_is_noticed(knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vector that changed on disk is not searched, though FAISS would read the file."""
    builds = count_builds(monkeypatch)
    load_or_build(knowledge.passages, FakeEmbedder(), tmp_path)
    data = bytearray(saved(tmp_path).read_bytes())
    data[-5] ^= 0x40
    saved(tmp_path).write_bytes(bytes(data))
    load_or_build(knowledge.passages, FakeEmbedder(), tmp_path)
    assert len(builds) == 2


def test_an_unwritable_cache_still_answers(knowledge: Knowledge, tmp_path: Path) -> None:
    """Without a place to save, the index lives in memory."""
    (tmp_path / "file").write_text("in the way")
    assert load_or_build(knowledge.passages, FakeEmbedder(), tmp_path / "file").passages == 6


def test_no_passages_is_an_error() -> None:
    """An empty index is refused with a message, not built."""
    with pytest.raises(ValueError, match="passages"):
        build((), FakeEmbedder())


def test_many_passages_are_searched_approximately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit inverted lists are used, and a stored vector is still found first."""
    monkeypatch.setattr(module, "APPROXIMATE_ABOVE", 100)
    vectors = np.random.default_rng(0).standard_normal((2000, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = index_vectors(vectors, np.arange(2000), np.zeros(2000, dtype=np.bool_), 2000)
    near = index.similarities(vectors[7])
    asks, texts = near.asks, near.texts
    assert "IVF" in type(index.index).__name__
    assert int(asks.argmax()) == 7 and not texts.any() and (asks == 0).sum() >= 1600
