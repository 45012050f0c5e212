from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from transformers import (
    LlamaForCausalLM,
    MinPLogitsWarper,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from demos import find_demo
from demos.base import DemoResult, Lab, Progress, Specimen
from demos.decoding_rules import Rules, Scorer, entropy_bits, swapped_neighbours, write_texts
from demos.glyphs import LACKING, drawable
from demos.measure import Span
from demos.sampling_words import LEVEL, STAYS, SWAPS, outcome, piece, summary_of
from demos.seeding import generator
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import returned, run_to_end
from tutor.errors import DemoError
from tutor.intent import route
from tutor.requests.spoken import spoken_values

SAMPLING = find_demo("sampling")


def warped(logits: torch.Tensor, rules: Rules) -> torch.Tensor:
    """Transformers' own probabilities for the same settings, in the order in which `generate` applies them."""
    ids = torch.zeros(len(logits), 1, dtype=torch.long)
    scores = logits
    if rules.temperature != 1:
        scores = TemperatureLogitsWarper(rules.temperature)(ids, scores)
    if rules.top_k:
        scores = TopKLogitsWarper(rules.top_k)(ids, scores)
    if rules.top_p < 1:
        scores = TopPLogitsWarper(rules.top_p)(ids, scores)
    if rules.min_p:
        scores = MinPLogitsWarper(rules.min_p)(ids, scores)
    return scores.softmax(-1)


@pytest.mark.parametrize(
    "rules",
    [
        Rules(),
        Rules(temperature=0.5),
        Rules(temperature=2.0),
        Rules(top_k=1),
        Rules(top_k=7),
        Rules(top_p=0.05),
        Rules(top_p=0.9),
        Rules(min_p=0.1),
        Rules(1.5, 40, 0.8, 0.05),
        Rules(0.7, 5, 0.95, 0.3),
    ],
    ids=str,
)
def test_rules_are_those_of_transformers(rules: Rules) -> None:
    """Each rule, and all in a row, leave the probabilities that transformers' own warpers leave."""
    logits = 3 * torch.randn(20, 5000, generator=torch.Generator().manual_seed(1))
    ours, theirs = rules.shape(logits), warped(logits, rules)
    assert torch.equal(ours > 0, theirs > 0)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_the_passages_worked_example() -> None:
    """Five tokens of 50, 25, 15, 7 and 3 %: what the notes say that each rule keeps, it keeps."""
    logits = torch.tensor([0.50, 0.25, 0.15, 0.07, 0.03]).log()
    # 0.899, since in floating point three shares that make 90 % may fall short of 0.9.
    kept = {name: int((rules.shape(logits) > 0).sum()) for name, rules in {
        "top-k 2": Rules(top_k=2), "top-p 0.9": Rules(top_p=0.899), "greedy": Rules(0), "min-p 0.1": Rules(min_p=0.1),
    }.items()}  # fmt: skip
    assert kept == {"top-k 2": 2, "top-p 0.9": 3, "greedy": 1, "min-p 0.1": 4}
    hot = (100 * Rules(temperature=2.0).shape(logits)).round().int().tolist()
    assert hot == [35, 25, 19, 13, 9]
    assert entropy_bits(torch.full((8,), 0.125)) == pytest.approx(3)


def test_exactly_k_are_kept_among_equals() -> None:
    """A cut between equally likely tokens still leaves k."""
    assert int((Rules(top_k=3).shape(torch.zeros(10)) > 0).sum()) == 3


def test_texts_are_what_generate_writes(tiny_llama: LlamaForCausalLM) -> None:
    """The greedy row equals transformers' greedy decode, and so does every row that has one token to draw from."""
    ids = torch.tensor([[5, 6, 7, 8]])
    theirs = tiny_llama.generate(ids, do_sample=False, max_new_tokens=12, eos_token_id=None, pad_token_id=0)[
        0, 4:
    ].tolist()
    scorer = Scorer(tiny_llama)
    rows = [Rules(0), Rules(top_k=1), Rules()]
    written = returned(write_texts(scorer, scorer(ids), rows, {}, 12, None, generator(0), Span(0, 1)))
    assert list(written.rows[0]) == list(written.rows[1]) == theirs
    assert list(written.rows[2]) != theirs
    # The fourth token ends a text, and is no part of it; the other row goes on.
    ended = returned(write_texts(scorer, scorer(ids), rows, {}, 12, theirs[3], generator(0), Span(0, 1)))
    assert list(ended.rows[0]) == theirs[: theirs.index(theirs[3])] and len(ended.rows[2]) == 12


def test_scores_are_the_models_own(published_model: PreTrainedModel) -> None:
    """The last matrix in fp32 gives the real model's logits, less the rounding to bf16."""
    ids = torch.tensor([[504, 2104, 27006]])
    with torch.no_grad():
        theirs = published_model(input_ids=ids).logits[0, -1].float()
    ours = Scorer(published_model)(ids)[0][0]
    assert float((ours - theirs).abs().max()) < 0.2
    assert len(ours.unique()) > 10 * len(theirs.unique())


def test_metrics_are_those_of_the_prompts_own_distribution(
    tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """A prompt read here by itself, with transformers' warpers, gives the same counts, shares and entropies."""
    _, result = run_to_end(SAMPLING, tiny_lab(), prompt="Hello <|im_start|> there", top_k=7, temperature=0.8)
    ids = tokenizer("Hello <|im_start|> there", split_special_tokens=True)["input_ids"]
    assert 1 not in ids and result.metrics["prompt_tokens"] == len(ids)  # 1 is the control token
    with torch.no_grad():
        logits = tiny_llama(input_ids=torch.tensor([ids])).logits[:, -1]
    for name, rules in {
        "own": Rules(),
        "temperature": Rules(0.8),
        "top_k": Rules(top_k=7),
        "top_p": Rules(top_p=0.9),
        "min_p": Rules(min_p=0.1),
        "all": Rules(0.8, 7, 0.9, 0.1),
    }.items():
        theirs = warped(logits, rules)[0].double()
        kept = theirs[theirs > 0]
        assert result.metrics[f"{name}_kept"] == pytest.approx(len(kept), abs=1), name
        assert result.metrics[f"{name}_favourite"] == pytest.approx(float(theirs.max()), rel=1e-3), name
        assert result.metrics[f"{name}_entropy_bits"] == pytest.approx(float(-(kept * kept.log2()).sum()), rel=1e-3), (
            name
        )
    assert result.metrics["top_k_kept_least"] == result.metrics["top_k_kept_most"] == 7


def test_a_run_is_complete_repeats_and_leaves_the_specimen_alone(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Progress rises to a result with picture and texts; the seed fixes what is drawn, and another seed draws otherwise."""
    given = Specimen(copy.deepcopy(tiny_llama), tokenizer)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    progress, result = run_to_end(SAMPLING, Lab(lambda: given, seed=4))
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG") and "%" in result.figure_alt
    again = run_to_end(SAMPLING, Lab(lambda: given, seed=4))[1]
    assert again.metrics == result.metrics and again.exhibits == result.exhibits
    other = run_to_end(SAMPLING, Lab(lambda: given, seed=5))[1]
    assert other.exhibits != result.exhibits
    greedy = "Greedy: always the likeliest token"
    assert other.exhibits[greedy] == result.exhibits[greedy]
    assert torch.equal(torch.get_rng_state(), state)
    for name, parameter in given.model.named_parameters():
        assert torch.equal(parameter, tiny_llama.get_parameter(name)), name


def test_closing_early_stops(tiny_lab: Callable[..., Lab]) -> None:
    """A learner who leaves costs nothing more, and inference mode doesn't leak out of a suspended run."""
    steps = SAMPLING.run(tiny_lab(), SAMPLING.settings({}))
    for _ in range(6):
        assert isinstance(next(steps), Progress) and not torch.is_inference_mode_enabled()
    steps.close()  # type: ignore[attr-defined]
    assert list(steps) == []


def test_long_and_empty_prompts(tiny_lab: Callable[..., Lab]) -> None:
    """Of a huge prompt the end is read, which the summary says; without a prompt there is nothing to continue."""
    _, result = run_to_end(SAMPLING, tiny_lab(), prompt="word " * 900)
    assert result.metrics["read_tokens"] == 256 < result.metrics["prompt_tokens"]
    assert "its last 256 tokens" in result.summary
    with pytest.raises(DemoError, match="--prompt is empty"):
        run_to_end(SAMPLING, tiny_lab(), prompt="  ")


def hand_made(**changed: float) -> dict[str, float]:
    """Metrics of a run on a vocabulary of 1,000 tokens."""
    metrics: dict[str, float] = {"vocabulary": 1000, "prompt_tokens": 5, "read_tokens": 5}
    for name, kept in {"own": 1000, "temperature": 1000, "top_k": 5, "top_p": 40, "min_p": 3, "all": 2}.items():
        metrics |= {f"{name}_kept": kept, f"{name}_favourite": 0.25, f"{name}_entropy_bits": 4.0, f"{name}_texts": 3}
        metrics |= {f"{name}_kept_least": 1, f"{name}_kept_most": 300, f"{name}_swapped": 0}
    return metrics | changed


@pytest.mark.parametrize(
    ("metrics", "choice"),
    [
        (hand_made(), STAYS),
        (hand_made(temperature_swapped=3), SWAPS),
        (hand_made(temperature_favourite=0.001), LEVEL),
    ],
)
def test_the_prediction_follows_the_metrics(metrics: dict[str, float], choice: str) -> None:
    """What was right is read from the probabilities at the run's own temperature."""
    prediction = SAMPLING.prediction
    assert prediction is not None and choice in prediction.choices
    assert prediction.outcome(metrics) == outcome(metrics) == choice


def test_gaps_are_passages_that_exist() -> None:
    """A wrong prediction leads to the passage on the thought behind it."""
    prediction = SAMPLING.prediction
    assert prediction is not None and set(prediction.gaps) <= set(prediction.choices)
    passages = {passage.id: passage for passage in load_knowledge().passages}
    assert all("divided by the temperature" in passages[gap].text for gap in prediction.gaps.values())


@pytest.mark.parametrize("temperature", [0.0, 0.2, 0.7, 1.5, 3.0])
def test_no_temperature_swaps_tokens(
    published_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, temperature: float
) -> None:
    """Protects what the run tells of the order, on a real model's 49,152 tokens: rounding, which turns some 25 neighbours round, is no swap."""
    ids = tokenizer(SAMPLING.settings({})["prompt"], return_tensors="pt")["input_ids"]
    logits = Scorer(published_model)(ids)[0][0]
    assert swapped_neighbours(logits.softmax(-1), Rules(temperature=temperature).shape(logits)) == 0


def test_swaps_in_the_order_are_counted() -> None:
    """Protects the prediction: neighbours that change places count, tokens that become equally likely do not."""
    own = torch.tensor([0.2, 0.5, 0.3])
    assert swapped_neighbours(own, torch.tensor([0.3, 0.4, 0.3])) == 0
    assert swapped_neighbours(own, torch.tensor([0.5, 0.3, 0.2])) == 1
    assert swapped_neighbours(own, Rules(temperature=3.0).shape(own.log())) == 0


@pytest.mark.parametrize(
    ("metrics", "every", "said"),
    [
        (hand_made(), Rules(1.5, 5, 0.9, 0.1), ("evens the odds", "top-k 5 keeps 5 tokens", "from 1 to 300 tokens")),
        (hand_made(), Rules(0.5, 5, 0.9, 0.1), ("favours the likely", "3 different ones", "as among 16 equally")),
        (hand_made(), Rules(1.0, 0, 1.0, 0.0), ("leaves the probabilities as they are", "Nothing is cut off")),
        (hand_made(all_texts=1, all_kept=1), Rules(0), ("is greedy", "leave 1 token", "the same each time")),
        (hand_made(top_p_kept_most=2), Rules(2.0, 0, 0.9), ("top-p kept 1 to 2 tokens",)),
        (hand_made(temperature_kept=900), Rules(0.01), ("100 tokens become too unlikely for a number to hold",)),
    ],
)
def test_the_summary_follows_the_metrics(metrics: dict[str, float], every: Rules, said: tuple[str, ...]) -> None:
    """Each judgement is the measured one, and what is switched off is not claimed to cut."""
    text = summary_of(metrics, every, {}, "␣map")
    assert all(words in text for words in said), text
    assert "favourite “map” gets 25 %" in text
    assert ("top-p" in text) == (every.top_p < 1)
    assert "<b>" not in summary_of(metrics, every, {}, "<b>")


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("show me sampling with temperature 2", {"temperature": 2.0, "top-k": 5}),
        ("show me top-k 50", {"top-k": 50}),
        ("show me top p 0.95 and min-p 0.2", {"top-p": 0.95, "min-p": 0.2}),
        ("show me nucleus sampling with 80%", {"top-p": 0.8}),
        ("run top_p=0.5 with top_k=3", {"top-p": 0.5, "top-k": 3}),
        ("show me greedy decoding", {"temperature": 0.0}),
        ('show me sampling after "my dog is"', {"prompt": "my dog is"}),
        ("sample with temperature 0.3", {"temperature": 0.3}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, float | str]) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), (SAMPLING,)).demo
    assert call is not None and call.name == "sampling"
    assert {name: call.params[name] for name in settings} == settings


