from __future__ import annotations

import math

import pytest
import torch
from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

from demos import DEMOS, find_demo, moe, token_kinds
from demos.base import DemoResult, Lab, Progress
from demos.experts_words import summary
from demos.measure import Span
from demos.seeding import generator
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import no_model, returned, run_to_end
from tutor.errors import DemoError
from tutor.intent import route

EXPERTS = find_demo("experts")


@pytest.fixture(scope="module")
def default_run() -> tuple[list[Progress], DemoResult]:
    return run_to_end(EXPERTS, Lab(no_model))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, little_text: None) -> None:
    """Runs of few steps, where only the bookkeeping is of interest."""
    monkeypatch.setattr(token_kinds, "STEPS", 12)
    monkeypatch.setattr(token_kinds, "HELD_OUT", 512)


@pytest.mark.parametrize(("experts", "active"), [(2, 1), (5, 2)])
def test_each_token_passes_only_its_best_experts_weighted_by_their_scores(experts: int, active: int) -> None:
    """The batched layer does what the definition says, token by token."""
    layer = moe.mixture(experts, active, generator(3))
    tokens = torch.randn(40, moe.WIDTH, generator=torch.Generator().manual_seed(1))
    output, scores = layer(tokens)
    router = layer.get_parameter("router.weight")
    for token, out in zip(tokens, output, strict=True):
        logits = (router @ token).tolist()
        total = sum(math.exp(logit) for logit in logits)
        expected = torch.zeros(moe.WIDTH)
        for i in sorted(range(experts), key=lambda i: -logits[i])[:active]:
            up, down = (layer.get_parameter(f"experts.{i}.{place}.weight") for place in (0, 2))
            expected += math.exp(logits[i]) / total * (down @ (up @ token).clamp_min(0))
        assert torch.allclose(out, expected, atol=1e-5)
    assert torch.allclose(scores.sum(1), torch.ones(40))


@pytest.mark.parametrize("active", [1, 2])
def test_the_balancing_loss_is_that_of_transformers(active: int) -> None:
    """Mixtral's implementation in transformers agrees, up to its counting of k choices as k; an even spread gives 1."""
    logits = torch.randn(500, 6, generator=torch.Generator().manual_seed(2)) + torch.arange(6) * 0.3
    theirs = load_balancing_loss_func((logits,), num_experts=6, top_k=active)
    assert float(moe.balancing_loss(logits.softmax(-1), active)) == pytest.approx(float(theirs) / active, rel=1e-5)
    even = torch.eye(6).repeat(50, 1) * 20
    assert float(moe.balancing_loss(even.softmax(-1), 1)) == pytest.approx(1)


@pytest.mark.parametrize(("experts", "active"), [(8, 1), (16, 2), (2, 2)])
def test_parameters_and_flops_are_those_of_the_formulas(short: None, experts: int, active: int) -> None:
    """Two FLOPs for each weight that a token is multiplied with; dense layers match as closely as whole units allow."""
    _, result = run_to_end(EXPERTS, Lab(no_model), experts=experts, active=active)
    found = result.metrics
    expert, router, head, kinds = 2 * 18 * 12, 18 * experts, 18 * 4, 6 * 6
    assert found["parameters_moe"] == experts * expert + router + head + kinds
    assert found["active_parameters_moe"] == active * expert + router + head + kinds
    assert found["flops_per_token_moe"] == 2 * (active * expert + router + head)
    for dense, wanted in (("dense_active", "active_parameters_moe"), ("dense_total", "parameters_moe")):
        assert abs(found[f"parameters_{dense}"] - found[wanted]) <= 18
        assert found[f"flops_per_token_{dense}"] == 2 * (found[f"parameters_{dense}"] - kinds)
        assert found[f"active_parameters_{dense}"] == found[f"parameters_{dense}"]
    assert ("nothing to choose" in result.summary) == (active == experts)


def test_reading_scores_answers_and_routes_by_hand() -> None:
    """Loss, accuracy, load and shares agree with sums over single tokens."""
    tokens = token_kinds.draw_tokens(300, 5, 2)
    model = token_kinds.network(moe.mixture(4, 1, generator(5)), 5)
    reading = token_kinds.read(model, tokens)
    logits, scores = model(tokens.kind, tokens.context)
    losses = [math.log(sum(map(math.exp, row))) - row[a] for row, a in zip(logits.tolist(), tokens.answer, strict=True)]
    right = [
        max(range(4), key=row.__getitem__) == int(a) for row, a in zip(logits.tolist(), tokens.answer, strict=True)
    ]
    assert reading.loss == pytest.approx(sum(losses) / 300, rel=1e-4)
    assert reading.accuracy == pytest.approx(sum(right) / 300)
    chosen = [max(range(4), key=row.__getitem__) for row in scores.tolist()]
    counts = [chosen.count(i) for i in range(4)]
    assert reading.load(1)["busiest_share"] == pytest.approx(max(counts) / 300)
    assert reading.load(1)["idle_experts"] == sum(count < 300 / 40 for count in counts)
    digits = [expert for expert, kind in zip(chosen, tokens.kind.tolist(), strict=True) if kind == 0]
    shares = reading.kind_shares(tokens.kind, 1)
    assert shares[0].tolist() == pytest.approx([digits.count(i) / len(digits) for i in range(4)])


