"""What the learner reads of the three methods: summary, table, and what each wrote and learned from."""

from __future__ import annotations

from collections.abc import Mapping

from demos import words
from demos.base import Table
from demos.measure import token_kl
from demos.policy_methods import GRPO, IMITATION, ON_POLICY_DISTILLATION, SHOWN, SHOWN_SUM, Learning
from demos.policy_task import SUMS, Teacher, worded
from demos.tiny_policy import Policy

KEYS = {GRPO: "grpo", IMITATION: "imitation", ON_POLICY_DISTILLATION: "on_policy_distillation"}
LIKE = 0.25  # of the start's KL: below it a policy counts as writing like the teacher
EQUAL = 0.02  # rewards that differ by less are called equal


def writes_like_teacher(metrics: Mapping[str, float], key: str) -> bool:
    """Whether a method's KL to the teacher, on its own answers, fell below a quarter of the start's."""
    return metrics[f"kl_{key}"] < LIKE * metrics["kl_start"]


def summary_of(metrics: Mapping[str, float]) -> str:
    """The rewards and distances, with judgements that depend on them."""
    share = {name: f"{100 * value:.0f} %" for name, value in metrics.items() if name.startswith("reward_")}
    kl = {name: words.number(value) for name, value in metrics.items() if name.startswith("kl_")}
    ended = {
        key: f"{share[f'reward_{key}']} right at the end, {_against_teacher(metrics, key)}" for key in KEYS.values()
    }
    return words.paragraphs(
        [
            f"Three copies of one small model, {share['reward_start']} right at the start, learned to write three digits "
            f"with a given sum, each from {int(metrics['answers_each']):,} answers; the teacher is right in "
            f"{share['reward_teacher']} of its own.",
            f"GRPO (on-policy) learned from its own answers, which a checker scored right or wrong: {ended['grpo']}; "
            f"{_way(metrics, 'grpo')} (KL, the distance to it, went from {kl['kl_start']} to {kl['kl_grpo']}).",
            f"Imitation (off-policy) copied answers that the teacher had written: {ended['imitation']}; "
            f"{_way(metrics, 'imitation')} (KL {kl['kl_imitation']}).",
            f"On-policy distillation learned from its own answers, too, but the teacher graded each digit of them: "
            f"{ended['on_policy_distillation']}; {_way(metrics, 'on_policy_distillation')} "
            f"(KL {kl['kl_on_policy_distillation']}).",
            _race(metrics),
        ],
        [_silence(metrics)],
    )


def _against_teacher(metrics: Mapping[str, float], key: str) -> str:
    ahead = metrics[f"reward_{key}"] - metrics["reward_teacher"]
    if abs(ahead) < EQUAL:
        return "about as often as the teacher"
    return "more often than the teacher" if ahead > 0 else "less often than the teacher"


def _way(metrics: Mapping[str, float], key: str) -> str:
    if writes_like_teacher(metrics, key):
        return "it came to answer in the teacher's way"
    if metrics[f"kl_{key}"] > (1 - LIKE) * metrics["kl_start"]:
        return "it did not take over the teacher's way of answering"
    return "it took over the teacher's way of answering only in part"


def _race(metrics: Mapping[str, float]) -> str:
    """Who led after a quarter of the updates, and at the end; neither kind of learning wins everywhere."""
    early, late = _leaders(metrics, "_quarter"), _leaders(metrics, "")
    if early == late:
        return f"Most often right, after a quarter of the updates as well as at the end: {late}."
    return f"Most often right after a quarter of the updates: {early}; at the end: {late}."


def _leaders(metrics: Mapping[str, float], when: str) -> str:
    rewards = {method: metrics[f"reward_{key}{when}"] for method, key in KEYS.items()}
    best = max(rewards.values())
    names = [method if method == GRPO else method.lower() for method, r in rewards.items() if r > best - EQUAL]
    if len(names) == len(KEYS):
        return "all three about equally"
    return " and ".join(names) + (" (about equal)" if len(names) > 1 else "")


def _silence(metrics: Mapping[str, float]) -> str:
    silent, missed = metrics["silent_groups_grpo"], int(metrics["sums_missed_grpo"])
    text = f"In {100 * silent:.0f} % of GRPO's groups all {int(metrics['group_size'])} answers got the same score, which teaches nothing"
    return text + (
        f"; {missed} of the {SUMS} sums it still gets right in less than 1 % of its answers." if missed else "."
    )


def table_of(metrics: Mapping[str, float]) -> Table:
    """A row a policy: what it learned from, how often it is right, how far it is from the teacher."""

    def row(name: str, written: str, judged: str, key: str, quarter: bool) -> tuple[str, ...]:
        middle = f"{100 * metrics[f'reward_{key}_quarter']:.0f}" if quarter else ""
        kl = "0" if key == "teacher" else words.number(metrics[f"kl_{key}"])
        return name, written, judged, middle, f"{100 * metrics[f'reward_{key}']:.0f}", kl

    each = f"{int(metrics['answers_each']):,}"
    return Table(
        (
            "Policy",
            "Learned from",
            "Judged by",
            "Right after ¼ of the updates (%)",
            "Right at the end (%)",
            "KL to the teacher (nats an answer)",
        ),
        (
            row("Start", "", "", "start", False),
            row(GRPO, f"{each} answers of its own", "checker: a score an answer", "grpo", True),
            row(IMITATION, f"{each} answers by the teacher", "nobody: it copies", "imitation", True),
            row(
                ON_POLICY_DISTILLATION,
                f"{each} answers of its own",
                "teacher: each digit",
                "on_policy_distillation",
                True,
            ),
            row("Teacher", "", "", "teacher", False),
        ),
    )


def exhibits_of(learned: Mapping[str, Learning], start: Policy, teacher: Teacher, seed: int) -> dict[str, str]:
    """What each method wrote to one prompt over time, and what it learned from."""
    import torch

    asked = f"asked for three digits with the sum {SHOWN_SUM}"
    found = {
        f"{method}, {asked}": "\n\n".join(
            f"{when}\n{worded(SHOWN_SUM, answers)}" for when, answers in learning.samples.items()
        )
        for method, learning in learned.items()
    }
    sums = torch.full((SHOWN,), SHOWN_SUM)
    written = teacher.write(sums, torch.Generator().manual_seed(seed))
    found[f"The teacher, {asked}"] = worded(SHOWN_SUM, written)
    group = learned[GRPO].group
    if group is not None:
        found[f"A group that GRPO learned from (sum {group.total})"] = "\n".join(
            f"{'+'.join(map(str, answer))}  score {int(score)}  advantage {advantage:+.2f}"
            for answer, score, advantage in zip(
                group.answers.tolist(), group.scores.tolist(), group.advantages.tolist(), strict=True
            )
        )
    answers = learned[ON_POLICY_DISTILLATION].samples["Start"]
    with torch.no_grad():
        grades = token_kl(start.log_probs(sums, answers), teacher.log_probs(sums, answers))[0].tolist()
    lines = [f"{digit}  {words.number(grade)}" for digit, grade in zip(answers[0].tolist(), grades, strict=True)]
    found[f"An answer that the teacher graded (sum {SHOWN_SUM})"] = "\n".join(
        (
            "Each digit with the reverse KL there, in nats:",
            "how far the student's chances of the ten digits",
            "were from the teacher's (0: the same).",
            *lines,
        )
    )
    return found