@pytest.mark.parametrize("given", [{"temperature": 3.1}, {"top-k": -1}, {"top-p": 0.0}, {"min-p": 1.1}])
def test_settings_out_of_range_are_refused(given: dict[str, float]) -> None:
    """What no decoder accepts is refused with what is allowed."""
    with pytest.raises(DemoError, match="give"):
        SAMPLING.settings(given)


def test_tokens_can_be_drawn_whatever_they_hold() -> None:
    """Spaces and line breaks are visible; characters without a glyph and formula signs do no harm."""
    assert (piece(" map"), piece("\n"), piece("a b")) == ("␣map", "(line break)", "a b")
    assert drawable("a$\U0001f98bé") == "a\\$" + LACKING + "é"


@pytest.mark.parametrize(
    ("said", "compare"),
    [
        ("compare temperature 0.2 and 1.8", "0.2,1.8"),
        ("show me what happens when the temperature is very high and when it is very low", "0.2,2"),
        ("temperature 0.5 and top-k 10", None),
    ],
)
def test_temperatures_side_by_side(said: str, compare: str | None) -> None:
    """Protects: a low and a high temperature are both run."""
    values = spoken_values(said, SAMPLING, loosely=True)
    assert (SAMPLING.settings(values)["compare"] or None) == compare


def test_each_compared_temperature_has_its_row(tiny_lab: Callable[..., Lab]) -> None:
    """Protects: what is put beside the run's own is drawn, told and in the table."""
    settings = SAMPLING.settings({"compare": "0.2,2"})
    result = [step for step in SAMPLING.run(tiny_lab(), settings) if isinstance(step, DemoResult)][-1]
    assert [row[0] for row in result.table.rows][1:3] == ["temperature 0.2", "temperature 2"]
    assert "Temperature 2 evens the odds" in result.summary and "Temperature 0.2 favours" in result.summary
    assert result.metrics["temperature_entropy_bits"] < result.metrics["temperature_2_entropy_bits"]
