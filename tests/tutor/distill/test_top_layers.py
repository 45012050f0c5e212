"""The encoder's last layers, as they are trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from knowledge.dialogue import DIALOGUE
from knowledge.embedder import TUNED, SentenceEmbedder, TunedEmbedder
from tutor.distill.top_layers import TopLayers, dropped
from tutor.engines.weights import ensure_embedder
from tutor.settings import Settings


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
        TopLayers(str(ensure_embedder(Settings.from_environ({}).cache)), 4, [tmp_path / "tuned.safetensors"])


def test_a_text_loses_the_same_features_at_each_token() -> None:
    """Protects: one mask a text, another for the next, and none where nothing is trained."""
    torch.manual_seed(0)
    x = torch.ones(4, 5, 64)
    found = dropped(x, 0.5, train=True)
    assert torch.equal(found, found[:, :1].expand_as(found)) and not torch.equal(found[0], found[1])
    assert set(found.flatten().tolist()) == {0.0, 2.0}
    assert dropped(x, 0.5, train=False) is x
