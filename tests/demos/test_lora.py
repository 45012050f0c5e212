from __future__ import annotations

import copy

import pytest
import torch
from torch.nn.functional import linear

from demos import DEMOS, adapters, find_demo, finetuning, letters, lora
from demos.base import Lab
from demos.lora_words import summary
from demos.measure import Span
from demos.seeding import generator
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import no_model, returned, run_to_end
from tutor.errors import DemoError
from tutor.intent import route

LORA = find_demo("lora")
TEXT = torch.arange(2_000) % 50
RATES = finetuning.Rates(2e-3)


@pytest.fixture(scope="module")
def base() -> torch.nn.Module:
    return letters.decoder(generator(4))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, little_text: None) -> None:
    """Runs of few steps, where only the bookkeeping is of interest."""
    monkeypatch.setattr(lora, "PRETRAINING_STEPS", 4)


def _tuned(base: torch.nn.Module, quantize: bool = False, steps: int = 3) -> tuple[torch.nn.Module, finetuning.Log]:
    model = copy.deepcopy(base)
    adapters.adapt(model, 4, 8, generator(1), quantize)
    return model, returned(finetuning.train(model, TEXT, generator(2), RATES, steps, Span(0, 1), ""))


def test_an_adapter_equals_pefts(base: torch.nn.Module) -> None:
    """The same A and B in peft's LoRA give the same output, as many trained parameters and the same merged weights."""
    peft = pytest.importorskip("peft")
    ours, _ = _tuned(base)
    names = ["query", "key", "value", "out", "up", "down"]
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=names, lora_dropout=0.0)
    theirs = peft.get_peft_model(copy.deepcopy(base), config)
    for path, layer in ours.named_modules():
        if hasattr(layer, "merged"):
            twin = theirs.get_submodule(f"base_model.model.{path}")
            twin.lora_A["default"].weight.data.copy_(layer.a)
            twin.lora_B["default"].weight.data.copy_(layer.b)
    windows = TEXT[None, :64]
    with torch.no_grad():
        assert torch.allclose(ours(windows), theirs(windows), atol=1e-5)
    trained = sum(parameter.numel() for parameter in adapters.trained(ours))
    assert trained == theirs.get_nb_trainable_parameters()[0] == 2 * (4 * 4 * 192 + 2 * 4 * 480)
    merged = theirs.merge_and_unload()
    for path, layer in ours.named_modules():
        if hasattr(layer, "merged"):
            assert torch.allclose(layer.merged(), merged.get_submodule(path).weight, atol=1e-6)


def test_merged_weights_do_what_base_and_adapter_do(base: torch.nn.Module) -> None:
    """W + BA·alpha/r in one product gives the adapted output, on a plain and on a quantized base."""
    x = torch.randn(5, 96, generator=torch.Generator().manual_seed(0))
    for quantize in (False, True):
        layer = _tuned(base, quantize)[0].get_submodule("blocks.1.query")
        expected = layer.base.weight + layer.b @ layer.a * (8 / 4)
        assert torch.allclose(layer.merged(), expected) and bool((layer.b != 0).any())
        assert torch.allclose(linear(x, layer.merged()), layer(x), atol=1e-5)


def test_training_starts_from_the_base_and_leaves_it_alone(base: torch.nn.Module) -> None:
    """B is zero at first, so nothing changes before the first step; afterwards only the adapter has moved."""
    fresh = copy.deepcopy(base)
    adapters.adapt(fresh, 4, 8, generator(1))
    with torch.no_grad():
        assert torch.equal(fresh(TEXT[None, :64]), base(TEXT[None, :64]))
    tuned, _ = _tuned(base)
    assert finetuning.share_changed(base, tuned) == 0
    full = copy.deepcopy(base)
    returned(finetuning.train(full, TEXT, generator(2), RATES, 1, Span(0, 1), ""))
    assert finetuning.share_changed(base, full) > 0.5


