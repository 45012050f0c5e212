from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
import torch
from torch.nn import Module

from demos import DEMOS, find_demo, stage_training, stages
from demos.base import DemoResult, Lab, Progress, Specimen
from demos.seeding import generator
from demos.stage_exam import Exam
from demos.stage_texts import NOISE, VOCABULARY, Corpus, answers, prompts, question, split_sums
from demos.stage_training import answer_losses, imitate_answers, seek_rewards
from demos.stage_words import FROM_ANSWERS, FROM_REWARDS, FROM_TEXT, outcome, summary_of
from demos.tiny_transformer import tiny_transformer
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import run_to_end
from tutor.errors import DemoError
from tutor.intent import route

STAGES = find_demo("stages")
SUMS = split_sums("test", 40)
KEYS = ("pretraining", "mid_training", "sft", "rl")


def no_specimen() -> Specimen:
    raise AssertionError("the experiment trains a model of its own")


def lab(seed: int = 0) -> Lab:
    return Lab(no_specimen, seed=seed)


def new_model() -> Module:
    return tiny_transformer(len(VOCABULARY), generator(0))


@pytest.fixture(scope="module")
def quick() -> Iterator[dict[str, int]]:
    """So few steps that a run takes a second; returns the settings to go with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "STEPS", {"pretraining": 10, "mid-training": 8, "sft": 8})
        patch.setattr(stages, "POINTS", 2)
        patch.setattr(stage_training, "ASKED", 8)
        yield {"rl_steps": 10}


@pytest.fixture(scope="module")
def full(quick: dict[str, int]) -> tuple[list[Progress], DemoResult]:
    return run_to_end(STAGES, lab(), **quick)


@pytest.fixture(scope="module")
def passages() -> frozenset[str]:
    return frozenset(passage.id for passage in load_knowledge().passages)


@pytest.fixture(scope="module")
def learner() -> Module:
    """A model that answers questions right now and then, since SFT showed it the exam's own answers for a while."""
    model = new_model()
    for _ in imitate_answers(model, Corpus(SUMS, "learner"), SUMS.held_out, 90):
        pass
    return model


def chances(model: Module, texts: list[list[str]]) -> np.ndarray:
    """Probabilities of the next token after each text, one text at a time: [n, vocabulary]."""
    rows = []
    for text in texts:
        ids = torch.tensor([[VOCABULARY.index(word) for word in ["<end>", *text]]])
        with torch.no_grad():
            logits = model(ids)[0, -1].double().numpy()
        rows.append(np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum())
    return np.array(rows)


def test_shares_and_losses_are_those_of_the_exact_probabilities(learner: Module) -> None:
    """Sampled shares agree with what the probabilities of the right tokens, read off text by text, make them expect."""
    exam = Exam(SUMS.held_out, Corpus(SUMS, "exam"))
    scores, losses = exam.grade(learner, generator(3)), exam.losses(learner)
    rows = range(len(SUMS.held_out))
    asked = [["what", "is", str(a), "+", str(b), "?", "\n"] for a, b in SUMS.held_out]
    right = [str(a + b) for a, b in SUMS.held_out]
    first = chances(learner, asked)[rows, [VOCABULARY.index(word) for word in right]]
    last = chances(learner, [[*text, word] for text, word in zip(asked, right, strict=True)])[:, 0]
    hit = first * last
    assert 0.1 < hit.mean() < 0.95  # else this test could not fail
    assert scores.accuracy == pytest.approx(hit.mean(), abs=0.08)
    assert scores.best_of_8 == pytest.approx((1 - (1 - hit) ** 8).mean(), abs=0.12)
    assert losses["answers"] == pytest.approx(-(np.log(first) + np.log(last)).mean() / 2, rel=1e-4)
    as_text = chances(learner, [[str(a), "+", str(b), "="] for a, b in SUMS.held_out])
    expected = as_text[rows, [VOCABULARY.index(word) for word in right]].mean()
    assert scores.as_text == pytest.approx(expected, abs=0.08)


def test_the_exams_questions_are_never_asked_and_only_the_web_is_wrong() -> None:
    """No document of any corpus asks a held-out sum; about 30 % of pretraining's sums are wrong and none of the clean."""
    corpus = Corpus(SUMS, "texts")
    web = [" ".join(corpus.web()) for _ in range(3000)]
    asked = {(int(a), int(b)) for text in web for a, b in re.findall(r"what is (\d+) \+ (\d+) \?", text)}
    assert asked and asked <= set(SUMS.train) and not set(SUMS.train) & set(SUMS.held_out)
    assert set(corpus.draw(SUMS.train, 500)) <= set(SUMS.train)
    pattern = r"(\d+) \+ (\d+) (?:=|gives us) (\d+) \."
    noisy = [tuple(map(int, found)) for text in web for found in re.findall(pattern, text)]
    clean = [
        tuple(map(int, found)) for _ in range(500) for found in re.findall(pattern, " ".join(corpus.arithmetic(0.0)))
    ]
    assert np.mean([a + b != c for a, b, c in noisy]) == pytest.approx(NOISE, abs=0.04)
    assert all(a + b == c for a, b, c in clean)
    assert {(a, b) for a, b, _ in clean} & set(SUMS.held_out)
    assert all(text.endswith("<end>") for text in web)


