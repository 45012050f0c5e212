"""The encoder written out: the library's vectors for less work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from knowledge.bert import Bert, Layer
from knowledge.embedder import LONGEST, SHARED, SentenceEmbedder, TunedEmbedder
from tutor.compute import on_tensor_thread
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings

TEXTS = ("cats", "Größe 🦋 of a KV cache?", "What is the difference between pruning and quantization? " * 40)


@pytest.fixture(scope="module")
def published() -> SentenceEmbedder:
    """The encoder as it was published."""
    return SentenceEmbedder(ensure_embedder(Settings.from_environ({}).cache))


def test_few_texts_get_the_vectors_that_the_library_gives(published: SentenceEmbedder) -> None:
    """Protects retrieval: index and question are embedded in different ways, short, long, cut or of other scripts, and must agree."""
    for embedder in (published, TunedEmbedder(published)):
        library = on_tensor_thread(lambda encoder=embedder: encoder._encode_many(TEXTS))  # type: ignore[misc]
        np.testing.assert_allclose(embedder.embed(TEXTS), library, atol=1e-5)


def test_both_encoders_go_on_from_the_same_states(published: SentenceEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the time of a query: the layers below the tuned ones run once for both."""
    tuned, runs = TunedEmbedder(published), []
    run = Bert.run

    def counting(bert: Bert, states: object, start: int = 0, stop: int | None = None) -> object:
        runs.append((start, stop))
        return run(bert, states, start, stop)  # type: ignore[arg-type]

    monkeypatch.setattr(Bert, "run", counting)
    published.embed(["asked of both"])
    tuned.embed(["asked of both"])
    assert runs == [(0, SHARED), (SHARED, None), (SHARED, None)]


def test_a_pair_is_read_as_one_text_of_two_parts(published: SentenceEmbedder) -> None:
    """Protects the reader: a pair is not the two texts put together, and is cut to as many tokens as asked."""
    bert = published.bert
    pair, joined = bert.embed([("Is it so?", "It is so.")], LONGEST), bert.embed(["Is it so? It is so."], LONGEST)
    assert pair.x.shape[1] == joined.x.shape[1] + 1
    assert bert.embed([(TEXTS[2], TEXTS[2])], 64).x.shape[1] == 64


def test_a_layer_gives_back_what_it_was_made_of(published: SentenceEmbedder) -> None:
    """Protects low-rank changes, which are made to single matrices: each comes back under its name."""
    layer = published.bert.layers[0]
    again = Layer.of(layer.weights())
    assert all(torch.equal(value, layer.weights()[name]) for name, value in again.weights().items())
    assert not torch.equal(layer.weights()["attention.self.query.weight"], layer.weights()["attention.self.key.weight"])


def test_a_folder_of_another_model_is_refused(tmp_path: Path) -> None:
    """A file that holds no encoder is no encoder of no layers."""
    from safetensors.torch import save_file

    save_file({"some.weight": torch.ones(2)}, tmp_path / "model.safetensors")
    with pytest.raises(KeyError, match="embeddings"):
        Bert.load(tmp_path)
