"""Post-training quantization: round the weights of the linear layers to 2-8 bits, and measure what that costs.

Round-to-nearest without calibration data: the plainest member of the family that GPTQ and AWQ refine. The rounded
weights are expanded to the model's own type to be measured, so that perplexity and answers need no special kernel;
speed is measured with a kernel that reads the packed codes, where PyTorch has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from demos import charts, kernels, measure, words
from demos.base import Demo, DemoResult, Lab, Param, Progress
from demos.compare import Change, Outcome, compare
from demos.rounding import Rounded, quantize_per_channel, quantize_per_group

if TYPE_CHECKING:
    from torch.nn import Linear

CURVE = (2, 3, 4, 8)


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    bits, group = int(settings["bits"]), int(settings["group-size"])

    def apply(source: Linear, target: Linear, level: float) -> float:
        rounded = _round(source, int(level), group)
        target.weight.data.copy_(rounded.values())
        return rounded.stored_bits()

    kernel = _kernel(bits, group)

    def shrink(source: Linear, target: Linear) -> None:
        rounded = _round(source, bits, group)
        if kernel is not None and kernels.can_run(source, kernel):
            kernel(target, rounded)

    outcome = yield from compare(
        lab,
        Change(
            name=f"the {bits}-bit model",
            doing="Rounding the weights",
            level=bits,
            other_levels=tuple(level for level in CURVE if level != bits),
            apply=apply,
            shrink=None if kernel is None else shrink,
        ),
        str(settings["layers"]),
    )
