"""How the hardware experiment words what it measured, and which limit it names."""

from __future__ import annotations

from collections.abc import Mapping

from demos import words
from demos.base import Table
from demos.chips import CHIPS
from demos.roofline import Roofline

SMALL = 0.1  # a run that uses a smaller share of a limit isn't near it
RAN_IN_FP32 = "It has no instructions for bf16 and only emulates them, so the model ran in fp32. "
MEMORY, COMPUTE, NEITHER = "Its memory bandwidth", "Its calculating speed", "Neither: it stays below a tenth of both"


def chip_table(machine: Roofline, dtype: str, bounds: Mapping[str, float]) -> Table:
    """The limits of this machine and the published ones, with the computed bound of decode; a row a chip."""
    columns = (
        "Chip",
        "Calculating (TFLOP/s)",
        "Memory (GB/s)",
        "Ridge (FLOP/byte)",
        "Decode at most (tokens/s, computed)",
    )
    cells = (
        (name, words.number(roof.gflops / 1000), words.number(roof.gb_s), words.number(roof.ridge), words.number(bound))
        for (name, roof), bound in zip(chip_roofs(machine, dtype).items(), bounds.values(), strict=True)
    )
    return Table(columns, tuple(cells))


def chip_roofs(machine: Roofline, dtype: str) -> dict[str, Roofline]:
    """Each chip's limits by the name that the learner reads, this machine's first."""
    return {f"This machine, {dtype} (measured)": machine} | {
        f"{chip.name}, bf16 (published)": Roofline(1000 * chip.bf16_tflops, chip.memory_gb_s) for chip in CHIPS
    }


def list_multiplications(matmul: Mapping[tuple[str, int], float]) -> str:
    """Every measured speed, a line each."""
    return "\n".join(f"{dtype}, {size} x {size}: {speed:.0f} GFLOP/s" for (dtype, size), speed in matmul.items())


def limit(metrics: Mapping[str, float | int]) -> str:
    """The limit that decode for one user comes closer to, by the share of each that it uses."""
    memory = metrics["decode_gb_s"] / metrics["memory_gb_s"]
    compute = metrics["decode_gflops"] / metrics["peak_gflops"]
    return NEITHER if max(memory, compute) < SMALL else MEMORY if memory > compute else COMPUTE


def summary_of(metrics: Mapping[str, float], dtype: str, prompt: int, emulated: bool = False) -> str:
    """What was measured in words; judgements depend on the shares of the two limits and on the measured ratios.

    `emulated` says that bf16 was wanted and the model ran in `dtype` instead.
    """
    memory = metrics["decode_gb_s"] / metrics["memory_gb_s"]
    compute = metrics["decode_gflops"] / metrics["peak_gflops"]
    ceiling = "a roofline is a ceiling, which many small operations one after another do not reach"
    rest = f", though it stays well below: {ceiling}" if memory < 0.5 else ""
    verdict = {
        MEMORY: f"so it is memory that it comes closer to{rest}",
        COMPUTE: "so on this machine it comes closer to the calculating speed",
        NEITHER: f"so neither limit is near: {ceiling}",
    }[limit(metrics)]
    rows = int(metrics["rows"])
    more = metrics["batch_tokens_per_s"] / metrics["decode_tokens_per_s"]
    shared = f"{more:.1f} times as many, since one reading of the weights serves all"
    if more < 1.2:
        shared = "hardly more on this machine"
    use = metrics["prefill_gflops"] / metrics["peak_gflops"]
    faster = "and uses" if use > 2 * compute else "and yet uses only"
    first = (
        f"{RAN_IN_FP32 if emulated else ''}"
        f"Decode, writing one token at a time for one user in {dtype}, reads {metrics['weights_mb']:.0f} MB of weights for "
        f"each token and does only {metrics['decode_flop_per_byte']:.1f} operations a byte: "
        f"{metrics['decode_tokens_per_s']:.0f} tokens/s use {memory:.0%} of the memory bandwidth and {compute:.0%} of the "
        f"calculating speed, {verdict}. "
        f"For {rows} users at once it wrote {metrics['batch_tokens_per_s']:.0f} tokens/s in all, {shared}."
    )
    further = (
        f"This machine's CPU reached {metrics['matmul_bf16_gflops']:.0f} GFLOP/s (billion operations a second) multiplying "
        f"matrices in bf16 and {metrics['matmul_fp32_gflops']:.0f} in fp32, and moved {metrics['memory_gb_s']:.0f} GB/s to "
        f"or from memory. "
        f"Prefill, reading {prompt} tokens of a prompt together, does {metrics['prefill_flop_per_byte']:.0f} operations a "
        f"byte {faster} {use:.0%} of the calculating speed, at {metrics['prefill_tokens_per_s']:.0f} tokens/s. "
        f"From published bandwidths follows a computed upper bound for one user of this model, not a measurement: "
        f"{metrics['h100_bound_tokens_per_s']:,.0f} tokens/s on an H100 GPU and {metrics['v6e_bound_tokens_per_s']:,.0f} on a "
        f"TPU v6e, although by their published figures both calculate about equally fast."
    )
    return words.paragraphs([first], [further])
