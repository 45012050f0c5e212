"""Models of transformers from a folder or the Hub, in the type and on the device that are fastest here."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import EngineError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_TIMED = 6  # products of each kind, some hundredths of a second in all


def load_model(source: str | Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A chat model and its tokenizer; raises EngineError if there is no usable one."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=fastest_dtype()).eval()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EngineError(
            f"The model {str(source)!r} cannot be loaded ({first_line}); "
            "set TUTOR_MODEL to a chat model's Hub id or folder, or leave it unset for the embedded one."
        ) from error
    if not tokenizer.chat_template:
        raise EngineError(f"The model {str(source)!r} has no chat template; set TUTOR_MODEL to a chat model.")
    return model.to(best_device()), tokenizer


def best_device() -> str:
    """`cuda` where there is one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def fastest_dtype() -> torch.dtype:
    """bf16 where this machine multiplies bf16 matrices faster than fp32 ones, else fp32 (older CPUs emulate bf16). Measured once, so that all weights are of one kind."""
    import torch

    if best_device() == "cuda":
        return torch.bfloat16
    layers = {
        d: (torch.ones(256, 576, dtype=d), torch.ones(1536, 576, dtype=d)) for d in (torch.float32, torch.bfloat16)
    }
    took: dict[torch.dtype, list[float]] = {dtype: [] for dtype in layers}
    # In turns, and the quickest counts: others may use the cores meanwhile. By this thread's own time, without its waiting for whoever runs Python.
    for _ in range(_TIMED):
        for dtype, (x, w) in layers.items():
            start = time.thread_time()
            torch.nn.functional.linear(x, w)
            took[dtype].append(time.thread_time() - start)
    return min(took, key=lambda dtype: min(took[dtype]))
