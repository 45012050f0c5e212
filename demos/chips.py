"""Published peak figures of accelerators, to set beside what this machine measures. Nothing here was measured by us.

Dense 16-bit matrix multiplication; NVIDIA's H100 sheet prints the rate with 2:4 sparsity (1,979) and says that the dense
one is half of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """One chip as its maker describes it: dense bf16 matrix multiplication in TFLOP/s (10^12 a second), memory bandwidth in GB/s (10^9 bytes)."""

    key: str
    maker: str
    model: str
    bf16_tflops: float
    memory_gb_s: float
    source: str
    url: str

    @property
    def name(self) -> str:
        return f"{self.maker} {self.model}"


CHIPS = (
    Chip(
        "a100",
        "NVIDIA",
        "A100 80GB SXM",
        312,
        2039,
        "NVIDIA, A100 Tensor Core GPU data sheet",
        "https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/"
        "nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf",
    ),
    Chip(
        "h100",
        "NVIDIA",
        "H100 SXM",
        989,
        3350,
        "NVIDIA, H100 Tensor Core GPU, product specifications (1,979 TFLOPS with sparsity, half of it dense)",
        "https://www.nvidia.com/en-us/data-center/h100/",
    ),
    Chip("v5e", "Google", "TPU v5e", 197, 819, "Google Cloud, TPU v5e", "https://docs.cloud.google.com/tpu/docs/v5e"),
    Chip("v5p", "Google", "TPU v5p", 459, 2765, "Google Cloud, TPU v5p", "https://docs.cloud.google.com/tpu/docs/v5p"),
    Chip(
        "v6e",
        "Google",
        "TPU v6e (Trillium)",
        918,
        1638,
        "Google Cloud, TPU v6e",
        "https://docs.cloud.google.com/tpu/docs/v6e",
    ),
)


def sources() -> str:
    """The published figures with their sources, a line each, for the learner to read."""
    return "\n".join(
        f"{chip.name}: {chip.bf16_tflops:.0f} TFLOP/s (bf16, dense), {chip.memory_gb_s:,.0f} GB/s. "
        f"Published by {chip.source}, {chip.url}"
        for chip in CHIPS
    )