def test_the_model_is_causal_and_of_the_announced_size() -> None:
    """A later token changes nothing before it; there are about 100,000 weights."""
    model = new_model()
    ids = torch.randint(len(VOCABULARY), (2, 20), generator=generator(1))
    changed = ids.clone()
    changed[:, 12:] = (changed[:, 12:] + 1) % len(VOCABULARY)
    with torch.no_grad():
        one, two = model(ids), model(changed)
    assert torch.allclose(one[:, :12], two[:, :12], atol=1e-5) and not torch.allclose(
        one[:, 12:], two[:, 12:], atol=1e-2
    )
    assert 90_000 < sum(parameter.numel() for parameter in model.parameters()) < 120_000


def test_rewards_alone_teach_and_without_a_right_answer_nothing_is_learned(learner: Module) -> None:
    """RL raises the chance of right answers that are never shown; where no sample is right, no weight moves."""
    novice = new_model()
    before = [parameter.clone() for parameter in novice.parameters()]
    for _ in seek_rewards(novice, Corpus(SUMS, "rl"), SUMS.train[:2], 1, generator(1)):
        pass
    assert all(torch.equal(old, new) for old, new in zip(before, novice.parameters(), strict=True))

    pupil = new_model()
    pupil.load_state_dict(learner.state_dict())
    asked, right = prompts([question(pair) for pair in SUMS.held_out]), answers(SUMS.held_out)
    start = answer_losses(pupil, asked, right).sum(1).neg().exp().mean().item()
    for _ in seek_rewards(pupil, Corpus(SUMS, "rl"), SUMS.held_out, 15, generator(1)):
        pass
    assert answer_losses(pupil, asked, right).sum(1).neg().exp().mean().item() > start + 0.05


def test_a_run_is_complete_and_repeats(quick: dict[str, int], full: tuple[list[Progress], DemoResult]) -> None:
    """Progress rises to a result with picture, table and all prompts after each stage; a seed fixes every number."""
    progress, result = full
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    assert [row[0] for row in result.table.rows] == ["pretraining", "mid-training", "SFT", "RL"]
    assert len(result.exhibits) == 4
    starts = [[line.split(" → ")[0] for line in text.splitlines()] for text in result.exhibits.values()]
    assert all(start == starts[0] and len(start) == 4 for start in starts)
    for key, row in zip(KEYS, result.table.rows, strict=True):
        assert row[1] == f"{100 * result.metrics[f'accuracy_{key}']:.0f}"
        assert row[6] == f"{result.metrics[f'loss_answers_{key}']:.2f}"
    again = run_to_end(STAGES, lab(), **quick)[1]
    assert again.metrics == result.metrics and again.exhibits == result.exhibits
    other = run_to_end(STAGES, lab(4), skip="rl", **quick)[1].metrics
    assert other["loss_sums_pretraining"] != result.metrics["loss_sums_pretraining"]


@pytest.mark.parametrize("skip", ["mid-training", "sft", "rl"])
def test_a_skipped_stage_leaves_no_trace_and_the_stages_before_it_alone(
    quick: dict[str, int], full: tuple[list[Progress], DemoResult], skip: str
) -> None:
    """The skipped stage has no metrics, row or exhibit; what came before is as in the full run."""
    result = run_to_end(STAGES, lab(), skip=skip, **quick)[1]
    gone = skip.replace("-", "_")
    assert not [name for name in result.metrics if name.endswith(f"_{gone}")]
    assert len(result.table.rows) == len(result.exhibits) == 3
    for key in KEYS[: KEYS.index(gone)]:
        for what in ("accuracy", "best_of_8", "text_accuracy", "loss_sums"):
            assert result.metrics[f"{what}_{key}"] == full[1].metrics[f"{what}_{key}"]


def test_closing_early_stops() -> None:
    """A learner who stops the run waits for no more than one step, and inference mode is left behind nowhere."""
    steps = STAGES.run(lab(), STAGES.settings({}))
    for _ in range(4):
        assert isinstance(next(steps), Progress)
        assert not torch.is_inference_mode_enabled()
    steps.close()  # type: ignore[attr-defined]
    assert next(steps, None) is None


def made(
    accuracy: Mapping[str, float], text: Mapping[str, float], tries: Mapping[str, float], stories: float = 1.0
) -> dict[str, float]:
    metrics: dict[str, float] = {"questions": 40, "parameters": 105856, "sft_pairs": 24, "rl_steps": 60}
    for key in accuracy:
        metrics |= {f"accuracy_{key}": accuracy[key], f"text_accuracy_{key}": text[key]}
        metrics |= {f"best_of_8_{key}": tries[key], f"loss_stories_{key}": 1.0}
    return metrics | {f"loss_stories_{list(accuracy)[-1]}": stories}


