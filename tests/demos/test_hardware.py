from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from demos import find_demo, hardware, roofline
from demos.base import Lab, Progress, Specimen
from demos.chips import CHIPS
from demos.hardware_words import COMPUTE, MEMORY, NEITHER, limit, summary_of
from demos.measure import Span
from demos.roofline import Roofline, Work, best_times, forward_flop, model_bytes
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import returned, run_to_end
from tutor.errors import DemoError
from tutor.intent import route

HARDWARE = find_demo("hardware")
TIMED = ("_gflops", "_gb_s", "_per_s", "_ms")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call is timed once, on small matrices and arrays."""

    def once(calls: Mapping[str, Callable[[], object]], span: Span, note: str, seconds: float) -> object:
        return best_times(calls, span, note, 1e-6, least=1, most=1)

    monkeypatch.setattr(roofline, "best_times", once)
    monkeypatch.setattr(roofline, "measure_matmul", partial(roofline.measure_matmul, sizes=(64, 128)))
    monkeypatch.setattr(roofline, "measure_bandwidth", partial(roofline.measure_bandwidth, array_bytes=2**22))


def counted(model: PreTrainedModel, rows: int, new: int, past: int) -> int:
    """Operations of one forward pass as PyTorch's own counter sees them."""
    with torch.no_grad():
        cache = model(input_ids=torch.ones(rows, past, dtype=torch.long)).cache if past else None
        with FlopCounterMode(display=False) as counter:
            model(input_ids=torch.ones(rows, new, dtype=torch.long), cache=cache, use_cache=True, logits_to_keep=1)
    return counter.get_total_flops()


