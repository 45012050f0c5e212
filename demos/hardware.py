"""CPU, GPU and TPU: what this machine's two limits are, and how prefill and decode of the model stand under them.

Matrix multiplication and memory bandwidth are measured and make a roofline (doi:10.1145/1498765.1498785); the model's
own passes are timed and set under it. Figures of other chips are published ones and marked as such.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from demos import inference_charts, measure, roofline, words
from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress
from demos.chips import CHIPS, sources
from demos.hardware_words import COMPUTE, MEMORY, NEITHER, chip_table, limit, list_multiplications, summary_of
from demos.levels import COUNT, TO
from demos.measure import Span
from demos.roofline import Roofline

EMULATION_RATIO = 8  # times slower than fp32, from which a type has no instructions of its own on this CPU
PROMPT, PAST = 128, 64  # tokens read in prefill, and held in the cache while a decode step is timed


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    dtype, rows = str(settings["dtype"]), int(settings["rows"])
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    text = measure.evaluation_windows(specimen.tokenizer, 1)[0].to(specimen.model.device)
    matmul = yield from roofline.measure_matmul(Span(0.15, 0.4))
    bandwidth = yield from roofline.measure_bandwidth(Span(0.4, 0.5))
    peaks = {name: max(speed for (kind, _), speed in matmul.items() if kind == name) for name in roofline.DTYPES}
    # In a type that the CPU only emulates, a prompt would take it half a minute to read, and nothing could stop it there.
    emulated = dtype == "bf16" and peaks["bf16"] * EMULATION_RATIO < peaks["fp32"]
    dtype = "fp32" if emulated else dtype
    model = specimen.model.float() if dtype == "fp32" else specimen.model.bfloat16()
    works = yield from roofline.measure_model(model, text, rows, PAST, PROMPT, Span(0.5, 0.95))
    yield Progress(0.95, "Drawing")
    machine = Roofline(peaks[dtype], max(bandwidth.values()))
    weights = roofline.model_bytes(model)
    bounds = {"this machine": machine.gb_s * 1e9 / weights} | {
        chip.name: chip.memory_gb_s * 1e9 / weights for chip in CHIPS
    }
    metrics: dict[str, float] = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "weights_mb": weights / 1e6,
        "rows": rows,
        "bf16_emulated": int(emulated),
        **{f"matmul_{name}_gflops": peak for name, peak in peaks.items()},
        "peak_gflops": machine.gflops,
        "read_gb_s": bandwidth["read"],
        "copy_gb_s": bandwidth["copy"],
        "memory_gb_s": machine.gb_s,
        "bound_tokens_per_s": bounds["this machine"],
        **{f"{chip.key}_bound_tokens_per_s": bounds[chip.name] for chip in CHIPS},
    }
    for name, work in works.items():
        metrics |= {
            f"{name}_flop_per_byte": work.intensity,
            f"{name}_gflops": work.gflops,
            f"{name}_gb_s": work.gb_s,
            f"{name}_tokens_per_s": work.tokens_per_s,
        }
    shown = {"decode": works["decode"], f"{rows} users": works["batch"], "prefill": works["prefill"]}
    yield DemoResult(
        summary=summary_of(metrics, dtype, PROMPT, emulated),
        table=chip_table(machine, dtype, bounds),
        metrics=metrics,
        figure=inference_charts.roofline_chart(machine, shown, bounds, dtype),
        figure_alt=f"Roofline of this machine: {words.number(machine.gflops)} GFLOP/s, {words.number(machine.gb_s)} GB/s; "
        + ", ".join(
            f"{name} {words.number(work.gflops)} GFLOP/s at {words.number(work.intensity)} FLOP/byte"
            for name, work in shown.items()
        )
        + ". Computed bound of decode in tokens/s: "
        + ", ".join(f"{name} {words.number(bound)}" for name, bound in bounds.items())
        + ".",
        exhibits={
            "Published figures and their sources (not measured here)": sources(),
            f"Matrix multiplications measured on this machine ({os.cpu_count()} CPU cores)": list_multiplications(
                matmul
            ),
        },
    )


# Whoever may wait for an answer beside others.
_ASKERS = (
    r"(?:users?|people|ppl|persons?|folks?|guys|customers?|clients?|students?|pupils?|learners?|kids|children|classmates?|colleagues|employees|workers|coworkers|members|friends|guests?|visitors?|"
    r"tenants?|patients?|readers?|players?|viewers?|callers?|chats|conversations|sessions|streams|requests|queries)"
)

HARDWARE = Demo(
    name="hardware",
    title="Calculating speed and memory bandwidth, here and on other chips",
    concepts=("cpu-vs-gpu-vs-tpu",),
    params=(
        Param(
            "rows",
            8,
            "users whose answers are written at once (batch size)",
            2,
            32,
            spoken=(
                rf"\b(\d+|{COUNT}) rows\b",
                rf"\bbatch(?:es)?(?: size)?{TO}(?:(?:1|one) (?:and|vs\.?|versus|against|or|then|to) )?(?!1\b)(\d+|{COUNT})\b|\b(?:a )?class of (\d+)\b",
                # One user alone is always measured beside.
                rf"\b(?!1 )(\d+|{COUNT}) (?:(?!by |for |from |to )\w+ ){{0,2}}?{_ASKERS}\b",
                rf"\b(\d+|{COUNT}) (?:(?:answers|prompts|of (?:them|us|those)|\w+ing|asked) )?(?:at once|at the same time|simultaneously|in parallel|concurrently)\b",
            ),
            loose=(
                r"\bbatch\w*[^\w.;]+(?:[a-z]+ ){0,3}?(\d+)\b(?!-?\s*bits?)",
                r"\b(\d+) answers (?:\w+ ){0,2}?(?:side by side|in one batch)\b",
                (rf"\b(?:pair|couple) of {_ASKERS}\b", 2),
                r"\b(\d+) (?:\w+ ){0,2}?(?:learners|conversations|chats|streams|sequences|requests|texts|lanes)\b|\brows\D{0,12}(\d+)\b",
            ),
        ),
        Param(
            "dtype",
            "bf16",
            "how the weights are stored: 16 bits (bf16) or 32 bits (fp32)",
            choices=("bf16", "fp32"),
            spoken=(
                (r"\bfp32\b|\bfloat ?32\b|\bsingle precision\b|\b32[- ]bits?\b", "fp32"),
                (r"\bbf16\b|\bbfloat ?16\b", "bf16"),
            ),
            loose=(
                (r"\bfp[- ]32\b|\bfull (?:precision|fat|float\w*)\b|\bfloats? of 32\b|\b32\b(?= ?-?bit)", "fp32"),
                (r"\b16[- ]bits?\b|\bbf[- ]16\b|\bhalf precision\b|\bbrain floats?\b", "bf16"),
            ),
        ),
    ),
    run=run,
    words=r"\bhardware\b|\b[cgt]pus?\b|\broof[- ]?lines?\b|\bmemory bandwidth\b|\bmat(?:rix )?mul\w*|\bg?flops?\b|"
    r"\bhow fast is (?:this|my|the|your) (?:machine|computer|laptop)\b",
    verbs=r"(?:benchmark|measure)\b.{0,20}\b(?:machine|computer|hardware|[cgt]pu)\b",
    prediction=Prediction(
        question="The model writes for one user, a token at a time. Which limit of this machine does it come closer to?",
        choices=(COMPUTE, MEMORY, NEITHER),
        outcome=limit,
        gaps={COMPUTE: "prefill-vs-decode#a-faster-calculating-chip-does-not-speed-up-everything"},
    ),
    say="show me the roofline of this machine",
    measured="",
)