def by_stage(*values: float) -> dict[str, float]:
    return dict(zip(KEYS, values, strict=True))


EXPECTED = made(by_stage(0.02, 0.03, 0.3, 0.8), by_stage(0.3, 0.9, 0.8, 0.85), by_stage(0.1, 0.2, 0.78, 0.95), 1.2)
OPPOSITE = made(by_stage(0.3, 0.3, 0.32, 0.31), by_stage(0.3, 0.3, 0.3, 0.3), by_stage(0.4, 0.4, 0.4, 0.4))
BEYOND = made(by_stage(0.02, 0.03, 0.1, 0.9), by_stage(0.1, 0.2, 0.2, 0.2), by_stage(0.1, 0.2, 0.4, 0.95))
UNPAID = made(by_stage(0.0, 0.0, 0.01, 0.01), by_stage(0.1, 0.2, 0.2, 0.2), by_stage(0.0, 0.0, 0.1, 0.1))
FORMED = made(by_stage(0.0, 0.1, 0.9, 0.9), by_stage(0.1, 0.2, 0.2, 0.2), by_stage(0.0, 0.1, 0.9, 0.95))


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (
            EXPECTED,
            [
                "continued the text instead",
                "raised this to 90%",
                "taught the form",
                "from 30% to 80%",
                "rose from 1.00",
            ],
        ),
        (EXPECTED, ["78% of the questions had been among 8 tries, so much of this was within reach"]),
        (
            OPPOSITE,
            ["answered often already", "left this at 30%", "changed little", "did not help here", "not forgotten"],
        ),
        (OPPOSITE, ["as text it completes 30%"]),
        (BEYOND, ["out of reach of 8 tries"]),
        (UNPAID, ["the checker had little to reward"]),
        (FORMED, ["90% of the replies were now right, against 10%", "did not help here: 90% before, 90% after"]),
    ],
)
def test_the_summary_says_what_was_measured(metrics: Mapping[str, float], said: list[str]) -> None:
    """Each judgement turns with the numbers, and an effect that failed to show is not claimed."""
    text = summary_of(metrics)
    for part in said:
        assert part in text
    assert ("within reach" in text) == (metrics is EXPECTED)


def test_the_summary_of_a_run_without_a_stage_does_not_mention_it() -> None:
    """RL is compared with the stage that did come before it."""
    text = summary_of({name: value for name, value in EXPECTED.items() if not name.endswith("_sft")})
    assert "SFT" not in text and "from 3% to 80%" in text and "20% of the questions" in text


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [(EXPECTED, FROM_TEXT), (BEYOND, FROM_REWARDS), (FORMED, FROM_ANSWERS), (OPPOSITE, FROM_TEXT)],
)
def test_the_prediction_follows_the_metrics(
    metrics: Mapping[str, float], expected: str, passages: frozenset[str]
) -> None:
    """What comes true is measured, for a skipped stage, too; the passages that answer wrong guesses exist."""
    prediction = STAGES.prediction
    assert prediction is not None and outcome(metrics) == expected
    assert outcome({name: value for name, value in metrics.items() if not name.endswith("_rl")}) in prediction.choices
    assert set(prediction.gaps) <= set(prediction.choices) and set(prediction.gaps.values()) <= passages


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("show me the training stages", {"skip": "none", "rl-steps": 60}),
        ("show me pretraining, mid-training and post-training", {"skip": "none"}),
        ("run it without mid-training", {"skip": "mid-training"}),
        ("show me what happens without SFT", {"skip": "sft"}),
        ("show me the stages, skip RL", {"skip": "rl"}),
        ("show me RLVR live with 30 RL steps", {"rl-steps": 30}),
        ("show me SFT with 50 question-answer pairs", {"pairs": 50}),
        ("show me a base model live", {"skip": "none"}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, int | str]) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == "stages"
    assert {key: call.params[key] for key in settings} == settings


@pytest.mark.parametrize(
    "said",
    ["quantize to 4 bits", "show me LoRA", "show me on-policy learning", "show me few-shot with 6 shots", "prune 70%"],
)
def test_words_of_other_experiments_are_left_to_them(said: str) -> None:
    """The pattern for stages catches nothing that belongs elsewhere."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name != "stages"


@pytest.mark.parametrize("given", [{"rl-steps": 5}, {"rl-steps": 500}, {"skip": "pretraining"}, {"pairs": 0}])
def test_settings_out_of_range_are_refused(given: dict[str, int | str]) -> None:
    """Pretraining is never skipped, and a run stays short."""
    with pytest.raises(DemoError, match="give"):
        STAGES.settings(given)
