from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from demos import find_demo
from demos.base import Lab, Specimen
from demos.few_shot_words import one_against_none, summary_of
from demos.shots import choose_shots, load_items, other_orders
from tests.demos.conftest import run_to_end
from tutor.errors import DemoError

FEW_SHOT = find_demo("few_shot")


def test_accuracies_are_those_of_prompts_read_one_by_one(
    tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Prompts written out here and read whole, without a cache, give the same shares of right answers."""
    _, result = run_to_end(FEW_SHOT, tiny_lab(), shots=3)
    pool, items = load_items("shot"), load_items("test")
    words = ("positive", "negative")
    first = [tokenizer(f" {word}")["input_ids"][0] for word in words]
    for key, count in (("0", 0), ("1", 1), ("k", 3)):
        right = 0
        for item in items:
            text = "Is each message positive or negative?\n\n"
            for shot in pool[:count]:
                text += f"Message: {shot.message}\nFeeling: {shot.feeling}\n\n"
            ids = torch.tensor([tokenizer(text + f"Message: {item.message}\nFeeling:")["input_ids"]])
            with torch.no_grad():
                logits = tiny_llama(input_ids=ids).logits[0, -1]
            right += words[int(logits[first].argmax())] == item.feeling
        share = result.metrics[f"accuracy_{key}"]
        assert share == pytest.approx(right / len(items), abs=1.01 / len(items))  # a near tie may fall either way
        assert result.metrics[f"accuracy_{key}_low"] < share < result.metrics[f"accuracy_{key}_high"]
    assert result.metrics["items"] == len(items)


def test_exhibits_are_the_very_prompts(tiny_lab: Callable[..., Lab]) -> None:
    """Zero, one and k solved examples can be read in full, in the order that was used."""
    _, result = run_to_end(FEW_SHOT, tiny_lab(), shots=2, order="reversed", labels="letters")
    none, one, two = result.exhibits.values()
    pool = load_items("shot")
    assert [text.count("Feeling:") for text in (none, one, two)] == [1, 2, 3]
    assert two.index(pool[1].message) < two.index(pool[0].message)
    assert "A (positive) or B (negative)" in none and none.endswith("Feeling:")
    assert list(result.exhibits) == ["Prompt with no example", "Prompt with 1 example", "Prompt with 2 examples"]


def test_wrong_answers_are_those_of_the_examples_only(tiny_lab: Callable[..., Lab]) -> None:
    """Protects: whoever asks for wrong labels gets examples with the other feeling, and is told so; the messages are still marked by their own."""
    _, right = run_to_end(FEW_SHOT, tiny_lab(), shots=2)
    _, wrong = run_to_end(FEW_SHOT, tiny_lab(), shots=2, answers="wrong")
    two, shot = list(wrong.exhibits.values())[2], load_items("shot")[0]
    assert f"{shot.message}\nFeeling: {'negative' if shot.feeling == 'positive' else 'positive'}\n" in two
    assert wrong.metrics["accuracy_0"] == right.metrics["accuracy_0"]
    assert "wrong feeling on purpose" in wrong.summary and "on purpose" not in right.summary


def test_a_run_is_complete_repeats_and_leaves_the_specimen_alone(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Progress rises to a result with picture and table; nothing is trained; the seed fixes the shuffle."""
    given = Specimen(copy.deepcopy(tiny_llama), tokenizer)
    progress, result = run_to_end(FEW_SHOT, Lab(lambda: given, seed=7), order="shuffled")
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    assert [row[0] for row in result.table.rows] == ["0", "1", "4", "4, in other orders"]
    again = run_to_end(FEW_SHOT, Lab(lambda: given, seed=7), order="shuffled")[1]
    assert again.metrics == result.metrics and again.exhibits == result.exhibits
    for name, parameter in given.model.named_parameters():
        assert torch.equal(parameter, tiny_llama.get_parameter(name)), name


@pytest.mark.parametrize(
    ("turned", "claim"),
    [
        ((22, 9), "prompting helped"),
        ((9, 22), "prompting hurt"),
        ((12, 9), "does not prove"),
        ((0, 0), "does not prove"),
    ],
)
def test_the_summary_claims_an_effect_only_where_chance_is_unlikely(turned: tuple[int, int], claim: str) -> None:
    """A difference that a coin could make is not sold as an effect."""
    metrics = {"items": 68, "accuracy_0": 0.68, "accuracy_1": 0.5, "accuracy_k": 0.87}
    text = summary_of(metrics, 4, turned, ("positive", 68))
    assert claim in text and "68 % right zero-shot, 50 % one-shot and 87 % with 4 examples" in text
    assert "answered positive for 68 of 68" in text


def test_other_orders_hold_the_same_examples_and_their_spread_is_that_of_runs_of_their_own(
    tiny_lab: Callable[..., Lab], tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Two examples have two orders, and the second one's accuracy is what the run with reversed order has."""
    _, both = run_to_end(FEW_SHOT, tiny_lab(), shots=2, orders=8)
    turned = run_to_end(FEW_SHOT, tiny_lab(), shots=2, orders=1, order="reversed")[1].metrics["accuracy_k"]
    assert both.metrics["orders"] == 2
    spread = (both.metrics["accuracy_k_worst_order"], both.metrics["accuracy_k_best_order"])
    assert spread == pytest.approx(sorted((both.metrics["accuracy_k"], turned)), abs=1.01 / both.metrics["items"])
    assert f"{100 * spread[0]:.0f} % to {100 * spread[1]:.0f} %" in both.summary


def test_orders_differ_from_each_other_and_the_seed_draws_them() -> None:
    """No order is measured twice, and none is the one that was chosen."""
    chosen = choose_shots(load_items("shot"), 4, "shuffled", 3)
    orders = other_orders(chosen, 6, 1)
    assert len({tuple(item.message for item in order) for order in (chosen, *orders)}) == 7
    assert all(sorted(order, key=str) == sorted(chosen, key=str) for order in orders)
    assert orders == other_orders(chosen, 6, 1) != other_orders(chosen, 6, 2)


@pytest.mark.parametrize(
    ("zero", "one", "choice"), [(0.6, 0.8, "More"), (0.6, 0.62, "About as many"), (0.68, 0.5, "Fewer")]
)
def test_the_prediction_is_decided_by_both_accuracies(zero: float, one: float, choice: str) -> None:
    """One example may help, change little, or hurt; the run says which."""
    assert one_against_none({"accuracy_0": zero, "accuracy_1": one}) == choice
    assert FEW_SHOT.prediction is not None and choice in FEW_SHOT.prediction.choices


@pytest.mark.parametrize("given", [{"shots": 1}, {"shots": 9}, {"order": "sorted"}, {"labels": "emoji"}, {"orders": 9}])
def test_settings_out_of_range_are_refused(given: dict[str, int | str]) -> None:
    """Zero and one example are always measured; the pool holds eight."""
    with pytest.raises(DemoError, match="give"):
        FEW_SHOT.settings(given)
