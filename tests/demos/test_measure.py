from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from demos import measure
from demos.measure import Span
from tests.demos.conftest import returned
from tutor.errors import DemoError

WHOLE = Span(0.0, 1.0)


def test_the_evaluation_text_is_read_whole_and_has_the_promised_length(tokenizer: PreTrainedTokenizerBase) -> None:
    """No token is lost or read twice at a window's edge."""
    windows = measure.evaluation_windows(tokenizer)
    text = (measure.TEXTS / "evaluation.txt").read_text(encoding="utf-8")
    assert torch.cat(windows, dim=1)[0].tolist() == tokenizer(text)["input_ids"]
    assert 900 <= sum(window.shape[1] for window in windows) <= 1100


def test_token_losses_equal_cross_entropy_written_by_hand() -> None:
    """Each loss is minus the log of the probability of the token that came next, not of the token itself."""
    logits, ids = torch.randn(4, 7), torch.tensor([3, 0, 6, 2, 2])
    expected = [-math.log(float(logits[i].softmax(0)[ids[i + 1]])) for i in range(4)]
    assert measure.token_losses(logits, ids).tolist() == pytest.approx(expected, rel=1e-4)


def test_token_kl_equals_the_definition_and_its_direction() -> None:
    """KL is of the changed model from the reference: sum p log(p / q) with p the reference."""
    reference, changed = torch.randn(3, 5), torch.randn(3, 5)
    p, q = reference.softmax(-1), changed.softmax(-1)
    expected = (p * (p / q).log()).sum(-1)
    assert torch.allclose(measure.token_kl(reference, changed), expected, atol=1e-5)
    assert float(measure.token_kl(reference, reference).max()) == pytest.approx(0, abs=1e-6)


