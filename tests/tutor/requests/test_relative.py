"""Values that are said against the last run."""

from __future__ import annotations

import pytest

from demos import find_demo
from demos.base import Value
from tutor.requests.relative import bare_value, default_value, scaled_value

QUANTIZE, PRUNE, SAMPLING = (find_demo(name) for name in ("quantize", "prune", "sampling"))
RAG, LORA = find_demo("rag"), find_demo("lora")


def test_a_bare_number_is_the_first_setting_and_two_numbers_are_none() -> None:
    """ "and 8?" means bits after rounding; 8 % does not."""
    assert QUANTIZE.settings(bare_value("and 8?", QUANTIZE))["bits"] == 8
    assert PRUNE.settings(bare_value("try 80", PRUNE))["sparsity"] == pytest.approx(0.8)
    assert bare_value("8 or 4?", QUANTIZE) == bare_value("8%", QUANTIZE) == bare_value("eight", QUANTIZE) == {}
    assert bare_value("rather 8 against 6", QUANTIZE) == {"compare": "8 against 6"}


def test_a_bare_number_is_the_setting_that_was_changed_last() -> None:
    """After "top-p 0.6", "and 0.3?" means top-p; a number that it cannot be means the first setting."""
    last = SAMPLING.settings({"top-p": 0.6})
    assert bare_value("and 0.3?", SAMPLING, last) == {"top-p": "0.3"}
    assert bare_value("and 1.5?", LORA, LORA.settings({"steps": 30}), {}) == {"rank": "1.5"}
    assert bare_value("and 1.2?", SAMPLING, last) == {"temperature": "1.2"}
    changed = LORA.settings({"rank": 8, "alpha": 32})
    assert bare_value("now 16", LORA, changed, LORA.settings({"rank": 8})) == {"alpha": "16"}


@pytest.mark.parametrize("said", ["put it in 3 bullet points", "run that 3 times", "if I had a 7B model", "with 8 GB"])
def test_what_is_counted_besides_is_no_setting(said: str) -> None:
    """How long an answer is to be, how often a thing is done, and a machine's size."""
    assert bare_value(said, QUANTIZE) == {}


def test_an_experiment_without_numbers_takes_none() -> None:
    """After a run on tokens, "and 8?" means nothing there."""
    assert bare_value("and 8?", find_demo("tokens")) == {}


def test_longer_is_more_steps_or_tokens() -> None:
    """ "Longer, ninety say" is no rank, whatever the first setting is."""
    assert bare_value("give it longer, 90 say", LORA, LORA.settings({"rank": 8})) == {"steps": "90"}


def test_what_comes_out_counts_where_it_is_said() -> None:
    """Beside what it grows by."""
    experts = find_demo("experts")
    assert scaled_value("hire 12 more, so 16 in all", experts, experts.settings({"experts": 4})) == {"experts": "16"}


def test_a_setting_is_doubled_or_halved_against_the_last_run() -> None:
    """ "twice as many notes" after two is four."""
    assert scaled_value("twice as many notes", RAG, {"notes": 2}) == {"notes": 4}
    assert scaled_value("again but halve the rank", LORA, {"rank": 16, "alpha": 8}) == {"rank": 8}
    assert scaled_value("half of the weights", PRUNE, {"sparsity": 0.5}) == {}


@pytest.mark.parametrize(
    ("said", "name", "last", "meant"),
    [
        ("double it", "kv_cache", {"tokens": 64}, {"tokens": 128}),
        ("too brutal, halve that", "prune", {"sparsity": 0.8}, {"sparsity": 0.4}),
        ("half as many", "kv_cache", {"tokens": 200}, {"tokens": 100}),
        ("cut the users in half", "hardware", {"rows": 4}, {"rows": 2}),
        ("twice as long", "lora", {"rank": 8, "steps": 40}, {"steps": 80}),
        ("3 times as many tokens", "kv_cache", {"tokens": 64}, {"tokens": 192}),
        ("the rank doubled", "lora", {"rank": 8, "alpha": 16}, {"rank": 16}),
        ("twice that alpha", "lora", {"rank": 8, "alpha": 16}, {"alpha": 32}),
        ("one bit fewer", "quantize", {"bits": 4}, {"bits": 3}),
        ("2 more experts", "experts", {"experts": 4}, {"experts": 6}),
        ("10% more", "prune", {"sparsity": 0.5}, {"sparsity": 0.6}),
        ("lower it to 0.4", "sampling", {"temperature": 1.5, "top-p": 0.6}, {"top-p": "0.4"}),
        ("bigger groups: 64", "policies", {"steps": 100}, {"group-size": "64"}),
        ("one more time", "quantize", {"bits": 4}, {}),
        ("twice as fast", "kv_cache", {"tokens": 64}, {}),
        ("half of the time", "kv_cache", {"tokens": 64}, {}),
        ("double the rank to 16", "lora", {"rank": 4}, {}),
        ("10 less", "prune", {"sparsity": 0.7}, {"sparsity": 0.6}),
        ("turn it up to 1.5", "sampling", {"top-p": 0.6}, {"temperature": "1.5"}),
        ("twıce as many tokens", "kv_cache", {"tokens": 64}, {"tokens": 128}),
        ("shorten that to 3 sentences", "quantize", {"bits": 4}, {}),
        ("boil it down to 3 bullet points", "quantize", {"bits": 4}, {}),
        ("I have one more question", "stages", {"pairs": 24}, {}),
        ("I understood half of that", "quantize", {"bits": 4}, {}),
        ("run it 3 times", "quantize", {"bits": 2}, {}),
        ("half as long please", "quantize", {"bits": 4}, {}),
        ("double it", "tokens", {}, {}),
        ("two more", "tokens", {}, {}),
        ("twice as long", "tokens", {}, {}),
        ("set it to 3", "tokens", {}, {}),
        ("so 3 in total", "tokens", {}, {}),
        ("9" * 400 + " more bits", "quantize", {}, {}),
    ],
)
def test_growing_and_shrinking(said: str, name: str, last: dict[str, Value], meant: dict[str, Value]) -> None:
    """By the name that learners give the setting, or of what was set last; a sum that is said outright stands for itself."""
    demo = find_demo(name)
    assert scaled_value(said, demo, demo.settings(last)) == meant


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("the rank back to its default", "lora", {"rank": 4}),
        ("again at the standard length", "kv_cache", {"tokens": 128}),
        ("top-p back to default", "sampling", {"top-p": 0.9}),
        ("that is normal for layers", "prune", {}),
        ("rank 8 instead of the default rank", "lora", {}),
    ],
)
def test_a_setting_goes_back_to_what_it_is_by_itself(text: str, name: str, value: dict[str, Value]) -> None:
    """Protects: the default that was seen first can be had again by that word; a remark sets nothing."""
    assert default_value(text, find_demo(name)) == value
