"""Pretraining, mid-training, SFT and RL: one tiny transformer is taken through all stages, and examined after each.

All texts are made up in the run. The questions of the exam never occur as questions in training, so that what is
answered there was learned from sums in running text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from demos import stage_chart, stage_words
from demos.base import Demo, DemoResult, Lab, Progress
from demos.measure import Span
from demos.stage_settings import PARAMS, SKIPPING
from demos.stage_words import MID_TRAINING, PRETRAINING, RL, SFT

HELD_OUT = 40  # sums of the exam, of 144
STEPS = {PRETRAINING: 350, MID_TRAINING: 250, SFT: 20}
RATES = {PRETRAINING: 4e-3, MID_TRAINING: 3e-3}  # learning rates
POINTS = 8  # of the loss curve in a stage
WORK = {PRETRAINING: 1, MID_TRAINING: 1, SFT: 1, RL: 6}  # of a step, against a step on running text


@dataclass(frozen=True)
class Stage:
    """A stage under way: each `next(training)` makes one step."""

    name: str
    steps: int
    training: Iterator[None]


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    yield Progress(0.0, "Making up texts")
    from demos.seeding import generator
    from demos.stage_exam import Exam
    from demos.stage_texts import VOCABULARY, Corpus, split_sums
    from demos.stage_training import imitate_answers, read_texts, seek_rewards
    from demos.tiny_transformer import tiny_transformer

    sums = split_sums(f"{lab.seed} split", HELD_OUT)
    # Texts of its own for each stage: those of the others stay the same where one is skipped.
    corpora = {name: Corpus(sums, f"{lab.seed} {name}") for name in (*STEPS, RL, "exam")}
    model = tiny_transformer(len(VOCABULARY), generator(lab.seed))
    exam = Exam(sums.held_out, corpora["exam"])
    steps = {**STEPS, RL: int(settings["rl-steps"])}
    pairs = sums.train[: int(settings["pairs"])]
    texts = {PRETRAINING: corpora[PRETRAINING].web, MID_TRAINING: corpora[MID_TRAINING].textbook}
    training = {name: read_texts(model, write, steps[name], RATES[name]) for name, write in texts.items()}
    training[SFT] = imitate_answers(model, corpora[SFT], pairs, steps[SFT])
    training[RL] = seek_rewards(model, corpora[RL], sums.train, steps[RL], generator(lab.seed, 1))
    stages = [Stage(name, steps[name], training[name]) for name in training if name != settings["skip"]]

    metrics: dict[str, float] = {
        "questions": HELD_OUT,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "sft_pairs": len(pairs),
        "rl_steps": steps[RL],
    }
    curve = [(0.0, exam.losses(model))]
    exhibits: dict[str, str] = {}
    work = sum(stage.steps * WORK[stage.name] for stage in stages)
    done = 0
    for i, stage in enumerate(stages):
        own = stage.steps * WORK[stage.name]
        span = Span(0.02 + 0.94 * done / work, 0.02 + 0.94 * (done + own) / work)
        measured = {round(stage.steps * point / POINTS) for point in range(1, POINTS + 1)}
        every = max(WORK.values()) // WORK[stage.name]  # steps between two notes, which are all about as far apart
        for step, _ in enumerate(stage.training, 1):
            if step % every == 1 % every:
                yield span.step(step, stage.steps, f"{stage_words.WORDED[stage.name]}: step {step} of {stage.steps}")
            if step in measured:
                curve.append((i + step / stage.steps, exam.losses(model)))
        done += own
        yield span.step(1, 1, f"Examining the model after {stage_words.WORDED[stage.name]}")
        metrics |= stage_words.named(stage.name, exam.grade(model, generator(lab.seed, 2)), curve[-1][1])
        exhibits[f"After {stage_words.WORDED[stage.name]} (⏎: end of a line)"] = exam.show(model)
    yield Progress(0.97, "Drawing")
    names = [stage.name for stage in stages]
    yield DemoResult(
        summary=stage_words.summary_of(metrics),
        table=stage_words.table_of(names, metrics),
        metrics=metrics,
        figure=stage_chart.stages_chart(names, curve, metrics),
        figure_alt=stage_words.described(names, metrics),
        exhibits=exhibits,
    )


STAGES = Demo(
    name="stages",
    title="One model through pretraining, mid-training, SFT and RL",
    concepts=(
        "pretraining-vs-midtraining-vs-posttraining",
        "base-vs-instruct-vs-reasoning",
        "sft-vs-rlhf-vs-dpo-vs-rlvr",
    ),
    params=PARAMS,
    run=run,
    words=r"\b(?:training )?(?:stages|phases)\b(?: of training)?|\b(?:stage|phase) of (?:the )?training\b|\btraining (?:stage|phase)\b|\b(?:pre|mid|post)[- ]?train\w*|\bsft\b|\brlvr\b|"
    r"\b(?:supervised|instruction) (?:fine[- ]?)?tun\w+|\b(?:verifiable|checked) rewards?\b|\bbase models?\b|"
    rf"{SKIPPING}(?:mid[- ]?train\w*|sft|rlvr|rl)\b",
    prediction=stage_words.PREDICTION,
    because={
        "quality": (
            "pretraining-vs-midtraining-vs-posttraining#post-training-is-not-where-most-knowledge-comes-from",
            0,
        )
    },
    say="run the training stages without mid-training",
    measured="a small network trained for this run",
)
