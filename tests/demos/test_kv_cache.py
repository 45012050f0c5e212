from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from demos import find_demo, kv_size
from demos.base import Lab, Progress, Specimen
from demos.cached_decode import decode_both_ways
from demos.kv_cache_words import MANY, NOTHING, TIME, outcome, summary_of
from demos.measure import Span, encode_question
from demos.words import number
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import returned, run_to_end
from tutor.errors import DemoError
from tutor.intent import route

KV_CACHE = find_demo("kv_cache")


def test_both_ways_choose_what_generate_chooses(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """In fp32 every token equals transformers' own greedy decode, with and without the cache."""
    prompt = encode_question(tokenizer, "Hello?")
    written = returned(decode_both_ways(tiny_llama, prompt, 40, None, Span(0, 1), ""))
    steps = written.steps
    theirs = tiny_llama.generate(
        torch.tensor([prompt]), do_sample=False, max_new_tokens=40, use_cache=False, eos_token_id=None, pad_token_id=0
    )
    assert [step.token for step in steps] == theirs[0, len(prompt) :].tolist()
    again = [step for step in steps if step.recomputed is not None]
    assert [step.length for step in again] == [len(prompt) + i for i in range(1, 40, 2)]
    assert all(step.recomputed == step.token and step.lead == 0 and step.difference < 1e-2 for step in again)


def test_the_end_token_is_never_written(tiny_llama: LlamaForCausalLM) -> None:
    """A text that would stop is carried on with the next likeliest token."""
    first = returned(decode_both_ways(tiny_llama, [5, 6, 7], 1, None, Span(0, 1), "")).steps[0]
    other = returned(decode_both_ways(tiny_llama, [5, 6, 7], 1, first.token, Span(0, 1), "")).steps[0]
    with torch.no_grad():
        ranked = tiny_llama(input_ids=torch.tensor([[5, 6, 7]])).logits[0, -1].argsort(descending=True)
    assert [first.token, other.token] == ranked[:2].tolist() and other.recomputed == other.token


@pytest.mark.parametrize(("heads", "kind"), [(4, "MHA"), (2, "GQA"), (1, "MQA")])
def test_computed_sizes_are_those_of_real_caches(heads: int, kind: str) -> None:
    """A model that really has that many KV heads fills a cache of the computed size."""
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=heads,
    )
    cache = DynamicCache(config=config)
    with torch.no_grad():
        LlamaForCausalLM(config).eval()(input_ids=torch.ones(2, 7, dtype=torch.long), cache=cache, use_cache=True)
    assert kv_size.cache_bytes(cache) == 2 * 7 * kv_size.bytes_per_token(config, heads, 4)
    assert kv_size.kv_heads(config) == heads and kv_size.attention_kind(config) == kind


def test_a_run_measures_the_cache_and_repeats(tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase) -> None:
    """Sizes follow from heads and length, nothing but timings changes between runs, and no weight is touched."""
    given = Specimen(copy.deepcopy(tiny_llama), tokenizer)
    progress, result = run_to_end(KV_CACHE, Lab(lambda: given, seed=5), tokens=40, prompt=50)
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    assert result.metrics["prompt_tokens"] == 50 and result.metrics["prefill_ms"] > 0
    length = 50 + 39
    assert result.metrics["length"] == length
    one_head = 2 * 2 * 8 * 4 * length / 1e6  # key and value, layers, head size, bytes of fp32
    assert result.metrics["cache_mb"] == pytest.approx(2 * one_head)
    assert result.metrics["mha_mb"] == pytest.approx(4 * one_head)
    assert result.metrics["mqa_mb"] == pytest.approx(one_head)
    assert result.metrics["window_mb"] == pytest.approx(2 * one_head / length * 4096)
    assert result.metrics["same"] == result.metrics["recomputed"] == 20
    assert result.metrics["weights_changed"] == 0
    assert [row[0].split("–")[1] for row in result.table.rows][-1] == str(length)
    for way, column in (("cached", 1), ("uncached", 2)):  # what the summary says stands in the table
        for end, row in (("short", 0), ("long", -1)):
            assert number(result.metrics[f"{way}_{end}_ms"]) == result.table.rows[row][column]
    again = run_to_end(KV_CACHE, Lab(lambda: given, seed=5), tokens=40, prompt=50)[1]
    first, second = ({k: v for k, v in r.metrics.items() if not k.endswith(("_ms", "_per_s"))} for r in (result, again))
    assert first == second and again.exhibits == result.exhibits
    for name, parameter in given.model.named_parameters():
        assert torch.equal(parameter, tiny_llama.get_parameter(name)), name


