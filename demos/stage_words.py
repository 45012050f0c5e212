"""How the run through the stages is worded, from its metrics; a skipped stage has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from demos.base import Prediction, Table

if TYPE_CHECKING:
    from demos.stage_exam import Scores

PRETRAINING, MID_TRAINING, SFT, RL = "pretraining", "mid-training", "sft", "rl"
WORDED = {PRETRAINING: "pretraining", MID_TRAINING: "mid-training", SFT: "SFT", RL: "RL"}


def key(stage: str) -> str:
    """The stage's name as metrics hold it."""
    return stage.replace("-", "_")


def named(stage: str, scores: Scores, losses: Mapping[str, float]) -> dict[str, float]:
    """The metrics of one stage: shares from 0 to 1, losses in nats a token."""
    shares = {"accuracy": scores.accuracy, "best_of_8": scores.best_of_8, "text_accuracy": scores.as_text}
    both = {**shares, **{f"loss_{kind}": loss for kind, loss in losses.items()}}
    return {f"{name}_{key(stage)}": value for name, value in both.items()}


def table_of(stages: Sequence[str], metrics: Mapping[str, float]) -> Table:
    """A row a stage: what the model could do after it, and its losses."""
    rows = []
    for stage in stages:
        shares = (f"{100 * metrics[f'{what}_{key(stage)}']:.0f}" for what in ("accuracy", "best_of_8", "text_accuracy"))
        losses = (f"{metrics[f'loss_{what}_{key(stage)}']:.2f}" for what in ("stories", "sums", "answers"))
        rows.append((WORDED[stage], *shares, *losses))
    shares_of = ("Answers right (%)", "Questions right in 8 tries (%)", "Same sums right as text (%)")
    losses_on = ("Loss on stories (nats a token)", "Loss on sums (nats a token)", "Loss on answers (nats a token)")
    return Table(("After", *shares_of, *losses_on), tuple(rows))


def described(stages: Sequence[str], metrics: Mapping[str, float]) -> str:
    """The figure in words."""
    parts = [
        f"after {WORDED[stage]} {_percent(metrics, 'accuracy', stage)} of the answers right, "
        f"{_percent(metrics, 'best_of_8', stage)} of the questions in 8 tries, "
        f"{_percent(metrics, 'text_accuracy', stage)} of the sums as text, "
        f"loss on stories {metrics[f'loss_stories_{key(stage)}']:.2f}, "
        f"sums {metrics[f'loss_sums_{key(stage)}']:.2f}, answers {metrics[f'loss_answers_{key(stage)}']:.2f} nats a token"
        for stage in stages
    ]
    return "Loss along the stages and shares after each: " + "; ".join(parts) + "."


def summary_of(metrics: Mapping[str, float]) -> str:
    """What each stage brought, judged by the metrics."""
    parts = [
        f"A transformer of {metrics['parameters']:,.0f} parameters learned from nothing here, and after each stage it "
        f"had to answer {metrics['questions']:.0f} sums that it met in training as text only, never as questions.",
        _base(metrics),
    ]
    last = PRETRAINING
    for stage, sentence in ((MID_TRAINING, _mid_training), (SFT, _sft), (RL, _rl)):
        if f"accuracy_{key(stage)}" in metrics:
            parts.append(sentence(metrics, last))
            last = stage
    before, after = metrics["loss_stories_pretraining"], metrics[f"loss_stories_{key(last)}"]
    if after > before + 0.05:
        parts.append(
            f"The later stages cost something: the loss on stories (how badly the next word is predicted) rose from "
            f"{before:.2f} to {after:.2f} nats a token."
        )
    else:
        parts.append(
            f"The stories of pretraining were not forgotten: their loss went from {before:.2f} to {after:.2f} nats a token."
        )
    return " ".join(parts)


