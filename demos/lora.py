"""Full fine-tuning, LoRA and QLoRA from the same pretrained network, on the same batches.

A small decoder first learns to continue English letter by letter; then it is fine-tuned on English without vowels in
three ways. Measured are what each trains and holds in memory, what it learns, and how much of the old text it forgets.
LoRA: Hu et al. 2021, arXiv:2106.09685. QLoRA: Dettmers et al. 2023, arXiv:2305.14314.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from demos import adapters, letters, lora_words
from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress, Table
from demos.finetuning import PRETRAINING, PRETRAINING_STEPS, Rates, share_changed, train
from demos.finetuning_chart import finetuning_chart
from demos.levels import LOOSELY_STEPS, SAID_STEPS, TO
from demos.measure import Span
from demos.seeding import generator

# LoRA's best learning rate is about ten times that of full fine-tuning (Schulman et al. 2025, LoRA Without Regret); for
# both, half and twice of these learn less or hardly more.
FULL, ADAPTER = Rates(2e-3), Rates(2e-2)
LITTLE, MIDDLE, MUCH = (
    "about as small a share as the weights it trains",
    "more than that, but less than half",
    "over half",
)
_SETS = "full-fine-tuning-vs-lora-vs-qlora"


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    rank, alpha, steps = int(settings["rank"]), int(settings["alpha"]), int(settings["steps"])
    texts = yield from letters.read_passages(Span(0.0, 0.04))
    yield Progress(0.04, "Leaving out the vowels")
    old = letters.task_of(texts)
    new = letters.task_of([letters.leave_out_vowels(text) for text in texts])
    base = letters.decoder(generator(lab.seed, 1))
    note = "Pretraining a small network on English"
    yield from train(base, old.training, generator(lab.seed, 2), PRETRAINING, PRETRAINING_STEPS, Span(0.05, 0.4), note)

    metrics: dict[str, float] = {"rank": rank, "alpha": alpha, "steps": steps}
    metrics["parameters"] = sum(parameter.numel() for parameter in base.parameters())
    learned, kept, memory = {}, {}, {}
    for i, (key, name) in enumerate(lora_words.METHODS.items()):
        model = deepcopy(base)
        if key != "full":
            adapters.adapt(model, rank, alpha, generator(lab.seed, 3), quantize=key == "qlora")
        span, note = Span(0.4 + 0.19 * i, 0.59 + 0.19 * i), f"Fine-tuning on English without vowels: {name}"
        rates, source = FULL if key == "full" else ADAPTER, generator(lab.seed, 4)
        log = yield from train(model, new.training, source, rates, steps, span, note, (new.held_out, old.held_out))
        learned[name], kept[name] = ([losses[j] for losses in log.losses.values()] for j in range(2))
        memory[name] = adapters.memory_mb(model, log.optimizer)
        tuned = sum(parameter.numel() for parameter in adapters.trained(model))
        metrics |= {
            f"trained_{key}": tuned,
            f"trained_share_{key}": tuned / metrics["parameters"],
            f"loss_new_{key}": learned[name][-1],
            f"loss_old_{key}": kept[name][-1],
            f"memory_mb_{key}": sum(memory[name].values()),
            **{f"{part}_mb_{key}": value for part, value in memory[name].items()},
            f"to_store_mb_{key}": tuned * 4 / 1e6,
        }
        if key == "full":
            metrics |= {"loss_new_before": learned[name][0], "loss_old_before": kept[name][0]}
        if key != "qlora":
            metrics[f"base_changed_share_{key}"] = share_changed(base, model)
    yield Progress(0.98, "Drawing")
    yield DemoResult(
        summary=lora_words.summary(metrics),
        table=Table(("Measure", *lora_words.METHODS.values()), lora_words.rows(metrics)),
        metrics=metrics,
        figure=finetuning_chart(list(log.losses), learned, kept, memory),
        figure_alt=lora_words.alt(metrics),
        exhibits={"Old text (pretraining)": old.sample, "New text (fine-tuning)": new.sample},
    )


def _outcome(metrics: Mapping[str, float | int]) -> str:
    share = metrics["memory_mb_lora"] / metrics["memory_mb_full"]
    if share > 0.5:
        return MUCH
    return LITTLE if share < 1.5 * metrics["trained_share_lora"] else MIDDLE


LORA = Demo(
    name="lora",
    title="Fine-tune fully, with LoRA and with QLoRA",
    concepts=("full-fine-tuning-vs-lora-vs-qlora", "parameters-vs-hyperparameters", "rag-vs-fine-tuning"),
    because={
        "quality": ("full-fine-tuning-vs-lora-vs-qlora#why-a-low-rank-is-enough-for-lora", 0),
        "size": ("full-fine-tuning-vs-lora-vs-qlora#why-lora-saves-memory", 0),
    },
    params=(
        Param(
            "rank",
            4,
            "LoRA's rank: the thin side of its two matrices",
            1,
            32,
            spoken=(rf"\brank{TO}(\d+|one)\b", r"\br ?= ?(\d+)\b", r"\b(\d+) (?:as|for) (?:the |its |a )?rank\b"),
            loose=(
                r"\brank\w*\b(?:(?!\b(?:alpha|steps|updates)\b)[^.;\d]){0,25}?(\d+|one)\b",
                r"\b(\d+)[- ](?:dim\w*|rank)\b|(?-i:\br(\d+)[ ,/]*a\d)",
                r"\bwidth (?:of )?(\d+|one)\b|\bonly (\d+) wide\b",
            ),
        ),
        Param(
            "alpha",
            8,
            "LoRA's alpha: the adapter's output counts alpha / rank times",
            1,
            64,
            spoken=(rf"\balpha{TO}(\d+|one)\b", r"\b(\d+) (?:as|for) (?:the |its |an? )?alpha\b"),
            loose=(
                r"\balpha\b(?:(?!\b(?:rank|steps|updates)\b)[^.;\d]){0,25}?(\d+|one)\b|\ba ?= ?(\d+)\b|(?-i:\br\d+[ ,/]*a(\d+)\b)",
            ),
            relative=(
                (
                    r"\balpha\b[^.;\d]{0,15}?\b(?:twice|double|2 times|2 ?x)(?: (?:the|its|this|of))* (?:rank|r|that|it)\b",
                    "rank",
                    2.0,
                ),
                (
                    r"\balpha\b[^.;\d]{0,15}?(?:\bequal to|\bequals?|\bthe same as|\bas (?:high|large) as|=) (?:(?:the|its) )?(?:rank|r|it)\b",
                    "rank",
                    1.0,
                ),
            ),
        ),
        Param(
            "steps",
            50,
            "fine-tuning steps",
            20,
            100,
            spoken=SAID_STEPS,
            loose=LOOSELY_STEPS,
        ),
    ),
    run=run,
    words=r"(?:\b(?:\d|four)[- ]bit )?\bq?-?lora\b(?! calculation)(?:.{0,30}\b(?:\d|four)[- ]?bits?\b)?|\blow[- ]rank\b|"
    r"(?<!rag vs )(?<!rag and )(?<!rag or )(?<!rag, )(?<!supervised )(?<!instruction )\b(?:full )?fine[- ]?tun(?:e|ing)\b"
    r"(?! (?:vs\.?|or|and) rag)|\badapters?\b|\bcatastrophic forgetting\b",
    verbs=r"fine[- ]?tune(?: (?:it|(?:the|an?) (?:small |tiny )?(?:network|model)))?(?: for me)?(?: (?:with|using|at|for|in)\b|[.!]?$)",
    prediction=Prediction(
        "LoRA trains only small extra matrices beside the frozen weights. How much of full fine-tuning's memory (weights, "
        "gradients, optimizer) does it need?",
        (LITTLE, MIDDLE, MUCH),
        _outcome,
        {LITTLE: f"{_SETS}#why-lora-saves-memory", MUCH: f"{_SETS}#how-full-fine-tuning-works"},
    ),
    say="fine-tune with LoRA of rank 16",
    measured="a small network trained for this run",
)
