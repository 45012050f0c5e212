"""What an embedder remembers: the same vectors for less work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.dialogue import DIALOGUE
from knowledge.embedder import TUNED, RememberingEmbedder, SentenceEmbedder, TunedEmbedder
from tutor.compute import on_tensor_thread
from tutor.engines.weights import ensure_embedder
from tutor.errors import WeightsError
from tutor.settings import Settings


class Counting:
    """Embeds a text as its length, and notes what it was asked."""

    key = "counting"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        return np.array([[len(text)] for text in texts], dtype=np.float32).reshape(len(texts), 1)


def test_a_text_is_embedded_once() -> None:
    """Order and repetitions of the request are kept; only new texts reach the model."""
    counting = Counting()
    embedder = RememberingEmbedder(counting)
    embedder.embed(["a", "bb"])
    assert embedder.embed(["bb", "ccc", "a", "ccc"]).flatten().tolist() == [2, 3, 1, 3]
    assert counting.asked == [["a", "bb"], ["ccc"]] and embedder.key == "counting"


def test_the_oldest_are_forgotten() -> None:
    """Memory is bounded, and what is used stays."""
    counting = Counting()
    embedder = RememberingEmbedder(counting, most=2)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        embedder.embed([text])
    assert counting.asked == [["a"], ["bb"], ["ccc"], ["bb"]]


def test_what_it_was_given_to_remember_stays() -> None:
    """A text whose vector was computed elsewhere never reaches the model, alone or beside others, whatever was asked since."""
    counting = Counting()
    embedder = RememberingEmbedder(counting, most=1)
    embedder.remember(["a", "bb"], np.array([[9], [7], [8]], dtype=np.float32), np.array([1, 2]))
    embedder.embed(["ccc"])
    embedder.embed(["dddd"])
    assert embedder.embed(["bb", "a"]).flatten().tolist() == [8, 7]
    assert embedder.embed(["a", "eeeee", "bb"]).flatten().tolist() == [7, 5, 8]
    assert counting.asked == [["ccc"], ["dddd"], ["eeeee"]]


def test_a_table_of_what_is_remembered_is_no_copy() -> None:
    """Protects memory: hundreds of thousands of vectors are held once; where one is not remembered, all are given as they are asked for."""
    embedder, vectors = RememberingEmbedder(Counting()), np.array([[7], [8]], dtype=np.float32)
    embedder.remember(["a", "bb"], vectors, np.array([0, 1]))
    table, rows = embedder.table(["bb", "a", "bb"])
    assert table is vectors and rows.tolist() == [1, 0, 1]
    table, rows = embedder.table(["bb", "ccc"])
    assert table[rows].flatten().tolist() == [8, 3]


def test_nothing_gives_no_rows() -> None:
    """An empty request keeps the embedder's shape."""
    assert RememberingEmbedder(Counting()).embed([]).shape == (0, 1)


def test_tuning_changes_its_own_layers_only() -> None:
    """The tuned encoder differs, shares what was not tuned, and leaves the published one as it was."""
    published = SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))
    before = published.embed(["What is pruning?"])
    tuned = TunedEmbedder(published)
    assert tuned.key != published.key
    assert not np.allclose(tuned.embed(["What is pruning?"]), before, atol=1e-2)
    assert np.array_equal(published.embed(["What is pruning?"]), before)
    mine, other = dict(published.model.named_parameters()), dict(tuned.model.named_parameters())
    shared = [name for name in mine if mine[name] is other[name]]
    assert 0 < len(shared) < len(mine) and any("embeddings" in name for name in shared)


def test_an_encoder_can_be_tuned_twice() -> None:
    """Protects: follow-ups are read by the tuned encoder with its last layers changed once more, alone and in bulk."""
    published = SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))
    tuned = TunedEmbedder(published)
    twice = TunedEmbedder(tuned, [DIALOGUE], "make dialogue")
    assert len({published.key, tuned.key, twice.key}) == 3
    assert [a is b for a, b in zip(twice.bert.layers, tuned.bert.layers, strict=True)] == [True] * 4 + [False] * 2
    texts = [f"And {i} of them?" for i in range(20)]
    np.testing.assert_allclose(twice.embed(texts)[:3], twice.embed(texts[:3]), atol=1e-5)
    assert not np.allclose(twice.embed(texts[:1]), tuned.embed(texts[:1]), atol=1e-2)


def test_weights_of_another_encoder_are_refused(tmp_path: Path) -> None:
    """A foreign file is not used in silence, and the error says what to run."""
    import torch
    from safetensors.torch import save_file

    save_file({"some.weight": torch.ones(2)}, tmp_path / "tuned.safetensors")
    published = SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))
    for paths in ([tmp_path / "tuned.safetensors"], TUNED[:1]):
        with pytest.raises(WeightsError, match=rf"{paths[0].name} must hold the last layers.*make encoder"):
            TunedEmbedder(published, paths).embed(["cats"])


def test_a_missing_or_damaged_file_is_told_before_anyone_asks(tmp_path: Path) -> None:
    """The error comes with the start, names the file and says what to run."""
    published = SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))
    path = tmp_path / "dialogue.safetensors"
    for content in (None, b"", DIALOGUE.read_bytes()[:100_000]):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"dialogue\.safetensors is missing or damaged.*make dialogue"):
            TunedEmbedder(published, [path], "make dialogue")


def test_lots_that_are_embedded_as_one_come_back_to_their_askers() -> None:
    """Protects: of learners who ask at the same moment, each gets the vectors of its own texts, as if it had asked alone."""
    embedder = SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))
    lots = [
        ["cats"],
        ["What is the difference between pruning and quantization, in bits and in bytes?", "dogs"],
        ["tea"] * 3,
    ]
    together = on_tensor_thread(lambda: embedder._encode_lots(lots))
    assert [len(vectors) for vectors in together] == [1, 2, 3]
    for lot, vectors in zip(lots, together, strict=True):
        np.testing.assert_allclose(vectors, embedder.embed(lot), atol=1e-5)


def test_many_texts_at_once_are_as_good_as_few() -> None:
    """Half precision for bulk moves no vector by more than a thousandth of a cosine from the full one."""
    embedder = SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))
    texts = [f"What is the difference between {i} and {i + 1} bits?" for i in range(600)]
    many = embedder.embed(texts)[:5]
    assert np.all((many * embedder.embed(texts[:5])).sum(1) > 0.999)
