"""The lowest layers of the embedded model as it was published, with a low-rank change (Hu et al. 2021, arXiv:2106.09685) and an output of their own: they read for the
tutor, beside the model that answers. No library of models is imported for them, which would take longer than they take to load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tutor.engines.adapter import merge_adapter
from tutor.engines.decoder import Decoder
from tutor.engines.llama import Llama, LlamaDecoder
from tutor.engines.models import best_device, fastest_dtype
from tutor.errors import EngineError, WeightsError

if TYPE_CHECKING:
    from torch import Tensor

Encode: TypeAlias = "Callable[[str], Sequence[int]]"
"""A text's tokens."""

WIDTH = -1
"""Stands for the numbers of a state in the shape of an output."""
ANY = -2
"""Stands for any length, the same one in all outputs."""


@dataclass(frozen=True)
class Lower:
    """`decoder` gives the last layer's normed states, fp32; `output` are the weights of what is made of them, by name."""

    decoder: Decoder
    encode: Encode
    output: Mapping[str, Tensor]


def read_lower(folder: Path, layers: int, change: Path, outputs: Mapping[str, tuple[int, ...]], retrain: str) -> Lower:
    """So many layers from a converted model's folder, with the change as peft writes it and the `outputs` beside it, of these shapes (with WIDTH and ANY).

    Raises EngineError if there is no usable model, and WeightsError, which names the command that makes it anew, if the change does not fit it.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    device, dtype = best_device(), fastest_dtype()
    try:
        llama = Llama.read(folder, layers)
        tokenizer = Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise EngineError(
            f"The model in {folder} cannot be loaded ({error}); delete that folder and start again."
        ) from error
    weights = {name: value.to(device, dtype) for name, value in llama.weights.items()}
    merge_adapter(weights, change, retrain)
    try:
        found = load_file(change / "adapter_model.safetensors")
        output = {n: found[n].float() if found[n].is_floating_point() else found[n] for n in outputs}
        _require_shapes(output, outputs, llama.width)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(
            f"The output in {change} is missing or damaged ({error}); restore it with `git checkout`, or retrain it with `{retrain}`."
        ) from error
    there = {name: value.to(device) for name, value in output.items()}
    return Lower(LlamaDecoder(replace(llama, weights=weights)), lambda text: tokenizer.encode(text).ids, there)


def _require_shapes(output: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], width: int) -> None:
    """Raises ValueError for one of another shape."""
    free = {
        size
        for name, shape in shapes.items()
        for size, want in zip(output[name].shape, shape, strict=False)
        if want == ANY
    }
    meant = {WIDTH: width, ANY: max(free, default=0)}
    for name, shape in shapes.items():
        wanted = tuple(meant.get(size, size) for size in shape)
        if tuple(output[name].shape) != wanted:
            raise ValueError(f"{name} must be of shape {wanted}, got {tuple(output[name].shape)}")