def _base(metrics: Mapping[str, float]) -> str:
    asked, text = (metrics[f"{what}_pretraining"] for what in ("accuracy", "text_accuracy"))
    corpus = "Pretraining on mixed text (stories, sums of which 30 % are wrong, sheets of questions) made a base model"
    verdict = "it mostly continued the text instead" if asked < 0.2 else "it answered often already"
    return (
        f"{corpus}, which gave the right answer in {asked:.0%} of its replies ({verdict}) and completed {text:.0%} of the "
        f"same sums as text (“7 + 5 =”)."
    )


def _mid_training(metrics: Mapping[str, float], last: str) -> str:
    before, after = (metrics[f"text_accuracy_{key(stage)}"] for stage in (last, MID_TRAINING))
    asked = metrics["accuracy_mid_training"]
    verdict = "raised this to" if after > before + 0.05 else "left this at"
    return (
        f"Mid-training on clean sums {verdict} {after:.0%}, and questions were answered right in {asked:.0%} of tries."
    )


def _sft(metrics: Mapping[str, float], last: str) -> str:
    before, after = (metrics[f"accuracy_{key(stage)}"] for stage in (last, SFT))
    what = f"SFT (supervised fine-tuning) on {metrics['sft_pairs']:.0f} question-answer pairs"
    if after > before + 0.1:
        return f"{what} taught the form of an answer: {after:.0%} of the replies were now right, against {before:.0%}."
    return f"{what} changed little: {after:.0%} of the replies were right, against {before:.0%} before."


def _rl(metrics: Mapping[str, float], last: str) -> str:
    before, after = (metrics[f"accuracy_{key(stage)}"] for stage in (last, RL))
    tries = metrics[f"best_of_8_{key(last)}"]
    what = f"{metrics['rl_steps']:.0f} steps of RL with verifiable rewards (a program checks the model's own answers)"
    if after > before + 0.05:
        reach = f"before RL, a right answer to {tries:.0%} of the questions had been among 8 tries"
        verdict = "so much of this was within reach, and RL made it likely at the first try"
        if after > tries + 0.05:
            verdict = "so RL also led to answers that had been out of reach of 8 tries"
        return f"{what} took this from {before:.0%} to {after:.0%}; {reach}, {verdict}."
    if before < 0.1:
        return (
            f"{what} brought hardly anything ({before:.0%} before, {after:.0%} after): too few of its own answers were "
            f"right, so the checker had little to reward."
        )
    known = metrics["text_accuracy_rl"]
    unknown = (
        f" The model did not know the sums well to begin with: as text it completes {known:.0%}." if known < 0.5 else ""
    )
    return f"{what} did not help here: {before:.0%} before, {after:.0%} after.{unknown}"


def _percent(metrics: Mapping[str, float], what: str, stage: str) -> str:
    return f"{100 * metrics[f'{what}_{key(stage)}']:.0f} %"


FROM_TEXT, FROM_ANSWERS, FROM_REWARDS = "Before post-training, from text", "In SFT, from answers", "In RL, from rewards"


def outcome(metrics: Mapping[str, float]) -> str:
    """In which part of training the better of both results, as question and as text, rises most."""
    best, gains = 0.0, {}
    for part, stages in ((FROM_TEXT, (PRETRAINING, MID_TRAINING)), (FROM_ANSWERS, (SFT,)), (FROM_REWARDS, (RL,))):
        names = (f"{what}_{key(stage)}" for what in ("accuracy", "text_accuracy") for stage in stages)
        after = max(best, *(metrics.get(name, 0.0) for name in names))
        gains[part], best = after - best, after
    return max(gains, key=lambda part: gains[part])


PREDICTION = Prediction(
    question="After each stage the model has to add: asked with a question, and given a text to complete (“7 + 5 =”); the "
    "better result counts. When will it learn most of its adding?",
    choices=(FROM_TEXT, FROM_ANSWERS, FROM_REWARDS),
    outcome=outcome,
    gaps={
        FROM_ANSWERS: "pretraining-vs-midtraining-vs-posttraining#post-training-is-not-where-most-knowledge-comes-from",
        FROM_REWARDS: "sft-vs-rlhf-vs-dpo-vs-rlvr#rlvr-does-not-teach-new-facts",
    },
)
