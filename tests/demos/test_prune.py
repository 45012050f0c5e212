from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch.nn.utils import prune
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from demos import find_demo
from demos.base import Lab, Specimen
from tests.demos.conftest import run_to_end, without_timings
from tests.demos.test_quantize import perplexity_by_hand
from tutor.errors import DemoError

PRUNE = find_demo("prune")


def prune_by_torch(model: LlamaForCausalLM, sparsity: float, structure: str) -> LlamaForCausalLM:
    pruned = copy.deepcopy(model)
    for name, module in pruned.named_modules():
        if isinstance(module, torch.nn.Linear) and "proj" in name:
            if structure == "rows":
                prune.ln_structured(module, "weight", amount=sparsity, n=2, dim=0)
            else:
                prune.l1_unstructured(module, "weight", amount=sparsity)
            prune.remove(module, "weight")
    return pruned


@pytest.mark.parametrize(("sparsity", "structure"), [(0.3, "unstructured"), (0.5, "rows")])
def test_metrics_are_those_of_a_model_pruned_by_torch(
    sparsity: float,
    structure: str,
    tiny_lab: Callable[..., Lab],
    tiny_llama: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Perplexity and the share of zeros agree with torch.nn.utils.prune and a hand-written cross entropy."""
    _, result = run_to_end(PRUNE, tiny_lab(), sparsity=sparsity, structure=structure)
    pruned = prune_by_torch(tiny_llama, sparsity, structure)
    matrices = [p for n, p in pruned.named_parameters() if "proj" in n]
    zeros = sum(int((p == 0).sum()) for p in matrices) / sum(p.numel() for p in matrices)
    assert result.metrics["sparsity"] == pytest.approx(zeros, abs=1e-6)
    assert result.metrics["perplexity"] == pytest.approx(perplexity_by_hand(pruned, tokenizer), rel=1e-3)
    assert result.metrics["perplexity_reference"] == pytest.approx(perplexity_by_hand(tiny_llama, tokenizer), rel=1e-3)
    assert result.metrics["kl"] > 0


@pytest.mark.parametrize("structure", ["unstructured", "rows"])
def test_compared_shares_are_those_of_models_pruned_by_torch(
    structure: str, tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Each share beside is pruned in the run's own structure and read on the same text."""
    _, result = run_to_end(PRUNE, tiny_lab(), sparsity=0.5, structure=structure, compare="50,25,75")
    for share in (0.25, 0.75):
        pruned = prune_by_torch(tiny_llama, share, structure)
        expected = perplexity_by_hand(pruned, tokenizer)
        assert result.metrics[f"perplexity_at_{share:g}"] == pytest.approx(expected, rel=1e-3)
        assert result.metrics[f"kl_at_{share:g}"] > 0
    assert len(result.table.columns) == 5 and {len(row) for row in result.table.rows} == {5}
    assert result.table.rows[-1][2:] == ("50.0", "25.0", "75.0")


@pytest.mark.parametrize(
    ("speed", "choice"), [(20.0, "Faster, since zeros are skipped"), (10.5, "About as fast as before"), (5.0, "Slower")]
)
def test_the_prediction_is_decided_by_the_measured_speeds(speed: float, choice: str) -> None:
    """Each choice can come true; scattered zeros are expected to make the middle one so."""
    prediction = PRUNE.prediction
    assert prediction is not None and choice in prediction.choices
    assert prediction.outcome({"tokens_per_s": speed, "tokens_per_s_reference": 10.0}) == choice


def test_two_of_four_means_half_whatever_the_sparsity(tiny_lab: Callable[..., Lab]) -> None:
    """2:4 has one sparsity; unstructured pruning at the same share is measured beside it and said."""
    _, result = run_to_end(PRUNE, tiny_lab(), sparsity=0.9, structure="2:4")
    assert result.metrics["sparsity"] == pytest.approx(0.5)
    assert "50% unstructured" in result.figure_alt and "50% 2:4" in result.figure_alt
    assert "single weights" in result.summary


@pytest.mark.parametrize(
    ("layers", "place"), [("all", "of the decoder,"), ("attention", "attention blocks"), ("mlp", "MLP blocks")]
)
def test_what_was_pruned_is_said(tiny_lab: Callable[..., Lab], layers: str, place: str) -> None:
    """Protects: a run on the attention alone does not claim to have pruned each linear layer of the decoder."""
    assert place in run_to_end(PRUNE, tiny_lab(), layers=layers)[1].summary


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_where_bf16_is_slower_the_reader_is_told(
    dtype: torch.dtype, tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Protects: speeds in fp32 are not taken for those of the bf16 weights that the table names."""
    lab = Lab(lambda: Specimen(copy.deepcopy(tiny_llama).to(dtype), tokenizer))
    assert ("Both ran in fp32" in run_to_end(PRUNE, lab)[1].summary) is (dtype == torch.float32)


def test_no_pruning_changes_no_prediction_and_costs_the_mask(
    tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM
) -> None:
    """At sparsity 0 the sparse form is larger by a bit a weight, and the summary says so."""
    _, result = run_to_end(PRUNE, tiny_lab(), sparsity=0)
    assert result.metrics["perplexity"] == result.metrics["perplexity_reference"]
    assert result.metrics["kl"] == pytest.approx(0, abs=1e-6)
    linear = sum(p.numel() for n, p in tiny_llama.named_parameters() if "proj" in n)
    assert result.metrics["size_mb"] - result.metrics["size_mb_reference"] == pytest.approx(linear / 8e6)
    assert "costs more" in result.summary


def test_a_run_is_complete_and_leaves_the_specimen_alone(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Progress rises to a result with picture, table and both answers; the model that it was given is unchanged."""
    given = Specimen(copy.deepcopy(tiny_llama), tokenizer)
    progress, result = run_to_end(PRUNE, Lab(lambda: given, "Why is the sea salty?"), layers="attention")
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    assert {len(row) for row in result.table.rows} == {len(result.table.columns)}
    assert set(result.exhibits) == {"Your question", "Answer by the original model", "Answer by the pruned model"}
    for name, parameter in given.model.named_parameters():
        assert torch.equal(parameter, tiny_llama.get_parameter(name)), name


def test_the_same_seed_gives_the_same_metrics(tiny_lab: Callable[..., Lab]) -> None:
    """A learner who repeats a run reads the same numbers, timings aside."""
    first, second = (run_to_end(PRUNE, tiny_lab(), sparsity=0.7)[1] for _ in range(2))
    assert without_timings(first) == without_timings(second)
    assert first.figure == second.figure


def test_stopping_halfway_leaves_no_work_behind(tiny_lab: Callable[..., Lab]) -> None:
    """Closing the generator is all that Stop does."""
    steps = PRUNE.run(tiny_lab(), PRUNE.settings({}))
    for _ in range(8):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert list(steps) == []


@pytest.mark.parametrize("given", [{"sparsity": 1.0}, {"sparsity": -0.1}, {"sparsity": "nan"}, {"structure": "4:8"}])
def test_settings_out_of_range_are_refused(given: dict[str, float | str]) -> None:
    """The learner is told what is allowed."""
    with pytest.raises(DemoError, match="give"):
        PRUNE.settings(given)