def test_closing_early_stops(tiny_lab: Callable[..., Lab]) -> None:
    """A learner who leaves costs nothing more, and inference mode doesn't leak out of a suspended run."""
    steps = KV_CACHE.run(tiny_lab(), KV_CACHE.settings({}))
    for _ in range(12):
        assert isinstance(next(steps), Progress) and not torch.is_inference_mode_enabled()
    steps.close()  # type: ignore[attr-defined]
    assert list(steps) == []


def hand_made(same: int, cached: float, uncached: float) -> dict[str, float]:
    """Metrics of a run of 24 repeated steps."""
    return {
        "tokens": 128,
        "prompt_tokens": 32,
        "prefill_ms": 40,
        "prefill_tokens_per_s": 775,
        "recomputed": 24,
        "same": same,
        "lead": 0.125,
        "logit_difference": 0.5,
        "cached_short_ms": 30,
        "cached_long_ms": cached,
        "uncached_short_ms": 60,
        "uncached_long_ms": uncached,
        "length": 160,
        "cache_mb": 3.7,
        "mha_mb": 11.1,
        "mqa_mb": 1.2,
        "query_heads": 9,
        "kv_heads": 3,
        "window": 8192,
        "window_mb": 189,
        "weights_mb": 269,
        "weights_changed": 0,
    }


@pytest.mark.parametrize(
    ("metrics", "choice", "said"),
    [
        (hand_made(24, 32, 160), TIME, ("grew from 60.0 to 160 ms", "5.0 times as long", "At all 24 steps")),
        (hand_made(23, 32, 160), TIME, ("At 23 of 24 steps", "rounding decided", "led by 0.125 at most")),
        (hand_made(12, 32, 160), MANY, ("At 12 of 24 steps", "far from equal")),
        (hand_made(24, 60, 61), NOTHING, ("hardly grew", "hardly different on this machine", "grew, too")),
    ],
)
def test_the_prediction_and_the_summary_follow_the_metrics(
    metrics: dict[str, float], choice: str, said: tuple[str, ...]
) -> None:
    """A run that did not show the expected effect says so."""
    prediction = KV_CACHE.prediction
    assert prediction is not None and choice in prediction.choices
    assert prediction.outcome(metrics) == outcome(metrics) == choice
    text = summary_of(metrics, "GQA")
    assert all(words in text for words in said), text
    assert "3.70 MB with this model's GQA (3 KV heads for 9 query heads)" in text and "MHA would need 11.1" in text


def test_gaps_are_passages_that_exist() -> None:
    """A wrong prediction leads to the passage on the thought behind it."""
    prediction = KV_CACHE.prediction
    assert prediction is not None
    passages = {passage.id: passage for passage in load_knowledge().passages}
    assert set(prediction.gaps) <= set(prediction.choices)
    assert "uses old results" in passages[prediction.gaps[MANY]].claim
    assert "compute the keys and values of all earlier tokens again" in passages[prediction.gaps[NOTHING]].text


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ("show me the KV cache up to 300 tokens", 300),
        ("run the kv-cache experiment with 64 tokens", 64),
        ("show me decode without the cache", 128),
        ("show me GQA in action", 128),
    ],
)
def test_learners_words_reach_the_settings(said: str, tokens: int) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), (KV_CACHE,)).demo
    assert call is not None and call.name == "kv_cache" and call.params["tokens"] == tokens


@pytest.mark.parametrize(
    ("said", "prompt", "tokens"),
    [
        ("run the prefill / decode experiment with a 300 token prompt", 300, 128),
        ("show me prefill with a prompt of 500 tokens, writing 64 tokens", 500, 64),
        ("show me the KV cache with a long prompt", 512, 128),
    ],
)
def test_a_prompt_s_length_is_no_text_s_to_write(said: str, prompt: int, tokens: int) -> None:
    """Protects: who varies the prompt sees prefill grow, and not a longer answer."""
    call = route(said, (), (KV_CACHE,)).demo
    assert call is not None and (call.params["prompt"], call.params["tokens"]) == (prompt, tokens)


@pytest.mark.parametrize("tokens", [31, 321])
def test_lengths_out_of_range_are_refused(tokens: int) -> None:
    """Too short shows no growth, too long takes more than the learner's time."""
    with pytest.raises(DemoError, match="give"):
        KV_CACHE.settings({"tokens": tokens})
