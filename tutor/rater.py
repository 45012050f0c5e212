"""How well does a sentence answer a question, and does it say Yes or No? A small cross-encoder, beside the model's likelihoods.

Question and sentence are read together (Nogueira & Cho 2019, arXiv:1901.04085) by all-MiniLM-L6-v2, which is in the cache for the search
anyway, with LoRA weights and two linear heads of our own, trained on the teacher's examples (`make rater`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tutor.compute import on_tensor_thread
from tutor.errors import WeightsError

if TYPE_CHECKING:
    import torch

RATER = Path(__file__).parent / "distill" / "rater"
LONGEST = 128  # tokens of question and sentence together


@dataclass(frozen=True)
class Ratings:
    """Logits, one a sentence: that it belongs to the answer, and that it answers Yes rather than No."""

    fits: NDArray[np.float32]
    says_yes: NDArray[np.float32]


def unrated(count: int) -> Ratings:
    """Ratings that say nothing."""
    return Ratings(np.zeros(count, np.float32), np.zeros(count, np.float32))


class Rater:
    """The cross-encoder. Thread-safe: its weights are only read."""

    def __init__(self, base: Path, folder: Path = RATER) -> None:
        """`base` is the sentence embedder's folder. Raises WeightsError for damaged or foreign weights."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        from transformers import AutoModel, AutoTokenizer

        from tutor.engines.adapter import merge_adapter

        self._tokenizer = AutoTokenizer.from_pretrained(base)
        self._model: Any = AutoModel.from_pretrained(base, add_pooling_layer=False).eval()
        merge_adapter(self._model, folder)
        try:
            self._head = load_file(folder / "head.safetensors")
            assert self._head["weight"].shape == (2, self._model.config.hidden_size)
        except (OSError, KeyError, AssertionError, SafetensorError) as error:
            raise WeightsError(f"The head in {folder} is damaged ({error}); restore it with `git checkout`.") from error

    def rate(self, query: str, sentences: Sequence[str]) -> Ratings:
        """Rate the sentences for one question."""
        import torch

        if not sentences:
            return unrated(0)

        def logits() -> NDArray[np.float32]:
            with torch.inference_mode():
                pooled = encode_pairs(self._model, self._tokenizer, [(query, sentence) for sentence in sentences])
                rows: torch.Tensor = torch.nn.functional.linear(pooled, self._head["weight"], self._head["bias"])
            return rows.numpy()

        found = on_tensor_thread(logits)
        return Ratings(found[:, 0], found[:, 1])


def encode_pairs(model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> torch.Tensor:
    """Mean-pooled states (pairs, hidden) of question and sentence read together."""
    batch = tokenizer(
        [question for question, _ in pairs],
        [sentence for _, sentence in pairs],
        padding=True,
        truncation="longest_first",
        max_length=LONGEST,
        return_tensors="pt",
    )
    states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None].to(states.dtype)
    pooled: torch.Tensor = (states * mask).sum(1) / mask.sum(1)
    return pooled