def test_balancing_keeps_experts_busy_that_training_without_it_leaves_idle(
    default_run: tuple[list[Progress], DemoResult],
) -> None:
    """The default run shows what the set teaches, and the summary tells the run's own numbers."""
    progress, result = default_run
    found = result.metrics
    assert found["idle_experts"] == 0 and found["idle_experts_control"] >= 1
    assert found["loss_moe"] < found["loss_dense_active"] < math.log(4)
    assert found["favourite_share"] > 0.5
    assert f"{found['idle_experts_control']} of 8 experts nearly idle" in result.summary
    assert "learned more" in result.summary and "specialised by kind" in result.summary
    for name in ("parameters_moe", "active_parameters_moe", "flops_per_token_moe"):
        assert f"{found[name]:,.0f}" in result.summary
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1 and len(fractions) > 100
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    assert all(len(row) == len(result.table.columns) for row in result.table.rows)


def test_a_seed_repeats_and_another_differs(short: None) -> None:
    """Nothing depends on global random state, and nothing changes it."""
    before = torch.get_rng_state()
    first, again, other = (run_to_end(EXPERTS, Lab(no_model, seed=seed))[1] for seed in (1, 1, 2))
    assert first.metrics == again.metrics and first.figure == again.figure
    assert first.metrics["loss_moe"] != other.metrics["loss_moe"]
    assert torch.equal(before, torch.get_rng_state())


def test_turning_balancing_off_swaps_the_two_mixtures(short: None) -> None:
    """With or without: the other one is the control, from the same first weights and the same batches."""
    on = run_to_end(EXPERTS, Lab(no_model))[1].metrics
    off = run_to_end(EXPERTS, Lab(no_model), balance="off")[1].metrics
    assert on["loss_moe"] == off["loss_control"] != on["loss_control"] == off["loss_moe"]
    assert on["idle_experts"] == off["idle_experts_control"]


def test_closing_early_stops(short: None) -> None:
    """A learner who leaves does not keep the machine busy; gradients are left switched on."""
    steps = EXPERTS.run(Lab(no_model), EXPERTS.settings({}))
    for _ in range(3):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert next(steps, None) is None and torch.is_grad_enabled()


def test_training_lowers_the_loss() -> None:
    """Forty steps already beat the untrained network."""
    tokens = token_kinds.draw_tokens(512, 0, 2)
    model = token_kinds.network(moe.feed_forward(12, generator(0)), 0)
    before = token_kinds.read(model, tokens).loss
    batches = [token_kinds.draw_tokens(256, 0, 10 + i) for i in range(40)]
    returned(token_kinds.train(model, batches, 0.0, 1, Span(0, 1), ""))
    assert token_kinds.read(model, tokens).loss < before - 0.1


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("show me 16 experts", {"experts": 16, "balance": "on"}),
        ("show me a mixture of experts without load balancing", {"balance": "off"}),
        ("run the moe with 2 experts per token and 4 experts", {"experts": 4, "active": 2}),
        ("show me top-2 routing", {"active": 2}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, int | str]) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == "experts"
    assert {name: call.params[name] for name in settings} == settings


@pytest.mark.parametrize("given", [{"experts": 64}, {"experts": 1}, {"active": 3}, {"balance": "maybe"}])
def test_settings_out_of_range_are_refused(given: dict[str, int | str]) -> None:
    """More experts than the figure and the seconds allow are refused in words."""
    with pytest.raises(DemoError, match="give"):
        EXPERTS.settings(given)


def test_the_prediction_is_decided_by_the_counts_and_its_gaps_exist() -> None:
    """More, about as many, fewer: each outcome is a choice, and each wrong choice leads to a passage."""
    prediction = EXPERTS.prediction
    assert prediction is not None
    outcomes = [
        prediction.outcome({"parameters_moe": moe_count, "parameters_dense_active": 1_000})
        for moe_count in (1_000, 5_000, 500)
    ]
    assert outcomes == list(prediction.choices)
    assert set(prediction.gaps) <= set(prediction.choices)
    assert set(prediction.gaps.values()) <= {passage.id for passage in load_knowledge().passages}


def test_the_summary_does_not_claim_what_was_not_measured(default_run: tuple[list[Progress], DemoResult]) -> None:
    """Where the mixture loses, does not specialise, or does not collapse, the text says so."""
    found = dict(default_run[1].metrics)
    found |= {"loss_moe": 0.9, "loss_dense_active": 0.5, "favourite_share": 0.15, "idle_experts_control": 0}
    text = summary(found, True)
    assert "learned less" in text and "did not specialise" in text and "did not collapse" in text
    assert "won nothing" in summary(found | {"loss_moe": 0.505}, True)
