"""Stored vectors: nothing is embedded twice, and a damaged file costs time only."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.vectors import VectorStore
from tests.conftest import FakeEmbedder


def stored(folder: Path) -> Path:
    """The one file that a store has written."""
    (path,) = folder.glob("vectors-*.npy")
    return path


def saved_otherwise() -> list[bytes]:
    """Another table, one with a short hash, one with the same hash twice, and one whose header is damaged."""
    one = np.eye(2, 384, dtype=np.float32)
    tables = [one, table_of(np.array([[1] * 16, [2] * 16], dtype=np.uint8), one)]
    tables += [table_of(np.zeros((2, 32), dtype=np.uint8), one), table_of(np.eye(2, 32, dtype=np.uint8), one)]
    files = [io.BytesIO() for _ in tables]
    for file, table in zip(files, tables, strict=True):
        np.save(file, table)
    *whole, damaged = (file.getvalue() for file in files)
    return [*whole, damaged.replace(b"'descr'", b"\x00\x00\x00\xff\xff\xff(", 1), damaged.replace(b"(2,)", b"(-1,)", 1)]


def table_of(hashes: NDArray[np.uint8], vectors: NDArray[np.float32]) -> NDArray[np.void]:
    """As a store keeps them."""
    table = np.empty(len(vectors), dtype=[("hash", np.uint8, hashes.shape[1:]), ("vector", np.float32, (384,))])
    table["hash"], table["vector"] = hashes, vectors
    return table


def test_only_new_texts_are_embedded(tmp_path: Path) -> None:
    """A second store embeds only what the first one had not seen, and gives the same vectors in the order asked."""
    first = FakeEmbedder()
    vectors = VectorStore(tmp_path, first).embed(["a cat", "a dog", "a cat"])
    assert vectors.shape == (3, 384) and np.array_equal(vectors[0], vectors[2])
    second = FakeEmbedder()
    again = VectorStore(tmp_path, second).embed(["a dog", "tea", "a cat"])
    assert second.embedded == ["tea"]
    assert np.array_equal(again[[2, 0]], vectors[:2])


def test_a_table_is_not_copied(tmp_path: Path) -> None:
    """Protects the start: a quarter of a gigabyte is mapped, not copied, and rows tell which of it belongs to which text."""
    vectors = VectorStore(tmp_path, FakeEmbedder()).embed(["a cat", "a dog"])
    store = VectorStore(tmp_path, FakeEmbedder())
    table, rows = store.table(["a dog", "a cat", "a dog"])
    assert rows.tolist() == [1, 0, 1] and np.array_equal(table[rows][:2], vectors[::-1])
    assert np.shares_memory(table, store.table(["a cat"])[0]) and not table.flags.owndata
    table[:] = 0  # in memory only
    assert np.array_equal(VectorStore(tmp_path, FakeEmbedder()).embed(["a cat", "a dog"]), vectors)


def test_another_model_shares_nothing(tmp_path: Path) -> None:
    """Vectors of one embedding model are never handed out for another."""
    VectorStore(tmp_path, FakeEmbedder("one")).embed(["a cat"])
    other = FakeEmbedder("two")
    VectorStore(tmp_path, other).embed(["a cat"])
    assert other.embedded == ["a cat"]


@pytest.mark.parametrize(
    "data",
    [b"", b"junk", b"PK\x03\x04 cut", b"\x93NUMPY\x01\x00", *saved_otherwise()],
)
def test_a_damaged_file_is_ignored_and_replaced(tmp_path: Path, data: bytes) -> None:
    """Damage is noticed, the texts are embedded again, and the next start finds a sound file."""
    vectors = VectorStore(tmp_path, FakeEmbedder()).embed(["a cat"])
    stored(tmp_path).write_bytes(data)
    assert np.array_equal(VectorStore(tmp_path, FakeEmbedder()).embed(["a cat"]), vectors)
    third = FakeEmbedder()
    VectorStore(tmp_path, third).embed(["a cat"])
    assert third.embedded == []


def test_a_cut_file_is_ignored(tmp_path: Path) -> None:
    """A file that lost its second half is embedded again."""
    vectors = VectorStore(tmp_path, FakeEmbedder()).embed(["a cat", "a dog"])
    path = stored(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    embedder = FakeEmbedder()
    assert np.array_equal(VectorStore(tmp_path, embedder).embed(["a cat", "a dog"]), vectors)
    assert embedder.embedded == ["a cat", "a dog"]


def test_vectors_that_are_no_unit_vectors_are_ignored(tmp_path: Path) -> None:
    """A well-formed file with wrong numbers is not believed."""
    VectorStore(tmp_path, FakeEmbedder()).embed(["a cat"])
    path = stored(tmp_path)
    table = np.load(path)
    table["vector"] *= 3
    np.save(path, table)
    embedder = FakeEmbedder()
    assert np.allclose(np.linalg.norm(VectorStore(tmp_path, embedder).embed(["a cat"]), axis=1), 1, atol=1e-5)
    assert embedder.embedded == ["a cat"]


def test_a_file_that_cannot_be_written_is_survived(tmp_path: Path) -> None:
    """A cache that is no folder costs the saving, not the answer."""
    (tmp_path / "file").write_text("in the way")
    assert VectorStore(tmp_path / "file" / "index", FakeEmbedder()).embed(["a cat"]).shape == (1, 384)


def test_no_texts_no_vectors(tmp_path: Path) -> None:
    """Nothing asked for gives an empty result."""
    assert len(VectorStore(tmp_path, FakeEmbedder()).embed([])) == 0


def test_an_interrupted_start_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first start embeds for minutes: what a killed one has embedded is kept, and how far it is, is told."""
    monkeypatch.setattr("knowledge.vectors._BLOCK", 2)
    monkeypatch.setattr("knowledge.vectors._SAVED", -1.0)
    told: list[tuple[int, int]] = []

    def killed(done: int, texts: int) -> None:
        told.append((done, texts))
        if done == 4:
            raise KeyboardInterrupt

    texts = ["a cat", "a dog", "tea", "a cup", "milk"]
    with pytest.raises(KeyboardInterrupt):
        VectorStore(tmp_path, FakeEmbedder(), killed).embed(texts)
    again = FakeEmbedder()
    VectorStore(tmp_path, again).embed(texts)
    assert told == [(0, 5), (2, 5), (4, 5)] and again.embedded == ["milk"]
