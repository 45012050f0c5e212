from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from demos import find_demo, measure, words
from demos.base import Lab, Specimen
from demos.measure import Span
from demos.rounding import quantize_per_group
from tests.demos.conftest import returned, run_to_end, without_timings
from tutor.errors import DemoError

QUANTIZE = find_demo("quantize")


def round_by_torch(model: LlamaForCausalLM, bits: int, part: str) -> LlamaForCausalLM:
    """A copy whose linear layers are rounded by row with torch's own quantizer."""
    rounded = copy.deepcopy(model)
    for name, module in rounded.named_modules():
        if isinstance(module, torch.nn.Linear) and part in name and "lm_head" not in name:
            weight = module.weight.data
            minimum = weight.amin(1).half().float()
            scale = ((weight.amax(1) - minimum) / (2**bits - 1)).half().float()
            module.weight.data = torch.fake_quantize_per_channel_affine(
                weight, scale, -minimum / scale, 0, 0, 2**bits - 1
            )
    return rounded


def perplexity_by_hand(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase) -> float:
    losses = []
    for window in measure.evaluation_windows(tokenizer):
        with torch.no_grad():
            probabilities = model(input_ids=window).logits[0].softmax(-1)
        losses += [-math.log(probabilities[i, t]) for i, t in enumerate(window[0, 1:].tolist())]
    return math.exp(sum(losses) / len(losses))