def test_a_quantized_base_is_held_in_half_a_byte_a_weight(base: torch.nn.Module) -> None:
    """Codes are packed two a byte, every weight stays within half a step, and no expanded copy waits for backward."""
    layer = base.get_submodule("blocks.0.up")
    assert isinstance(layer, torch.nn.Linear)
    packed = adapters.quantized_linear(layer)
    assert not list(packed.parameters())
    size = sum(buffer.numel() * buffer.element_size() for buffer in packed.buffers())
    assert size == layer.weight.numel() / 2 + layer.weight.numel() / 32 * 4
    grouped = layer.weight.detach().view(-1, 32)
    step = (grouped.amax(1) - grouped.amin(1)) / 15
    error = (packed.weight - layer.weight).detach().abs().view(-1, 32).amax(1)
    assert bool((error <= 0.51 * step + 2e-3).all()) and float(error.max()) > 0
    saved: list[tuple[int, ...]] = []
    x = torch.randn(3, 96, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (saved.append(tuple(t.shape)), t)[1], lambda t: t):
        output = packed(x)
    assert tuple(layer.weight.shape) not in saved and tuple(layer.weight.T.shape) not in saved
    output.sum().backward()
    assert x.grad is not None and torch.allclose(x.grad, packed.weight.sum(0).expand(3, -1), atol=1e-4)


def test_metrics_are_those_of_the_formulas(short: None) -> None:
    """Trained parameters by rank · (inputs + outputs); memory 4 bytes for each weight, gradient and two Adam values."""
    progress, result = run_to_end(LORA, Lab(no_model), rank=2, steps=20)
    found = result.metrics
    table = 2 * len(letters.LETTERS) * 96
    linears = 2 * (4 * 96 * 96 + 2 * 96 * 384)
    adapter = 2 * 2 * (4 * 192 + 2 * 480)
    assert found["parameters"] == found["trained_full"] == table + linears
    assert found["trained_lora"] == found["trained_qlora"] == adapter
    assert found["memory_mb_full"] == pytest.approx(16 * (table + linears) / 1e6, rel=1e-3)
    assert found["memory_mb_lora"] == pytest.approx((4 * (table + linears) + 16 * adapter) / 1e6, rel=1e-3)
    assert found["memory_mb_qlora"] == pytest.approx((4 * table + 5 / 8 * linears + 16 * adapter) / 1e6, rel=1e-3)
    for key in ("full", "lora", "qlora"):
        parts = sum(found[f"{part}_mb_{key}"] for part in ("weights", "gradients", "adam"))
        assert found[f"memory_mb_{key}"] == pytest.approx(parts)
    assert found["base_changed_share_lora"] == 0 < found["base_changed_share_full"]
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    old, new = result.exhibits.values()
    assert new == "".join(letter for letter in old if letter.lower() not in "aeiou")


def test_a_seed_repeats_and_another_differs(short: None) -> None:
    """Nothing depends on global random state, and nothing changes it."""
    before = torch.get_rng_state()
    first, again, other = (run_to_end(LORA, Lab(no_model, seed=seed), steps=20)[1] for seed in (1, 1, 2))
    assert first.metrics == again.metrics and first.figure == again.figure
    assert first.metrics["loss_new_lora"] != other.metrics["loss_new_lora"]
    assert torch.equal(before, torch.get_rng_state())


def test_closing_early_stops(short: None) -> None:
    """A learner who leaves does not keep the machine busy."""
    steps = LORA.run(Lab(no_model), LORA.settings({}))
    for _ in range(8):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert next(steps, None) is None and torch.is_grad_enabled()


def test_the_decoder_sees_no_letter_ahead_and_learns(base: torch.nn.Module) -> None:
    """A later letter changes no earlier prediction; loss is the mean over single letters and falls in training."""
    windows = letters.spread_windows(TEXT, 3)
    changed = windows.clone()
    changed[:, 40] = 51
    with torch.no_grad():
        one, two = base(windows[:, :-1]), base(changed[:, :-1])
    logs = one.log_softmax(-1)
    assert torch.equal(one[:, :40], two[:, :40]) and not torch.equal(one[:, 40:], two[:, 40:])
    single = [-float(logs[i, t, windows[i, t + 1]]) for i in range(3) for t in range(64)]
    before = letters.letter_loss(base, windows).item()
    assert before == pytest.approx(sum(single) / len(single), rel=1e-4)
    model = copy.deepcopy(base)
    log = returned(finetuning.train(model, TEXT, generator(2), RATES, 20, Span(0, 1), "", (TEXT,)))
    assert list(log.losses) == [0, 10, 20] and log.losses[20][0] < log.losses[0][0] - 0.5


