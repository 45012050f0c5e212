"""The sentence encoder's training: batches, and the layers that it changes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from knowledge.dialogue import DIALOGUE
from knowledge.embedder import TUNED, SentenceEmbedder, TunedEmbedder
from tutor.distill.encoder import Asked, TopLayers, batches, dropped
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings


def test_what_is_asked_more_often_comes_more_often() -> None:
    """Protects: questions worded far from the notes count as often as they are told to; none is left out."""
    asked = [Asked(f"near {i}", i % 3) for i in range(300)] + [Asked(f"far {i}", i % 3, often=4) for i in range(60)]
    made = batches(asked, ["cats", "dogs", "tea"], 40, random.Random(0))
    times = Counter(place for batch in made for place in batch)
    near = sum(times[i] for i in range(300)) / 300
    far = sum(times[i] for i in range(300, 360)) / 60
    assert 3.5 < far / near < 4.5
    assert len(made) == 40 and all(times[place] for place in range(len(asked)))


@pytest.mark.parametrize(
    ("layers", "begin", "embedder"),
    [
        (4, TUNED, TunedEmbedder),
        (2, (*TUNED, DIALOGUE), lambda base: TunedEmbedder(TunedEmbedder(base), [DIALOGUE], "make dialogue")),
    ],
)
def test_training_goes_on_from_what_ships(
    layers: int, begin: Sequence[Path], embedder: Callable[[SentenceEmbedder], SentenceEmbedder]
) -> None:
    """Protects: untrained, the encoder in two halves embeds as the one that answers, so that what is trained is what ships."""
    folder = ensure_embedder(Settings.from_environ({}).cache)
    texts = ["What is pruning?", "and how many bits are left, then, of a weight that was rounded?"]
    halves = TopLayers(str(folder), layers, begin)
    with torch.no_grad():
        vectors = halves.upper(halves.lower(texts), train=False).numpy()
    shipped = embedder(SentenceEmbedder(folder)).embed(texts)
    assert np.all((vectors * shipped).sum(1) > 0.999)  # half precision where the chip has it
    assert len(halves.trained()) == 16 * layers


def test_other_weights_are_no_beginning(tmp_path: Path) -> None:
    """Protects: training does not begin anew in silence where a file holds other names."""
    save_file({"some.weight": torch.ones(2)}, tmp_path / "tuned.safetensors")
    with pytest.raises(ValueError, match="make encoder"):
        TopLayers(str(ensure_embedder(Settings.from_environ({}).cache)), begin=[tmp_path / "tuned.safetensors"])


def test_a_text_loses_the_same_features_at_each_token() -> None:
    """Protects: one mask a text, another for the next, and none where nothing is trained."""
    torch.manual_seed(0)
    x = torch.ones(4, 5, 64)
    found = dropped(x, 0.5, train=True)
    assert torch.equal(found, found[:, :1].expand_as(found)) and not torch.equal(found[0], found[1])
    assert set(found.flatten().tolist()) == {0.0, 2.0}
    assert dropped(x, 0.5, train=False) is x