@pytest.mark.parametrize(("bits", "layers", "part"), [(3, "all", ""), (4, "mlp", "mlp")])
def test_metrics_are_those_of_a_model_rounded_by_torch(
    bits: int,
    layers: str,
    part: str,
    tiny_lab: Callable[..., Lab],
    tiny_llama: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Perplexity before and after, and KL, agree with another quantizer and a hand-written cross entropy."""
    _, result = run_to_end(QUANTIZE, tiny_lab(), bits=bits, group_size=0, layers=layers)
    assert ("MLP blocks to" if layers == "mlp" else "the decoder to") in result.summary
    rounded = round_by_torch(tiny_llama, bits, part)
    assert result.metrics["perplexity_reference"] == pytest.approx(perplexity_by_hand(tiny_llama, tokenizer), rel=1e-3)
    assert result.metrics["perplexity"] == pytest.approx(perplexity_by_hand(rounded, tokenizer), rel=2e-2)
    logits = []
    with torch.no_grad():
        for window in measure.evaluation_windows(tokenizer):
            logits.append([model(input_ids=window).logits[0, :-1].log_softmax(-1) for model in (tiny_llama, rounded)])
    kl = torch.cat([(p.exp() * (p - q)).sum(-1) for p, q in logits]).mean()
    assert result.metrics["kl"] == pytest.approx(float(kl), rel=2e-2)


def test_compared_levels_are_those_of_models_rounded_by_torch(
    tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Each level beside has its own perplexity, KL and size; the stated one stays the main one."""
    _, result = run_to_end(QUANTIZE, tiny_lab(), bits=4, group_size=0, compare="8,4,2")
    assert result.table.columns == ("Measure", "Original (bf16)", "Rounded to 4 bits", "8 bits", "2 bits")
    assert {len(row) for row in result.table.rows} == {5}
    metrics, matrices = result.metrics, [p for n, p in tiny_llama.named_parameters() if "proj" in n]
    for bits, suffix in ((8, "_at_8_bits"), (4, ""), (2, "_at_2_bits")):
        expected = perplexity_by_hand(round_by_torch(tiny_llama, bits, ""), tokenizer)
        assert metrics[f"perplexity{suffix}"] == pytest.approx(expected, rel=2e-2)
        saved = sum(p.numel() * (16 - bits) - p.shape[0] * 32 for p in matrices) / 8e6
        assert metrics[f"size_mb{suffix}"] == pytest.approx(metrics["size_mb_reference"] - saved)
    assert 0 < metrics["kl_at_8_bits"] < metrics["kl"] < metrics["kl_at_2_bits"]
    assert all(
        f"{bits} bits ({words.number(metrics[name])})" in result.summary
        for bits, name in ((4, "perplexity"), (2, "perplexity_at_2_bits"))
    )


def test_the_prediction_is_decided_by_what_was_counted() -> None:
    """Rounding keeps every weight; only a run that had dropped some would make the other choice true."""
    prediction = QUANTIZE.prediction
    assert prediction is not None
    kept = {"size_mb": 50, "size_mb_reference": 100, "weights": 10, "weights_reference": 10}
    found = [
        prediction.outcome({**kept, **other}) for other in ({}, {"weights": 9}, {"size_mb": 100}, {"size_mb": 120})
    ]
    assert found == ["Fewer bits for each weight", "Fewer weights", *["Nothing: it stays as large"] * 2]
    assert set(found) == set(prediction.choices)


def test_the_run_keeps_every_weight(tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM) -> None:
    """The misconception that the prediction asks about is refuted by a count."""
    _, result = run_to_end(QUANTIZE, tiny_lab(), bits=2)
    assert result.metrics["weights"] == sum(p.numel() for n, p in tiny_llama.named_parameters() if "proj" in n)
    assert QUANTIZE.prediction is not None and QUANTIZE.prediction.outcome(result.metrics).startswith("Fewer bits")


def test_size_counts_packed_weights_scales_and_what_stays(
    tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM
) -> None:
    """4 bits on groups of 32 columns: 4 + 32/32 bits a rounded weight, 16 bits for every other parameter."""
    _, result = run_to_end(QUANTIZE, tiny_lab(), bits=4, group_size=32)
    total = sum(p.numel() for p in tiny_llama.parameters())
    linear = sum(p.numel() for n, p in tiny_llama.named_parameters() if "proj" in n)
    assert result.metrics["size_mb_reference"] == pytest.approx(total * 2 / 1e6)
    assert result.metrics["size_mb"] == pytest.approx(((total - linear) * 16 + linear * 5) / 8e6)


def test_a_run_is_complete_honest_about_its_parts_and_leaves_the_specimen_alone(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Progress rises to a result with picture, table and both answers; the model that it was given is unchanged."""
    given = Specimen(copy.deepcopy(tiny_llama), tokenizer)
    progress, result = run_to_end(QUANTIZE, Lab(lambda: given, "Why is the sea salty?"), bits=2)
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert any("layer 2 of 2" in step.note for step in progress)
    assert result.figure is not None and result.figure.startswith(b"\x89PNG") and "2 bits" in result.figure_alt
    assert {len(row) for row in result.table.rows} == {len(result.table.columns)}
    assert set(result.exhibits) == {"Your question", "Answer by the original model", "Answer by the 2-bit model"}
    assert "embedding table" in result.summary and "token" in result.summary
    for name, parameter in given.model.named_parameters():
        assert torch.equal(parameter, tiny_llama.get_parameter(name)), name


def test_the_same_seed_gives_the_same_metrics(tiny_lab: Callable[..., Lab]) -> None:
    """A learner who repeats a run reads the same numbers, timings aside."""
    first, second = (run_to_end(QUANTIZE, tiny_lab(), bits=3)[1] for _ in range(2))
    assert without_timings(first) == without_timings(second)
    assert first.figure == second.figure


def test_groups_of_32_come_with_a_warning(tiny_lab: Callable[..., Lab]) -> None:
    """Weights published at 4 bits on groups of 32 would make that setting look free."""
    assert "Q4_1" in run_to_end(QUANTIZE, tiny_lab(), group_size=32)[1].summary
    assert QUANTIZE.settings({})["group-size"] == 64


@pytest.mark.parametrize(
    "given", [{"bits": 1}, {"bits": 9}, {"bits": "4.5"}, {"group-size": 48}, {"layers": "head"}, {"compare": "8,9"}]
)
def test_settings_out_of_range_are_refused(given: dict[str, int | str]) -> None:
    """The learner is told what is allowed."""
    with pytest.raises(DemoError, match="give"):
        QUANTIZE.settings(given)


def test_the_real_model_keeps_8_bits_and_loses_at_2(
    published_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """8 bits stay within 2 % of the original's perplexity, fewer bits are worse step by step, 2 bits ruin it."""
    windows = measure.evaluation_windows(tokenizer, 1)
    changed = copy.deepcopy(published_model)
    perplexity = {16: returned(measure.read_text(published_model, windows, Span(0, 1), "")).perplexity}
    for bits in (8, 4, 3, 2):
        for layer in measure.pair_linears(published_model, changed, "all"):
            for _, source, target in layer:
                target.weight.data.copy_(quantize_per_group(source.weight, bits, 64).values())
        perplexity[bits] = returned(measure.read_text(changed, windows, Span(0, 1), "")).perplexity
    assert perplexity[8] == pytest.approx(perplexity[16], rel=0.02)
    assert perplexity[8] < perplexity[4] < perplexity[3] < perplexity[2]
    assert perplexity[2] > 10 * perplexity[16]
