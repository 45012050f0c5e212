from __future__ import annotations

import pytest
import torch

from demos import DEMOS, find_demo, finetuning, letters, speculative, student
from demos.base import Lab
from demos.drafting import throw, write, write_with_drafts
from demos.measure import Span
from demos.seeding import generator
from demos.speculative_words import FEW, SAME, STUDENTS, outcome, summary
from tests.demos.conftest import no_model, returned, run_to_end
from tutor.errors import DemoError
from tutor.intent import route

SPECULATIVE = find_demo("speculative")
TIMED = ("rate_teacher", "rate_drafted", "rate_student")
WHOLE = Span(0, 1)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, little_text: None) -> None:
    """Small networks and few steps, where only the bookkeeping is of interest."""
    monkeypatch.setattr(speculative, "TEACHER", (64, 1))
    monkeypatch.setattr(speculative, "TEACHER_STEPS", 12)
    monkeypatch.setattr(speculative, "STUDENT_STEPS", 12)
    monkeypatch.setattr(speculative, "COUNT", 16)
    monkeypatch.setattr(speculative, "WINDOWS", 60)


@pytest.fixture(scope="module")
def pair() -> tuple[torch.nn.Module, torch.nn.Module]:
    return letters.decoder(generator(1), 64, 2, 80), letters.decoder(generator(2), 48, 1, 80)


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("ahead", [1, 4, 8])
def test_drafts_change_no_letter(pair: tuple[torch.nn.Module, torch.nn.Module], temperature: float, ahead: int) -> None:
    """What speculative decoding promises: the large model's own text, letter by letter, in at most as many passes."""
    large, small = pair
    starts = [torch.arange(5), torch.arange(20, 31)]
    dice = throw(2, 80, temperature, generator(3))
    alone = returned(write(large, starts, 40, dice, WHOLE, ""))
    drafted = returned(write_with_drafts(large, small, starts, 40, ahead, dice, WHOLE, ""))
    assert all(torch.equal(a, b) for a, b in zip(alone.texts, drafted.texts, strict=True))
    assert [len(text) for text in drafted.texts] == [40, 40]
    assert (
        drafted.passes <= alone.passes == 80 and drafted.kept + drafted.passes == 80 and drafted.kept <= drafted.guessed
    )


def test_a_perfect_draft_is_kept_whole(pair: tuple[torch.nn.Module, torch.nn.Module]) -> None:
    """A draft model that is the large one saves all that can be saved: ahead + 1 letters a pass."""
    large, _ = pair
    dice = throw(1, 80, 0.7, generator(3))
    drafted = returned(write_with_drafts(large, large, [torch.arange(5)], 40, 4, dice, WHOLE, ""))
    assert drafted.passes == 8 and drafted.kept == drafted.guessed == 32


def test_the_dice_draw_by_the_softmax() -> None:
    """Noise and largest value sample the probabilities at the temperature, here of three letters."""
    logits = torch.full((len(letters.LETTERS),), -30.0)
    logits[:3] = torch.tensor([2.0, 1.0, 0.0])
    dice = throw(1, 20_000, 2.0, generator(4))
    drawn = dice.pick(logits.expand(20_000, -1), 0, 0)
    expected = (logits[:3] / 2).softmax(-1)
    found = torch.stack([(drawn == i).float().mean() for i in range(3)])
    assert torch.allclose(found, expected, atol=0.02)


def test_a_student_learns_the_teachers_probabilities() -> None:
    """Distillation brings a student nearer to its teacher's probabilities; it does not see the letters that came."""
    teacher = letters.decoder(generator(1), 64, 1, 64)
    windows = letters.draw_windows(torch.arange(2_000) % 50, 60, generator(5))
    targets = returned(student.read_by_teacher(teacher, windows, WHOLE, ""))
    assert targets.shape == (60, letters.WINDOW, len(letters.LETTERS))
    assert torch.allclose(targets.sum(-1), torch.ones(60, letters.WINDOW), atol=1e-4)
    pupil = letters.decoder(generator(2), 48, 1, 64)

    def apart() -> float:
        with torch.no_grad():
            return float(-(targets * pupil(windows[:, :-1]).log_softmax(-1)).sum(-1).mean())

    before = apart()
    rates = finetuning.Rates(1e-2)
    returned(student.teach_student(pupil, windows, targets, generator(6), rates, 20, WHOLE, ""))
    assert apart() < before - 0.1


