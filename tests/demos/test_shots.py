from __future__ import annotations

from collections import Counter

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from demos.base import Specimen
from demos.measure import Span
from demos.shots import (
    FEELINGS,
    LABELS,
    Item,
    choose_shots,
    load_items,
    score_next,
    shared_length,
    sign_test,
    wilson_interval,
)
from tests.demos.conftest import returned


def test_the_committed_messages_are_enough_balanced_and_apart() -> None:
    """At least 60 test messages, half of each label; no example is among them, so none is answered by memory."""
    pool, items = load_items("shot"), load_items("test")
    assert len(pool) >= 8 and len(items) >= 60 and len(pool) + len(items) >= 72
    counts = Counter(item.feeling for item in items)
    assert set(counts) == set(FEELINGS) and len(set(counts.values())) == 1
    messages = [item.message for item in (*pool, *items)]
    assert len(set(messages)) == len(messages)


def test_scores_equal_those_of_whole_prompts_read_one_by_one(
    published_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """The shared prefix, its cache, the padding and the batches change nothing but the time (bf16 rounding aside)."""
    labels, pool, items = LABELS["words"], load_items("shot"), load_items("test")[:17]
    prompts = [labels.prefix(pool[:2]) + labels.query(item.message) for item in items]
    candidates = [" positive", " negative"]
    specimen = Specimen(published_model, tokenizer)
    scores = returned(score_next(specimen, prompts, candidates, Span(0, 1), ""))
    first = [tokenizer(text)["input_ids"][0] for text in candidates]
    for i in (0, 7, 16):
        with torch.no_grad():
            logits = published_model(input_ids=torch.tensor([tokenizer(prompts[i])["input_ids"]])).logits[0, -1]
        expected = logits.float().log_softmax(-1)[first]
        assert torch.allclose(scores[i], expected, atol=0.15), prompts[i]
    assert scores.shape == (17, 2)


def test_candidates_that_begin_alike_are_refused(
    published_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Labels whose first token is the same could not be told apart."""
    steps = score_next(Specimen(published_model, tokenizer), ["a b"], [" positive", " positive"], Span(0, 1), "")
    with pytest.raises(ValueError, match="first token"):
        returned(steps)


@pytest.mark.parametrize(
    ("sequences", "shared"), [([[1, 2, 3], [1, 2, 4]], 2), ([[1, 2], [1, 2, 3]], 1), ([[1], [2]], 0), ([[5, 6]], 1)]
)
def test_shared_length_leaves_each_prompt_a_token(sequences: list[list[int]], shared: int) -> None:
    """A prompt that is wholly prefix would leave nothing to read the answer from."""
    assert shared_length(sequences) == shared


def test_prompts_hold_the_examples_in_order_and_no_answer() -> None:
    """One solved block an example, then the open question."""
    shots = [Item("Rain again.", "negative"), Item("What a day!", "positive")]
    text = LABELS["letters"].prefix(shots) + LABELS["letters"].query("So so.")
    assert text.endswith(
        "Message: Rain again.\nFeeling: B\n\nMessage: What a day!\nFeeling: A\n\nMessage: So so.\nFeeling:"
    )
    assert LABELS["words"].prefix([]).count("Message") == 0


def test_orders_keep_the_same_examples_and_the_seed_decides_the_shuffle() -> None:
    """Order changes nothing but order, and a run repeats."""
    pool = load_items("shot")
    fixed = choose_shots(pool, 6, "fixed", 0)
    assert fixed == pool[:6]
    assert choose_shots(pool, 6, "reversed", 0) == fixed[::-1]
    shuffles = [choose_shots(pool, 6, "shuffled", seed) for seed in range(5)]
    assert shuffles[3] == choose_shots(pool, 6, "shuffled", 3)
    assert len({tuple(s.message for s in shuffle) for shuffle in shuffles}) > 1
    assert all(sorted(s.message for s in shuffle) == sorted(s.message for s in fixed) for shuffle in shuffles)


def test_wilson_interval_matches_published_values_and_stays_within_bounds() -> None:
    """8 of 10 gives 0.490 to 0.943; none of 20 does not go below 0."""
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-3)
    low, high = wilson_interval(0, 20)
    assert low == pytest.approx(0, abs=1e-12) and 0.1 < high < 0.2


@pytest.mark.parametrize(("gained", "lost", "p"), [(5, 0, 0.0625), (0, 0, 1.0), (9, 1, 0.021484375), (3, 3, 1.0)])
def test_sign_test_is_the_coin_flip_it_says(gained: int, lost: int, p: float) -> None:
    """Two-sided exact binomial: five heads of five are 2/32."""
    assert sign_test(gained, lost) == pytest.approx(p)
