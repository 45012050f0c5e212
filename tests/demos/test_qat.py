from __future__ import annotations

import pytest
import torch

from demos import DEMOS, find_demo, letters, qat
from demos.base import Lab
from demos.fake_quantization import practising_copy, rounded_copy, stored_mb
from demos.qat_words import LITTLE, MUCH, NONE, UNHURT, outcome, summary
from demos.seeding import generator
from tests.demos.conftest import no_model, run_to_end
from tutor.errors import DemoError
from tutor.intent import route

QAT = find_demo("qat")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, little_text: None) -> None:
    """Runs of few steps, where only the bookkeeping is of interest."""
    monkeypatch.setattr(qat, "PRETRAINING_STEPS", 4)
    monkeypatch.setattr(qat, "TIMED", 1)


def test_a_practising_network_computes_what_a_rounded_one_computes_and_trains_the_exact_weights() -> None:
    """Fake quantization: the same logits as after rounding, at most 2^bits values a row, and a gradient as if nothing were rounded."""
    model = letters.decoder(generator(1))
    windows = torch.arange(3 * 65).view(3, 65) % 90
    practising, rounded = practising_copy(model, 2, 0), rounded_copy(model, 2, 0)
    with torch.no_grad():
        assert torch.allclose(practising(windows[:, :-1]), rounded(windows[:, :-1]), atol=1e-4)
    weight = rounded.get_submodule("blocks.0.up").weight
    assert isinstance(weight, torch.Tensor)
    assert max(len(row.unique()) for row in weight) <= 4
    exact = dict(model.named_parameters())["blocks.0.up.weight"]
    assert not torch.equal(weight, exact)
    letters.letter_loss(practising, windows).backward()
    letters.letter_loss(rounded, windows).backward()
    trained = dict(practising.named_parameters())["blocks.0.up.weight"]
    assert torch.equal(trained, exact) and trained.grad is not None and weight.grad is not None
    assert torch.allclose(trained.grad, weight.grad, atol=1e-5) and float(trained.grad.abs().max()) > 0


def test_the_stored_size_is_that_of_the_formula() -> None:
    """Codes, and 32 bits of scale and minimum a row, of the blocks' layers; 32 bits for each other weight."""
    model = letters.decoder(generator(1))
    linears, rows = 2 * (4 * 96 * 96 + 2 * 96 * 384), 2 * (4 * 96 + 384 + 96)
    others = 2 * len(letters.LETTERS) * 96
    assert stored_mb(model, 3, 0) == pytest.approx((3 * linears + 32 * rows + 32 * others) / 8e6)


def test_a_run_measures_each_level_and_repeats(short: None) -> None:
    """The levels asked for are in the table from many bits to few; the same seed gives the same losses, another seed others."""
    progress, result = run_to_end(QAT, Lab(no_model), compare="2,4", steps=20)
    assert [row[0] for row in result.table.rows] == ["not rounded", "4 bits", "2 bits"]
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    losses = {name: value for name, value in result.metrics.items() if not name.startswith("step_ms")}
    again, other = (run_to_end(QAT, Lab(no_model, seed=seed), compare="2,4", steps=20)[1].metrics for seed in (0, 1))
    assert losses == {name: value for name, value in again.items() if not name.startswith("step_ms")}
    assert other["loss_exact"] != losses["loss_exact"]
    assert losses["loss_ptq_2"] > losses["loss_ptq_4"] > losses["loss_exact"] - 1e-3


def test_practice_with_few_bits_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the experiment is for: at one bit a network that practised loses far less than one rounded after the same training."""
    monkeypatch.setattr(qat, "PRETRAINING_STEPS", 60)
    _, result = run_to_end(QAT, Lab(no_model), compare="1", steps=40)
    found = result.metrics
    assert found["loss_qat_1"] < found["loss_ptq_1"] - 0.3 and outcome(found) == MUCH


@pytest.mark.parametrize(
    ("losses", "choice", "claim"),
    [
        ((2.0, 2.4, 2.1), MUCH, "wins back 75%"),
        ((2.0, 2.4, 2.3), LITTLE, "wins back 25%"),
        ((2.0, 2.4, 2.4), NONE, "wins nothing back"),
        ((2.0, 2.4, 1.9), MUCH, "wins back all"),
        ((2.0, 2.001, 2.0), UNHURT, "hardly any harm"),
    ],
)
def test_words_and_prediction_follow_the_losses(losses: tuple[float, float, float], choice: str, claim: str) -> None:
    """QAT is not praised where it won nothing, and rounding is not blamed where it did no harm."""
    exact, ptq, practised = losses
    metrics: dict[str, float] = {
        "bits": 2,
        "steps": 60,
        "loss_exact": exact,
        "loss_ptq_2": ptq,
        "loss_qat_2": practised,
    }
    metrics |= {"size_mb_2": 0.1, "size_mb_exact": 0.9, "step_ms_qat": 50.0, "step_ms_exact": 20.0}
    assert outcome(metrics) == choice and QAT.prediction is not None and choice in QAT.prediction.choices
    assert claim in summary(metrics, [2])


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("show me PTQ against QAT", {"bits": 2}),
        ("show me QAT at 4 bits", {"bits": 4}),
        ("run quantization-aware training with 3 bits and 100 steps", {"bits": 3, "steps": 100}),
        ("run 4-bit QAT live", {"bits": 4}),
        ("show me qat with 4 and 2 bits in groups of 32", {"compare": "4,2", "group-size": 32}),
        ("ptq vs qat live please", {"bits": 2}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, int | str]) -> None:
    """What is said in the chat is what runs, and its bits do not make it plain rounding."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == "qat"
    assert {name: call.params[name] for name in settings} == settings


@pytest.mark.parametrize("said", ["show me PTQ at 4 bits", "quantize to 3 bits", "show me 4 bits"])
def test_plain_rounding_stays_its_own_experiment(said: str) -> None:
    """Protects: nobody who asks for rounding alone gets a training."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == "quantize"


@pytest.mark.parametrize("given", [{"bits": 0}, {"bits": 9}, {"steps": 5}, {"steps": 1_000}, {"group-size": 64}])
def test_settings_out_of_range_are_refused(given: dict[str, int]) -> None:
    """What would take too long or mean nothing is refused in words."""
    with pytest.raises(DemoError, match="give"):
        QAT.settings(given)