def test_a_run_adds_up_and_repeats(short: None) -> None:
    """Letters, passes and weights fit each other; a seed repeats, and another differs."""
    progress, result = run_to_end(SPECULATIVE, Lab(no_model), ahead=2)
    found = result.metrics
    assert found["letters"] == speculative.TEXTS * 16 and found["same_drafted"] == 1.0 and outcome(found) == SAME
    assert found["weights_both"] == found["weights_teacher"] + found["weights_student"]
    assert found["letters"] / 3 <= found["passes"] <= found["letters"]
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    assert result.exhibits["Teacher alone"] == result.exhibits["Teacher with drafts"]
    again, other = (run_to_end(SPECULATIVE, Lab(no_model, seed=seed), ahead=2)[1].metrics for seed in (0, 1))
    assert {n: v for n, v in found.items() if n not in TIMED} == {n: v for n, v in again.items() if n not in TIMED}
    assert other["loss_teacher"] != found["loss_teacher"]


@pytest.mark.parametrize(("drafted", "alone", "choice"), [(1.0, 0.3, SAME), (0.99, 0.3, FEW), (0.3, 0.3, STUDENTS)])
def test_the_prediction_follows_the_letters(drafted: float, alone: float, choice: str) -> None:
    """Each choice is true of some outcome."""
    assert SPECULATIVE.prediction is not None and choice in SPECULATIVE.prediction.choices
    assert outcome({"same_drafted": drafted, "same_student": alone}) == choice


@pytest.mark.parametrize(("pace", "claim"), [(2.0, "2.0 times as fast"), (1.0, "wins no time"), (0.8, "slower here")])
def test_the_summary_claims_no_speed_that_was_not_measured(pace: float, claim: str) -> None:
    """On a machine where drafts cost time the text says so."""
    metrics: dict[str, float] = {"weights_teacher": 100, "weights_student": 10, "weights_both": 110, "ahead": 4}
    metrics |= {"same_drafted": 1.0, "same_student": 0.3, "letters": 60, "passes": 20, "temperature": 0.7}
    metrics |= {"rate_teacher": 100.0, "rate_drafted": 100 * pace, "rate_student": 700.0}
    metrics |= {"loss_teacher": 1.9, "loss_student": 2.1, "kept_share": 0.6, "kept_share_untaught": 0.6}
    text = summary(metrics)
    assert claim in text and "better draft" not in text
    assert "better draft" in summary(metrics | {"kept_share_untaught": 0.4})


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("show me speculative decoding live", {"ahead": 4}),
        ("run speculative decoding with 6 tokens ahead", {"ahead": 6}),
        ("run the draft model greedily", {"temperature": 0.0}),
        ("show me assisted generation at temperature 1.2, guess 2 at a time", {"temperature": 1.2, "ahead": 2}),
        ("distil a small student live", {"ahead": 4}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, float]) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == "speculative"
    assert {name: call.params[name] for name in settings} == settings


@pytest.mark.parametrize("given", [{"ahead": 0}, {"ahead": 9}, {"temperature": -1}, {"temperature": 3}])
def test_settings_out_of_range_are_refused(given: dict[str, float]) -> None:
    """What would mean nothing is refused in words."""
    with pytest.raises(DemoError, match="give"):
        SPECULATIVE.settings(given)


def test_the_draft_ends_where_the_text_ends() -> None:
    """No guess is made that could not be kept: the last letter is the large model's own."""
    model = letters.decoder(generator(1), 48, 1, 20)
    dice = throw(1, 20, 0.0, generator(1))
    drafted = returned(write_with_drafts(model, model, [torch.arange(4)], 1, 8, dice, WHOLE, ""))
    assert drafted.passes == 1 and drafted.guessed == 0 and len(drafted.texts[0]) == 1
