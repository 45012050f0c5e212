"""Post-training quantization (PTQ) and quantization-aware training (QAT) of the same small network, after the same number of steps.

A small decoder learns to continue English letter by letter. Then one copy goes on training as it is and is rounded in the end, and another goes on
with its weights rounded in every step (fake_quantization.py). Measured are their losses on held-out text, at several numbers of bits.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from demos import letters, qat_words
from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress
from demos.fake_quantization import practising_copy, rounded_copy, stored_mb
from demos.finetuning import PRETRAINING, PRETRAINING_STEPS, READ_WINDOWS, Rates, train
from demos.levels import COUNT, LOOSELY_STEPS, SAID_BITS, SAID_STEPS, TO, UNTIL_IT_BREAKS, Levels, read_levels, several
from demos.measure import Span, Steps
from demos.qat_chart import qat_chart
from demos.qat_words import LITTLE, MUCH, NONE, UNHURT
from demos.seeding import generator

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

CURVE = (8, 4, 3, 2)
FURTHER = Rates(2e-3)
TIMED = 5  # steps of each kind


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    bits, group, steps = int(settings["bits"]), int(settings["group-size"]), int(settings["steps"])
    compared = [int(level) for level in read_levels(settings["compare"])]
    levels = sorted({bits, *(compared or CURVE)}, reverse=True)
    texts = yield from letters.read_passages(Span(0.0, 0.04))
    task = letters.task_of(texts)
    base = letters.decoder(generator(lab.seed, 1))
    note = "Training a small network on English"
    yield from train(
        base, task.training, generator(lab.seed, 2), PRETRAINING, PRETRAINING_STEPS, Span(0.04, 0.34), note
    )

    exact_span, *spans = Span(0.34, 0.89).split(1, *[1.5] * len(levels))
    held_out = letters.spread_windows(task.held_out, READ_WINDOWS)
    exact = deepcopy(base)
    yield from train(
        exact, task.training, generator(lab.seed, 4), FURTHER, steps, exact_span, "Training on with exact weights"
    )
    metrics: dict[str, float] = {"bits": bits, "steps": steps, "group_size": group}
    metrics |= {
        "loss_exact": _loss(exact, held_out),
        "size_mb_exact": sum(p.numel() for p in exact.parameters()) * 4 / 1e6,
    }
    practised: dict[int, Module] = {}
    for level, span in zip(levels, spans, strict=True):
        practised[level] = practising_copy(base, level, group)
        note = f"Training on with weights rounded to {level} bits"
        yield from train(practised[level], task.training, generator(lab.seed, 4), FURTHER, steps, span, note)
        metrics |= {
            f"loss_ptq_{level}": _loss(rounded_copy(exact, level, group), held_out),
            f"loss_qat_{level}": _loss(practised[level], held_out),
            f"size_mb_{level}": stored_mb(exact, level, group),
        }
    metrics |= yield from _step_times({"exact": exact, "qat": practised[bits]}, held_out, Span(0.9, 0.98))
    yield Progress(0.98, "Drawing")
    yield DemoResult(
        summary=qat_words.summary(metrics, levels),
        table=qat_words.table(metrics, levels),
        metrics=metrics,
        figure=qat_chart(
            levels,
            metrics["loss_exact"],
            [metrics[f"loss_ptq_{level}"] for level in levels],
            [metrics[f"loss_qat_{level}"] for level in levels],
        ),
        figure_alt=qat_words.alt(metrics, levels),
        exhibits={"The text that the network learns": task.sample},
    )


def _loss(model: Module, windows: Tensor) -> float:
    import torch

    with torch.no_grad():
        return float(letters.letter_loss(model, windows))


def _step_times(models: Mapping[str, Module], windows: Tensor, span: Span) -> Steps[dict[str, float]]:
    """Milliseconds of a training step's forward and backward pass by name, in turns, so that other work on the machine hits all alike; the median counts."""
    times: dict[str, list[float]] = {name: [] for name in models}
    for i in range(TIMED):
        yield span.step(i, TIMED, "Timing a training step")
        for name, model in models.items():
            began = time.perf_counter()
            letters.letter_loss(model, windows[: letters.BATCH]).backward()
            times[name].append(1000 * (time.perf_counter() - began))
            model.zero_grad()
    return {f"step_ms_{name}": statistics.median(taken) for name, taken in times.items()}


BITS = Param(
    "bits",
    2,
    "bits a weight",
    1,
    8,
    spoken=SAID_BITS,
    loose=(r"\b(?:to|at|with|in|only|just|use|try) ([1-8])\b(?!\s*(?:[%:.]\d|%|[^\W\d_]))",),
)
_QAT = r"(?:qat|quanti[sz]ation[- ]aware(?: training)?|fake[- ]?quanti[sz]ation)"
_PTQ = r"(?:ptq|post[- ]?training quanti[sz]ation|rounding (?:it )?after(?:wards| training)?)"
_BITS = rf"(?:\b(?:\d|{COUNT})[- ]?bits?\b)"
QAT = Demo(
    name="qat",
    title="Round after training (PTQ) or train with rounding (QAT)",
    concepts=("ptq-vs-qat",),
    because={
        "quality": ("ptq-vs-qat#why-practising-with-rounded-weights-helps", 1),
        "size": ("ptq-vs-qat#speed-and-memory-of-the-result", 0),
        "bigger": ("ptq-vs-qat#why-small-models-lose-more-at-4-bits", 1),
    },
    params=(
        BITS,
        Param(
            "group-size",
            0,
            "neighbouring weights that share a scale; 0: a whole row",
            choices=(0, 32),
            spoken=(
                rf"\b(?:groups?|blocks?)(?:[- ]size)?{TO}(\d+)\b(?![- ]?bits?\b)",
                (r"\bper[- ](?:output[- ])?(?:channel|row)\b|\b(?:no|without) groups\b|\bwhole rows?\b", 0),
            ),
        ),
        Param(
            "steps",
            60,
            "training steps, the same for both",
            20,
            200,
            spoken=SAID_STEPS,
            loose=LOOSELY_STEPS,
        ),
        Levels(
            "compare",
            "",
            "the bits to be measured; if none are given, 8, 4, 3 and 2",
            spoken=(several("bits?"), r"\bbits *[=:] *(\d(?:,? and \d|, ?\d)+)"),
            loose=((UNTIL_IT_BREAKS, "4,3,2,1"),),
            of=BITS,
        ),
    ),
    run=run,
    words=rf"(?:{_BITS}.{{0,20}})?\b{_QAT}\b(?:.{{0,30}}{_BITS})?|\b{_PTQ}(?: \w+)?(?:,? (?:vs\.?|versus|and|against|or|next to|beside|with|to)) (?:the )?{_QAT}\b|"
    r"\btrain\w* (?:it |a (?:small )?(?:model|network) )?(?:with|while|on) (?:the |its )?(?:weights (?:are |being )?)?round(?:ed|ing)(?: weights| on)?\b|\bstraight[- ]through\b",
    prediction=Prediction(
        question="The same network trains on with exact weights that are rounded in the end (PTQ), or with weights that are rounded in every step (QAT). Of the quality that rounding costs, how much does QAT save?",
        choices=(NONE, LITTLE, MUCH, UNHURT),
        outcome=qat_words.outcome,
        gaps={
            NONE: "ptq-vs-qat#why-practising-with-rounded-weights-helps",
            UNHURT: "ptq-vs-qat#quality-at-8-4-and-2-bits",
        },
    ),
    say="show me PTQ against QAT",
    measured="a small network trained for this run",
)
