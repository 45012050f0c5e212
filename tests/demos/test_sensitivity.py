from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from demos import find_demo, measure
from demos.base import Lab
from demos.measure import Span
from demos.sensitivity import TOKENS, Sensitivity, change_one_layer_at_a_time
from tests.demos.conftest import returned, run_to_end


def perplexity_by_transformers(model: LlamaForCausalLM, window: torch.Tensor) -> float:
    with torch.no_grad():
        return math.exp(float(model(input_ids=window, labels=window).loss))


def test_each_layer_alone_is_changed_and_then_restored(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Every figure is that of a copy in which just this layer's matrices are zero; no change is left behind."""
    model = copy.deepcopy(tiny_llama)
    window = measure.evaluation_windows(tokenizer, 1)[0]
    pairs = measure.pair_linears(tiny_llama, model, "all")
    found = returned(
        change_one_layer_at_a_time(
            model, pairs, lambda _, target: float(target.weight.data.zero_().sum()), window, Span(0, 1)
        )
    )
    assert found.reference == pytest.approx(perplexity_by_transformers(tiny_llama, window[:, :TOKENS]), rel=1e-4)
    for i, value in enumerate(found.alone):
        expected = copy.deepcopy(tiny_llama)
        for name, parameter in expected.named_parameters():
            if f"layers.{i}." in name and "proj" in name:
                parameter.data.zero_()
        assert value == pytest.approx(perplexity_by_transformers(expected, window[:, :TOKENS]), rel=1e-4)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, tiny_llama.get_parameter(name)), name


@pytest.mark.parametrize("name", ["quantize", "prune"])
def test_layers_are_measured_only_when_asked_for(name: str, tiny_lab: Callable[..., Lab]) -> None:
    """The default run stays short; with sensitivity each layer has its figure, in metrics, picture and words."""
    plain = run_to_end(find_demo(name), tiny_lab())[1]
    progress, result = run_to_end(find_demo(name), tiny_lab(), sensitivity="yes")
    assert "most_sensitive_layer" not in plain.metrics
    alone = [result.metrics[f"perplexity_layer_{i}"] for i in (1, 2)]
    assert result.metrics["most_sensitive_layer"] == 1 + alone.index(max(alone))
    assert "with one layer changed" in result.figure_alt and "Changed one at a time" in result.summary
    assert {key: value for key, value in result.metrics.items() if key in plain.metrics and "per_s" not in key} == {
        key: value for key, value in plain.metrics.items() if "per_s" not in key
    }
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[-1] < 1


@pytest.mark.parametrize(
    ("alone", "claim"),
    [
        ((30.1, 30.3, 29.9), "no single layer matters much"),
        ((90.0, 31.0, 30.2), "far more sensitive"),
        ((33.0, 33.5, 32.8), "about equally"),
    ],
)
def test_the_verdict_depends_on_the_figures(alone: tuple[float, ...], claim: str) -> None:
    """A flat profile is not sold as a sensitive layer, nor an outlier as the rule."""
    found = Sensitivity(30.0, alone, 192)
    assert claim in found.sentence() and f"layer {found.most()} of 3" in found.sentence()
