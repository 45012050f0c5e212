from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from demos import DEMOS, find_demo
from demos.base import DemoResult, Lab, Progress, Specimen
from demos.measure import Span
from demos.policy_methods import (
    GRPO,
    METHODS,
    Learning,
    group_advantages,
    grpo_loss,
    imitation_loss,
    on_policy_distillation_loss,
    train,
)
from demos.policy_task import SUMS, Teacher, measure_writer, score
from demos.policy_words import summary_of
from demos.tiny_policy import Policy, new_policy, warm_up
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import returned, run_to_end
from tutor.errors import DemoError
from tutor.intent import route

POLICIES = find_demo("policies")
QUICK = {"steps": 40, "group_size": 8}


def no_specimen() -> Specimen:
    raise AssertionError("the experiment trains policies of its own")


def lab(seed: int = 0) -> Lab:
    return Lab(no_specimen, seed=seed)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def start() -> Policy:
    return warm_up(generator())


def test_the_advantage_is_each_groups_own_z_score() -> None:
    """Scores of groups are standardized as scikit-learn does, each group alone; a group of equals teaches nothing."""
    scores = torch.tensor([[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    expected = StandardScaler().fit_transform(scores.numpy().T).T
    assert np.allclose(group_advantages(scores).numpy(), expected, atol=1e-5)
    assert group_advantages(scores)[2:].abs().max() == 0


def test_grpos_gradient_is_the_policy_gradient_by_hand() -> None:
    """For a softmax, the gradient of −A·log p(digit) by the logits is A·(p − one-hot), averaged over all tokens."""
    logits = torch.randn(8, 3, 10, generator=generator(), requires_grad=True)
    answers = torch.randint(10, (8, 3), generator=generator(1))
    scores = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0]])
    grpo_loss(logits.log_softmax(-1), answers, group_advantages(scores).flatten()).backward()
    assert logits.grad is not None
    for i, place in itertools.product(range(8), range(3)):
        group = scores.numpy()[i // 4]
        advantage = (group[i % 4] - group.mean()) / group.std()
        chances = np.exp(logits.detach().numpy()[i, place])
        chances /= chances.sum()
        expected = advantage * (chances - np.eye(10)[answers[i, place]]) / 24
        assert np.allclose(logits.grad[i, place].numpy(), expected, atol=1e-6)


def test_imitation_raises_what_the_teacher_wrote_and_distillation_follows_the_teachers_grades() -> None:
    """Gradients by hand: p − one-hot for imitation, p·(log p − log q − KL) for the reverse KL."""
    logits = torch.randn(2, 3, 10, generator=generator(), requires_grad=True)
    teacher = torch.randn(2, 3, 10, generator=generator(1)).log_softmax(-1)
    answers = torch.randint(10, (2, 3), generator=generator(2))
    chances = logits.detach().softmax(-1)
    imitation_loss(logits.log_softmax(-1), answers).backward()
    assert logits.grad is not None
    assert torch.allclose(logits.grad, (chances - torch.eye(10)[answers]) / 6, atol=1e-6)
    logits.grad = None
    on_policy_distillation_loss(logits.log_softmax(-1), teacher).backward()
    ratio = chances.log() - teacher
    expected = chances * (ratio - (chances * ratio).sum(-1, keepdim=True)) / 6
    assert logits.grad is not None and torch.allclose(logits.grad, expected, atol=1e-6)


def test_reward_and_kl_are_those_of_all_answers_one_by_one(start: Policy) -> None:
    """All 28,000 pairs of sum and answer are read whole and added up here."""
    teacher = Teacher(0.8)
    everything = torch.tensor(list(itertools.product(range(10), repeat=3)))
    sums, answers = torch.arange(SUMS).repeat_interleave(1000), everything.repeat(SUMS, 1)
    with torch.no_grad():
        own, graded = (
            writer(sums, answers).gather(2, answers[..., None]).sum((1, 2)).double().numpy()
            for writer in (start.log_probs, teacher.log_probs)
        )
    right = np.array([sum(a) == total for total, a in zip(sums.tolist(), answers.tolist(), strict=True)])
    measured = measure_writer(start.log_probs, teacher.log_probs)
    assert measured.reward == pytest.approx(np.exp(own)[right].sum() / SUMS, rel=1e-4)
    assert measured.kl == pytest.approx((np.exp(own) * (own - graded)).sum() / SUMS, rel=1e-4)
    assert np.exp(own).sum() == pytest.approx(SUMS, rel=1e-4) and np.exp(graded).sum() == pytest.approx(SUMS, rel=1e-4)


@pytest.mark.parametrize("accuracy", [0.3, 0.8, 1.0])
def test_the_teacher_is_right_as_often_as_asked_and_a_policy_writes_as_it_is_measured(
    start: Policy, accuracy: float
) -> None:
    """20,000 sampled answers of teacher and student agree with the exact shares; a teacher is no distance from itself."""
    teacher = Teacher(accuracy)
    exact = measure_writer(teacher.log_probs, teacher.log_probs)
    assert exact.reward == pytest.approx(accuracy, abs=0.004) and exact.kl == 0
    sums = torch.randint(SUMS, (20_000,), generator=generator())
    assert float(score(sums, teacher.write(sums, generator(1))).mean()) == pytest.approx(exact.reward, abs=0.015)
    measured = measure_writer(start.log_probs, teacher.log_probs)
    answers = start.write(sums, generator(2))
    assert float(score(sums, answers).mean()) == pytest.approx(measured.reward, abs=0.01)
    with torch.no_grad():
        ratio = start.log_probs(sums, answers) - teacher.log_probs(sums, answers)
    sampled = ratio.gather(2, answers[..., None]).sum((1, 2))
    assert float(sampled.mean()) == pytest.approx(measured.kl, abs=4 * float(sampled.std()) / math.sqrt(20_000) + 0.01)


def test_the_teacher_shares_a_sum_out_and_sets_right_what_it_would_not_have_written() -> None:
    """14 becomes 5 4 5 or the like; after the student's 9 and 0 the teacher wants a 5, and after 0 and 0 the nearest digit."""
    teacher = Teacher(0.9)
    written = teacher.write(torch.full((200,), 14), generator())
    # Two of three digits near a third; the last may be one of the teacher's mistakes.
    assert float(((written[:, :2] >= 4) & (written[:, :2] <= 5)).float().mean()) > 0.9
    last = teacher.log_probs(torch.tensor([14, 14]), torch.tensor([[9, 0, 0], [0, 0, 0]]))[:, 2]
    assert last.argmax(-1).tolist() == [5, 9] and float(last[0].exp().max()) == pytest.approx(0.9, abs=1e-5)


def learn(method: str, start: Policy, teacher: Teacher, updates: int = 60, seed: int = 0) -> Learning:
    return returned(train(method, start, teacher, updates, 16, seed, Span(0, 1)))


def test_whose_answers_each_method_learns_from(start: Policy) -> None:
    """GRPO comes out the same whoever teaches; the others depend on the teacher; none touches the start."""
    before = [parameter.detach().clone() for parameter in start.parameters()]
    for method in METHODS:
        one, other = (learn(method, start, Teacher(accuracy), updates=10).policy for accuracy in (0.9, 0.3))
        same = all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
        assert same == (method == GRPO), method
        assert not torch.equal(one.head.weight, start.head.weight), method
    assert all(torch.equal(a, b) for a, b in zip(before, start.parameters(), strict=True))


def test_each_method_learns(start: Policy) -> None:
    """Reward rises with each; only with a teacher does the distance to it fall to a part."""
    for method in METHODS:
        curve = learn(method, start, Teacher(0.9), updates=80).curve
        first, last = curve[0], curve[80]
        assert last.reward > first.reward + 0.2, method
        assert (last.kl < 0.5 * first.kl) == (method != GRPO), method


def test_a_group_that_grpo_learned_from_is_shown_with_its_own_scores(start: Policy) -> None:
    """Scores are the checker's, advantages add up to 0, and some but not all groups taught something."""
    learning = learn(GRPO, start, Teacher(0.8))
    assert learning.group is not None and 0 < learning.silent < 1
    scores = [float(sum(answer) == learning.group.total) for answer in learning.group.answers.tolist()]
    assert learning.group.scores.tolist() == scores and 0 < sum(scores) < 16
    assert float(learning.group.advantages.sum()) == pytest.approx(0, abs=1e-4)


@pytest.fixture(scope="module")
def quick() -> tuple[list[Progress], DemoResult]:
    return run_to_end(POLICIES, lab(5), **QUICK)


def test_a_run_is_complete_and_repeats_with_its_seed(quick: tuple[list[Progress], DemoResult]) -> None:
    """Progress rises to a result with picture, table and texts; global random numbers are left alone."""
    progress, result = quick
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1 and len(fractions) > 40
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    state = torch.get_rng_state()
    again = run_to_end(POLICIES, lab(5), **QUICK)[1]
    assert torch.equal(torch.get_rng_state(), state)
    assert again.metrics == result.metrics and again.exhibits == result.exhibits and again.figure == result.figure
    other = warm_up(generator(6)), warm_up(generator(5))
    assert not torch.equal(other[0].head.weight, other[1].head.weight)
    assert result.metrics["answers_each"] == 40 * 128


def test_summary_table_and_alternative_text_tell_the_metrics(quick: tuple[list[Progress], DemoResult]) -> None:
    """What is read is what was measured, and exhibits start from one and the same policy."""
    _, result = quick
    rows = {row[0]: row for row in result.table.rows}
    for method, key in zip(METHODS, ("grpo", "imitation", "on_policy_distillation"), strict=True):
        share = f"{100 * result.metrics[f'reward_{key}']:.0f}"
        assert rows[method][4] == share and f"{share} % right at the end" in result.summary
        assert f"{share} % at the end" in result.figure_alt
    texts = [text for caption, text in result.exhibits.items() if caption.startswith(METHODS)]
    assert len({text.split("\n\n")[0] for text in texts}) == 1 and len(texts) == 3
    assert all(text.count("Start") == text.count("Middle") == text.count("End") == 1 for text in texts)


def test_closing_early_stops() -> None:
    """A learner who stops waits for nothing, and autograd is left on."""
    steps = POLICIES.run(lab(), POLICIES.settings({}))
    for _ in range(4):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert torch.is_grad_enabled()
    with pytest.raises(StopIteration):
        next(steps)


MEASURED: Mapping[str, float] = {
    "updates": 400,
    "group_size": 16,
    "answers_each": 51_200,
    "reward_teacher": 0.8,
    "reward_start": 0.08,
    "kl_start": 8.0,
    "silent_groups_grpo": 0.6,
    "sums_missed_grpo": 3,
    **{
        f"reward_{key}{when}": 0.5
        for key in ("grpo", "imitation", "on_policy_distillation")
        for when in ("", "_quarter")
    },
    **{f"kl_{key}": 4.0 for key in ("grpo", "imitation", "on_policy_distillation")},
}


def test_the_summary_judges_by_the_numbers() -> None:
    """Winning, losing, taking over the teacher's way or not: each claim turns with its number."""
    text = summary_of(MEASURED)
    assert text.count("less often than the teacher") == 3 and text.count("only in part") == 3
    assert "as well as at the end: all three about equally" in text
    text = summary_of(
        {**MEASURED, "reward_grpo": 0.9, "kl_grpo": 9.0, "reward_imitation": 0.81, "kl_imitation": 0.3}
        | {"reward_imitation_quarter": 0.7, "sums_missed_grpo": 0}
    )
    grpo, imitation = text.split("Imitation (off-policy)")
    assert "90 % right at the end, more often than the teacher; it did not take over" in grpo
    assert "81 % right at the end, about as often as the teacher; it came to answer in the teacher's way" in imitation
    assert "after a quarter of the updates: imitation; at the end: GRPO." in text
    assert "3 of the 28 sums" in summary_of(MEASURED) and "of the 28 sums" not in text


def test_the_prediction_is_decided_by_the_measured_distances() -> None:
    """Each of the four choices can come true, and each gap leads to a passage that there is."""
    prediction = POLICIES.prediction
    assert prediction is not None
    found = [
        prediction.outcome({"kl_start": 8.0, "kl_grpo": grpo, "kl_on_policy_distillation": graded})
        for grpo, graded in ((1.0, 8.0), (8.0, 1.0), (1.0, 1.0), (8.0, 8.0))
    ]
    assert tuple(found) == prediction.choices
    passages = {passage.id for passage in load_knowledge().passages}
    assert set(prediction.gaps) < set(prediction.choices) and set(prediction.gaps.values()) <= passages


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("show me GRPO with groups of 32", {"group-size": 32, "steps": 400}),
        ("run on-policy learning with 200 steps", {"steps": 200}),
        ("show me on-policy distillation with a teacher that is right 60%", {"teacher-accuracy": 0.6}),
        ("show me off-policy learning from a 95 percent teacher", {"teacher-accuracy": 0.95}),
        ("distill from a perfect teacher in 100 updates", {"teacher-accuracy": 1.0, "steps": 100}),
        ("show me imitation of a teacher that is wrong 30%", {"teacher-accuracy": 0.7}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, float]) -> None:
    """What is said in the chat is what runs; a rate of mistakes is not taken for a rate of right answers."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == "policies"
    assert {name: call.params[name] for name in settings} == settings


@pytest.mark.parametrize("given", [{"steps": 39}, {"steps": 801}, {"group-size": 12}, {"teacher-accuracy": 0.1}])
def test_settings_out_of_range_are_refused(given: dict[str, float]) -> None:
    """Groups divide the 128 answers of an update."""
    with pytest.raises(DemoError, match="give"):
        POLICIES.settings(given)


def test_new_weights_come_from_the_generator_alone() -> None:
    """Two policies of one seed are equal, also when other code draws random numbers in between."""
    one = new_policy(generator(3))
    torch.rand(1)
    assert torch.equal(one.gru.weight_hh_l0, new_policy(generator(3)).gru.weight_hh_l0)
    assert not torch.equal(one.gru.weight_hh_l0, new_policy(generator(4)).gru.weight_hh_l0)
    assert replace(one).copy().head.weight is not one.head.weight
