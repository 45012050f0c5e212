"""On-policy, off-policy, and on-policy distillation: one policy learns from its own answers or from a teacher's.

GRPO scores the policy's own answers with a checker, imitation copies answers that a teacher wrote, and in on-policy
distillation the teacher grades each digit of the policy's own. Start, prompts, optimizer, updates and answers an update
are the same for all three. What each gets to know of an answer differs, as it does in practice: one score, the answer
itself, or the teacher's probabilities at each of its digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demos.base import Demo, DemoResult, Lab, Prediction, Progress
from demos.measure import Span
from demos.policy_charts import curves_alt, curves_chart
from demos.policy_methods import METHODS, POINTS, Learning, train
from demos.policy_settings import PARAMS
from demos.policy_task import Teacher, measure_writer, reward_by_sum
from demos.policy_words import KEYS, exhibits_of, summary_of, table_of, writes_like_teacher
from demos.tiny_policy import BATCH, warm_up

EDGES = (0.04, 0.34, 0.64, 0.94)  # of the methods' parts of the progress bar


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    yield Progress(0.0, "Warming up the policy that all three methods start from")
    import torch

    updates, group_size = int(settings["steps"]), int(settings["group-size"])
    teacher = Teacher(float(settings["teacher-accuracy"]))
    start = warm_up(torch.Generator().manual_seed(lab.seed))
    learned: dict[str, Learning] = {}
    for i, method in enumerate(METHODS):
        span = Span(EDGES[i], EDGES[i + 1])
        learned[method] = yield from train(method, start, teacher, updates, group_size, lab.seed, span)
    yield Progress(0.95, "Drawing")
    metrics = {
        "updates": updates,
        "group_size": group_size,
        "answers_each": updates * BATCH,
        "reward_teacher": measure_writer(teacher.log_probs, teacher.log_probs).reward,
        **_metrics(learned, updates),
    }
    yield DemoResult(
        summary=summary_of(metrics),
        table=table_of(metrics),
        metrics=metrics,
        figure=curves_chart(learned, metrics["reward_teacher"]),
        figure_alt=curves_alt(metrics),
        exhibits=exhibits_of(learned, start, teacher, lab.seed),
    )


def _metrics(learned: Mapping[str, Learning], updates: int) -> dict[str, float]:
    """Rewards at the start, after a quarter and at the end; KL in nats an answer; what GRPO could not learn from."""
    first = next(iter(learned.values())).curve[0]
    found: dict[str, float] = {"reward_start": first.reward, "kl_start": first.kl}
    for method, key in KEYS.items():
        curve = learned[method].curve
        found |= {
            f"reward_{key}_quarter": curve[round(POINTS // 4 * updates / POINTS)].reward,
            f"reward_{key}": curve[updates].reward,
            f"kl_{key}": curve[updates].kl,
        }
        missed = sum(share < 0.01 for share in reward_by_sum(learned[method].policy.log_probs))
        found[f"sums_missed_{key}"] = missed
    return found | {"silent_groups_grpo": learned[METHODS[0]].silent}


SCORED, GRADED = "Only the first, whose answers the checker scores", "Only the second, whose answers the teacher grades"
BOTH, NEITHER = "Both of them", "Neither: both learn from their own answers"


def _outcome(metrics: Mapping[str, float | int]) -> str:
    scored, graded = (writes_like_teacher(metrics, key) for key in ("grpo", "on_policy_distillation"))
    return {(True, True): BOTH, (True, False): SCORED, (False, True): GRADED, (False, False): NEITHER}[scored, graded]


POLICIES = Demo(
    name="policies",
    title="Learn from one's own answers or from a teacher's",
    concepts=("on-policy-vs-off-policy", "ppo-vs-dpo-vs-grpo"),
    params=PARAMS,
    run=run,
    words=r"\b(?:on|off)[- ]?policy(?: (?:learning|training|distillation|rl))?\b|\bgrpo\b|\bgroup[- ]relative\b|"
    r"\bpolic(?:y|ies)\b|\bdistil\w*|\b(?:imitat\w+|copy\w*) (?:of )?(?:a|the) teacher\b",
    verbs=r"distil{1,2}\b(?! (?:a|the|some) (?:small(?:er)?|tiny|little)\b)",
    prediction=Prediction(
        question="Two copies of a policy learn from answers that they write themselves. A checker scores the first one's "
        "answers as right or wrong (GRPO); a teacher grades each digit of the second one's (on-policy distillation). "
        "Which one ends up writing answers like the teacher's?",
        choices=(SCORED, GRADED, BOTH, NEITHER),
        outcome=_outcome,
        gaps={
            SCORED: "on-policy-vs-off-policy#why-grpo-is-on-policy",
            BOTH: "on-policy-vs-off-policy#why-grpo-is-on-policy",
            NEITHER: "on-policy-vs-off-policy#distillation-is-not-bound-to-be-off-policy",
        },
    ),
    say="show me GRPO and a teacher, live",
    measured="small networks trained for this run",
)
