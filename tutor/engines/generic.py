"""Any causal language model of transformers, one lane after another: for models that have no loop of our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tutor.engines.decoder import Pass, Stretch

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedModel


class CacheLane:
    """A lane around transformers' own cache."""

    def __init__(self, cache: DynamicCache) -> None:
        self.cache = cache

    @property
    def length(self) -> int:
        return int(self.cache.get_seq_length())

    def stretch(self, start: int, end: int) -> Stretch:
        layers: Any = self.cache.layers
        return tuple(t[:, :, start:end].clone() for layer in layers for t in (layer.keys, layer.values))

    def append(self, stretch: Stretch) -> None:
        for i in range(0, len(stretch), 2):
            self.cache.update(stretch[i].clone(), stretch[i + 1].clone(), i // 2)

    def rewind(self, length: int) -> None:
        self.cache.crop(length - self.length)


class GenericDecoder:
    """Thread-safe: the weights are only read."""

    apart = False

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model

    def lane(self, capacity: int) -> CacheLane:
        from transformers import DynamicCache

        return CacheLane(DynamicCache(config=self._model.config))

    def run(self, passes: Sequence[Pass]) -> list[torch.Tensor]:
        return [self._run(one) for one in passes]

    def release(self) -> None:
        """Nothing is kept."""

    def _run(self, one: Pass) -> torch.Tensor:
        import torch

        lane: Any = one.lane
        with torch.inference_mode():
            ids = torch.tensor([list(one.tokens)], device=self._model.device)
            output = self._model(input_ids=ids, cache=lane.cache, use_cache=True, logits_to_keep=max(one.keep, 1))
        return output.logits[0, output.logits.shape[1] - one.keep :].float()