def test_perplexity_equals_that_of_the_models_own_loss(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Windows of different lengths count by their tokens, as transformers' own loss does for each."""
    windows = measure.evaluation_windows(tokenizer)[-2:]
    assert windows[0].shape != windows[1].shape
    reading = returned(measure.read_text(tiny_llama, windows, WHOLE, ""))
    sums, count = 0.0, 0
    with torch.no_grad():
        for window in windows:
            sums += float(tiny_llama(input_ids=window, labels=window).loss) * (window.shape[1] - 1)
            count += window.shape[1] - 1
    assert reading.perplexity == pytest.approx(math.exp(sums / count), rel=1e-4)


def test_a_model_has_no_kl_from_itself_and_some_from_another(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """The reference's logits are kept window by window and compared with the right ones."""
    windows = measure.evaluation_windows(tokenizer)[-2:]
    other = copy.deepcopy(tiny_llama)
    other.model.norm.weight.data *= 0.5
    before = returned(measure.read_text(tiny_llama, windows, WHOLE, "", keep=True))
    assert returned(measure.read_text(tiny_llama, windows, WHOLE, "", before)).kl == pytest.approx(0, abs=1e-6)
    with torch.no_grad():
        logits = [(tiny_llama(input_ids=w).logits[0, :-1], other(input_ids=w).logits[0, :-1]) for w in windows]
    expected = float(torch.cat([measure.token_kl(one, two) for one, two in logits]).mean())
    reading = returned(measure.read_text(other, windows, WHOLE, "", before))
    assert reading.kl == pytest.approx(expected, rel=1e-3) and expected > 0.01


def test_a_suspended_measurement_leaves_its_caller_out_of_inference_mode(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Whoever reads progress can train or save tensors in between; closing early leaves no mode behind either."""
    steps = measure.read_text(tiny_llama, measure.evaluation_windows(tokenizer, 1), WHOLE, "")
    for _ in range(2):
        next(steps)
        assert not torch.is_inference_mode_enabled()
    steps.close()
    assert not torch.is_inference_mode_enabled()


def test_greedy_tokens_equal_generate(tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase) -> None:
    """The loop with its cache decodes what transformers decodes."""
    prompt = tokenizer("The sea is salty because")["input_ids"]
    ours = [token for token, _ in measure.greedy_tokens(tiny_llama, prompt, 12)]
    theirs = tiny_llama.generate(
        torch.tensor([prompt]), max_new_tokens=12, min_new_tokens=12, do_sample=False, eos_token_id=None
    )
    assert ours == theirs[0, len(prompt) :].tolist()


def test_closing_a_speed_measurement_stops_the_model(tiny_llama: LlamaForCausalLM) -> None:
    """Nothing runs on after Stop, and each model is named in the result if it runs to its end."""
    model = copy.deepcopy(tiny_llama)
    passes: list[int] = []
    model.register_forward_hook(lambda *_: passes.append(1))
    steps = measure.decode_speeds({"the model": model}, [1, 2, 3], WHOLE)
    for _ in range(4):
        next(steps)
    steps.close()
    stopped_at = len(passes)
    assert 0 < stopped_at <= 4
    speeds = returned(measure.decode_speeds({"one": model, "two": model}, [1, 2, 3], WHOLE))
    assert set(speeds) == {"one", "two"} and min(speeds.values()) > 0


def test_slow_tokens_of_other_work_do_not_count_as_the_models_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speed is read from the faster half, after prefill and warm-up."""

    def steps(model: object, prompt: object, most: int) -> Iterator[tuple[int, float]]:
        yield from [(0, 9.0), (0, 9.0), (0, 9.0)]
        for i in range(most - 3):
            yield 0, 0.01 if i % 2 else 0.05

    monkeypatch.setattr(measure, "greedy_tokens", steps)
    speeds = returned(measure.decode_speeds({"m": None}, [1], WHOLE))  # type: ignore[dict-item]
    assert speeds["m"] == pytest.approx(100, rel=0.05)


def test_an_answer_ends_at_the_end_of_turn_token_or_after_48_tokens(
    monkeypatch: pytest.MonkeyPatch, tokenizer: PreTrainedTokenizerBase
) -> None:
    """The end-of-turn token is no part of the answer, and a talkative model is cut off."""

    def script(*tokens: int) -> None:
        monkeypatch.setattr(measure, "greedy_tokens", lambda model, prompt, most: ((t, 0.1) for t in tokens[:most]))

    end = int(tokenizer.eos_token_id)
    script(10, 11, end, 12)
    assert returned(measure.greedy_answer(None, tokenizer, "Why?", WHOLE, "")) == [10, 11]  # type: ignore[arg-type]
    script(*range(10, 100))
    assert len(returned(measure.greedy_answer(None, tokenizer, "Why?", WHOLE, ""))) == 48  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "two", "place"),
    [([1, 2, 3], [1, 2, 3], None), ([1, 2, 3], [1, 9, 3], 2), ([1, 2], [1, 2, 3], 3), ([], [5], 1)],
)
def test_first_difference_counts_from_one(one: list[int], two: list[int], place: int | None) -> None:
    """A shorter answer differs where it ends."""
    assert measure.first_difference(one, two) == place


def test_both_answers_stand_side_by_side_with_the_question(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """The learner can read the question and each model's answer, and is told where they part."""
    other = copy.deepcopy(tiny_llama)
    other.model.layers[0].mlp.down_proj.weight.data.zero_()
    models = {"the original model": tiny_llama, "the other model": other}
    exhibits, sentence = returned(measure.compare_answers(models, tokenizer, "Why is it salty?", WHOLE))
    assert list(exhibits) == ["Your question", "Answer by the original model", "Answer by the other model"]
    assert exhibits["Your question"] == "Why is it salty?"
    answers = [
        [t for t, _ in measure.greedy_tokens(m, measure.encode_question(tokenizer, "Why is it salty?"), 48)]
        for m in models.values()
    ]
    assert f"at token {measure.first_difference(*answers)}." in sentence


def test_decoder_linears_are_those_of_the_layers_and_no_head(tiny_llama: LlamaForCausalLM) -> None:
    """Embedding and output head are never rounded or pruned; attention and mlp split the rest."""
    sizes = {
        part: [len(layer) for layer in measure.decoder_linears(tiny_llama, part)]
        for part in ("all", "attention", "mlp")
    }
    assert sizes == {"all": [7, 7], "attention": [4, 4], "mlp": [3, 3]}
    names = [name for layer in measure.decoder_linears(tiny_llama, "all") for name, _ in layer]
    assert not any("lm_head" in name or "embed" in name for name in names)


def test_a_model_without_linear_layers_is_refused_with_a_next_step() -> None:
    """A model that an experiment cannot change is named as such, not measured as unchanged."""
    with pytest.raises(DemoError, match="TUTOR_MODEL"):
        measure.decoder_linears(torch.nn.ModuleDict({"x": torch.nn.Linear(2, 2)}), "all")  # type: ignore[arg-type]


def test_size_counts_16_bits_a_parameter_unless_told_and_tied_weights_once(published_model: LlamaForCausalLM) -> None:
    """134,515,008 parameters in 16 bits are 269.03 MB; a matrix stored smaller saves just that."""
    assert measure.size_mb(published_model) == pytest.approx(269.030016)
    name = "model.layers.3.mlp.up_proj"
    saved = 1536 * 576 * (16 - 4) / 8e6
    assert measure.size_mb(published_model, {name: 1536 * 576 * 4}) == pytest.approx(269.030016 - saved)
    with pytest.raises(ValueError, match="typo"):
        measure.size_mb(published_model, {"typo": 1.0})


def test_a_span_maps_its_steps_into_the_bar() -> None:
    """A measurement fills its own part of the bar and never overshoots."""
    assert Span(0.2, 0.6).step(1, 4, "x").fraction == pytest.approx(0.3)
    assert Span(0.2, 0.6).step(9, 4, "x").fraction == pytest.approx(0.6)


def test_spans_side_by_side_fill_the_whole_in_proportion() -> None:
    """The bar moves on without gaps or steps back; a part that takes no time has no width."""
    parts = Span(0.2, 1.0).split(1, 0, 3)
    assert [(part.start, part.end) for part in parts] == [
        (pytest.approx(a), pytest.approx(b)) for a, b in ((0.2, 0.4), (0.4, 0.4), (0.4, 1.0))
    ]
    assert Span(0, 1).split() == []