@pytest.mark.parametrize(("rows", "new", "past"), [(1, 1, 16), (3, 1, 40), (1, 24, 0), (2, 5, 7)])
def test_operations_are_those_of_pytorchs_counter(tiny_llama: LlamaForCausalLM, rows: int, new: int, past: int) -> None:
    """The counter sees every matrix product; it also counts the half that the causal mask hides, and the rotary angles."""
    eager = copy.deepcopy(tiny_llama)
    eager.set_attn_implementation("eager")
    config, size = eager.config, 8
    hidden = new * (new + past) - (new * past + new * (new + 1) // 2)
    masked = 4 * rows * config.num_hidden_layers * config.num_attention_heads * size * hidden
    difference = counted(eager, rows, new, past) - masked - forward_flop(tiny_llama, rows, new, past)
    assert 0 <= difference <= 2 * rows * new * size


def test_bytes_read_are_the_weights_and_the_cache(tiny_llama: LlamaForCausalLM) -> None:
    """A decode step reads each stored weight once, and key and value of each earlier token in each row."""
    text = torch.arange(1, 41)[None]
    works = returned(roofline.measure_model(tiny_llama, text, 3, 10, 24, Span(0, 1), seconds=1e-6))
    weights = sum(
        tensor.untyped_storage().nbytes() for tensor in {t.data_ptr(): t for t in tiny_llama.parameters()}.values()
    )
    row = 10 * 2 * 2 * 2 * 8 * 4  # tokens, key and value, layers, KV heads, head size, bytes of fp32
    assert works["prefill"].bytes_read == model_bytes(tiny_llama) == weights
    assert works["decode"].bytes_read == weights + row
    assert works["batch"].bytes_read == weights + 3 * row
    assert [works[name].tokens for name in ("decode", "batch", "prefill")] == [1, 3, 24]
    assert works["batch"].intensity > 2.5 * works["decode"].intensity


def test_decode_does_about_two_operations_for_each_parameter(published_model: PreTrainedModel) -> None:
    """The real model: 2 N operations for 2 N bytes in bf16, attention aside, so about one a byte."""
    parameters = sum(p.numel() for p in published_model.parameters())
    assert parameters == 134_515_008
    assert forward_flop(published_model, 1, 1, 0) == pytest.approx(2 * parameters, rel=1e-3)
    assert forward_flop(published_model, 1, 1, 0) / model_bytes(published_model) == pytest.approx(1.0, rel=1e-3)


def test_the_roofline_bends_at_the_ridge() -> None:
    """Below the ridge the bandwidth decides, above it the calculating speed."""
    roof = Roofline(gflops=400.0, gb_s=20.0)
    assert roof.ridge == 20.0
    assert roof.attainable(1.0) == 20.0 and roof.attainable(20.0) == roof.attainable(500.0) == 400.0
    work = Work(tokens=2, flop=4 * 10**9, bytes_read=2 * 10**9, seconds=0.5)
    assert (work.intensity, work.gflops, work.gb_s, work.tokens_per_s) == (2.0, 8.0, 4.0, 4.0)


def test_the_best_of_all_turns_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is slow now and then is judged by its fast turns; the first turn is not timed."""
    now, took = 0.0, iter([0.0, 3.0, 1.0, 3.0])

    def call() -> None:
        nonlocal now
        now += next(took)

    monkeypatch.setattr("demos.roofline.time", SimpleNamespace(perf_counter=lambda: now))
    assert returned(best_times({"call": call}, Span(0, 1), "", 1e-6, least=3, most=3)) == {"call": 1.0}


@pytest.mark.usefixtures("quick")
def test_a_run_is_complete_repeats_and_can_be_stopped(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Progress rises to a result; what is no timing repeats; bounds follow from bandwidths and bytes alone."""
    lab = Lab(lambda: Specimen(copy.deepcopy(tiny_llama), tokenizer), seed=3)
    progress, result = run_to_end(HARDWARE, lab, rows=4, dtype="fp32")
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    weights = 4 * sum(p.numel() for p in tiny_llama.parameters())
    for chip in CHIPS:
        bound = result.metrics[f"{chip.key}_bound_tokens_per_s"]
        assert bound * weights == pytest.approx(chip.memory_gb_s * 1e9)
    assert result.metrics["decode_gb_s"] / result.metrics["decode_tokens_per_s"] > weights / 1e9
    again = run_to_end(HARDWARE, lab, rows=4, dtype="fp32")[1]
    same = [{k: v for k, v in r.metrics.items() if not k.endswith(TIMED)} for r in (result, again)]
    assert same[0] == same[1] and same[0]["rows"] == 4 and same[0]["weights_mb"] == weights / 1e6
    steps = HARDWARE.run(lab, HARDWARE.settings({}))
    assert isinstance(next(steps), Progress)
    steps.close()  # type: ignore[attr-defined]
    assert list(steps) == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("emulated", [False, True])
def test_bf16_runs_in_fp32_where_it_is_only_emulated(
    tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM, emulated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects: whoever waits on an older CPU, where the model takes minutes in bf16; and the learner is told."""
    monkeypatch.setattr(hardware, "EMULATION_RATIO", 0 if emulated else 1e9)
    result = run_to_end(HARDWARE, tiny_lab(), rows=2, dtype="bf16")[1]
    assert result.metrics["weights_mb"] * 1e6 == (4 if emulated else 2) * sum(
        p.numel() for p in tiny_llama.parameters()
    )
    assert ("no instructions for bf16" in result.summary) is emulated
    assert ("This machine, fp32" in result.table.rows[0][0]) is emulated


def test_a_multiplication_that_takes_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: a stop, which waits for the multiplication under way; the smallest is always measured."""
    monkeypatch.setattr(roofline, "LONGEST_S", 0.0)
    found = returned(roofline.measure_matmul(Span(0, 1), seconds=1e-6, sizes=(16, 32)))
    assert set(found) == {("bf16", 16), ("fp32", 16)}


@pytest.mark.usefixtures("quick")
def test_published_figures_are_marked_and_sourced(tiny_lab: Callable[..., Lab]) -> None:
    """Nobody takes a data sheet's number for a measurement: each row says which it is, each source can be opened."""
    result = run_to_end(HARDWARE, tiny_lab(), rows=2)[1]
    first, *others = (row[0] for row in result.table.rows)
    assert "measured" in first and all("published" in name for name in others) and len(others) == len(CHIPS)
    sources = next(text for caption, text in result.exhibits.items() if "not measured here" in caption)
    assert all(chip.url in sources and chip.name in sources and chip.url.startswith("https://") for chip in CHIPS)
    assert "computed" in result.table.columns[-1] and "computed upper bound" in result.summary


def hand_made(memory: float, compute: float, **other: float) -> dict[str, float]:
    """Metrics of a machine of 100 GB/s and 1,000 GFLOP/s whose decode uses these shares."""
    return {
        "decode_gb_s": 100 * memory,
        "memory_gb_s": 100,
        "decode_gflops": 1000 * compute,
        "peak_gflops": 1000,
        "matmul_bf16_gflops": 1000,
        "matmul_fp32_gflops": 500,
        "weights_mb": 269,
        "decode_flop_per_byte": 1.01,
        "decode_tokens_per_s": 30,
        "rows": 8,
        "batch_tokens_per_s": 120,
        "prefill_gflops": 400,
        "prefill_flop_per_byte": 100,
        "prefill_tokens_per_s": 900,
        "h100_bound_tokens_per_s": 12452,
        "v6e_bound_tokens_per_s": 6089,
        **other,
    }


@pytest.mark.parametrize(
    ("metrics", "choice", "said"),
    [
        (
            hand_made(0.6, 0.02),
            MEMORY,
            "use 60% of the memory bandwidth and 2% of the calculating speed, so it is memory",
        ),
        (hand_made(0.3, 0.02), MEMORY, "comes closer to, though it stays well below: a roofline"),
        (hand_made(0.1, 0.7), COMPUTE, "it comes closer to the calculating speed"),
        (hand_made(0.08, 0.02), NEITHER, "neither limit is near"),
    ],
)
def test_the_prediction_and_the_summary_follow_the_measured_shares(
    metrics: dict[str, float], choice: str, said: str
) -> None:
    """Both name the limit of which decode used more, and neither where the run was far from both."""
    prediction = HARDWARE.prediction
    assert prediction is not None and choice in prediction.choices
    assert prediction.outcome(metrics) == limit(metrics) == choice
    assert said in summary_of(metrics, "bf16", 128)
    assert "4.0 times as many" in summary_of(metrics, "bf16", 128)
    assert "hardly more" in summary_of({**metrics, "batch_tokens_per_s": 31}, "bf16", 128)


def test_gaps_are_passages_that_exist() -> None:
    """A wrong prediction leads to the passage on the thought behind it."""
    prediction = HARDWARE.prediction
    assert prediction is not None
    passages = {passage.id: passage for passage in load_knowledge().passages}
    for choice, gap in prediction.gaps.items():
        assert choice in prediction.choices and passages[gap].kind == "misconception"
    assert "twice the calculating speed" in passages[prediction.gaps[COMPUTE]].claim


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("show me the hardware with 8 rows", {"rows": 8, "dtype": "bf16"}),
        ("show me the roofline with a batch of 16", {"rows": 16}),
        ("measure this machine in fp32", {"dtype": "fp32"}),
        ("show me cpu, gpu and tpu live", {"rows": 8}),
        ("benchmark my computer", {"rows": 8}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, int | str]) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), (HARDWARE,)).demo
    assert call is not None and call.name == "hardware"
    assert {key: call.params[key] for key in settings} == settings


@pytest.mark.parametrize("given", [{"rows": 1}, {"rows": 33}, {"dtype": "int8"}])
def test_settings_out_of_range_are_refused(given: dict[str, int | str]) -> None:
    """One row is always measured, and other formats belong to another experiment."""
    with pytest.raises(DemoError, match="give"):
        HARDWARE.settings(given)