def test_no_held_out_passage_is_trained_on() -> None:
    """Every tenth text is kept apart, whole."""
    texts = [chr(97 + i) * 5 for i in range(20)]
    task = letters.task_of(texts)

    def read(numbers: torch.Tensor) -> str:
        return "".join(letters.LETTERS[i] for i in numbers.tolist())

    assert read(task.held_out) == "aaaaa\nkkkkk"
    assert not {"a", "k"} & set(read(task.training)) and "bbbbb\nccccc" in read(task.training)


def test_the_text_is_that_of_all_passages() -> None:
    """The network learns the tutor's own passages, each once, and hardly a letter of them is unknown to it."""
    texts = returned(letters.read_passages(Span(0, 1)))
    assert sorted(texts) == sorted(passage.text for passage in load_knowledge().passages)
    letter_count = sum(len(text) for text in texts)
    assert sum(letter in letters.LETTERS for text in texts for letter in text) > 0.999 * letter_count


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("show me lora with rank 16", {"rank": 16, "alpha": 8}),
        ("run lora with r=4 and alpha 32", {"rank": 4, "alpha": 32}),
        ("show me qlora with 4 bits", {"rank": 4}),
        ("fine-tune with rank 1", {"rank": 1}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, int]) -> None:
    """What is said in the chat is what runs; the 4 bits of QLoRA don't mean the quantizing experiment."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == "lora"
    assert {name: call.params[name] for name in settings} == settings


@pytest.mark.parametrize("given", [{"rank": 0}, {"rank": 64}, {"alpha": 0}, {"steps": 1_000}])
def test_settings_out_of_range_are_refused(given: dict[str, int]) -> None:
    """What would take too long or mean nothing is refused in words."""
    with pytest.raises(DemoError, match="give"):
        LORA.settings(given)


def test_the_prediction_is_decided_by_measured_memory_and_its_gaps_exist() -> None:
    """Each outcome is a choice, and each wrong choice leads to a passage."""
    prediction = LORA.prediction
    assert prediction is not None
    outcomes = [
        prediction.outcome({"memory_mb_lora": mb, "memory_mb_full": 10.0, "trained_share_lora": 0.06})
        for mb in (0.8, 3.0, 7.0)
    ]
    assert outcomes == list(prediction.choices)
    assert set(prediction.gaps) <= set(prediction.choices)
    assert set(prediction.gaps.values()) <= {passage.id for passage in load_knowledge().passages}


@pytest.mark.parametrize(
    ("new", "old", "claims"),
    [
        ((2.0, 2.2, 2.2), (3.3, 3.0, 3.0), ("90% as much", "less than full")),
        ((2.0, 2.0, 2.0), (3.0, 3.3, 3.3), ("as much as", "even more")),
        ((2.2, 2.0, 2.0), (3.0, 3.0, 3.0), ("learned more", "as much as")),
        ((4.0, 4.0, 4.0), (2.0, 2.0, 2.0), ("nothing was learned", "nothing was forgotten")),
    ],
)
def test_the_summary_judges_by_the_numbers(
    new: tuple[float, ...], old: tuple[float, ...], claims: tuple[str, str]
) -> None:
    """LoRA is not said to forget less, or to learn as much, where the run shows otherwise."""
    metrics: dict[str, float] = {"rank": 4, "parameters": 1_000, "loss_new_before": 4.0, "loss_old_before": 2.0}
    metrics |= {"trained_lora": 60, "trained_share_lora": 0.06}
    for i, key in enumerate(("full", "lora", "qlora")):
        metrics |= {f"loss_new_{key}": new[i], f"loss_old_{key}": old[i], f"memory_mb_{key}": (4.0, 1.2, 0.4)[i]}
    text = summary(metrics)
    assert all(claim in text for claim in claims)
    assert "30 % of the memory" in text and "took 10 %" in text and "60 in extra matrices (6.0 %" in text
