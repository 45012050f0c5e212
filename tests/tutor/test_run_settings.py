"""Settings of a run in loose words, insisted on, corrected or refused."""

from __future__ import annotations

import pytest

from demos import DEMOS
from tutor.errors import DemoError
from tutor.events import Exchange
from tutor.intent import route
from tutor.requests.continued import NOT_SO
from tutor.requests.manner import Judged


@pytest.mark.parametrize(
    ("said", "name", "params"),
    [
        (
            "squash the weights to few bits, round the weights and see when it gets dumb",
            "quantize",
            {"compare": "8,4,3,2"},
        ),
        ("prune more and more weights and show me where it collapses", "prune", {"compare": "0.3,0.5,0.7"}),
        ("show me the roofline for 1 user and for many", "hardware", {"rows": 8}),
    ],
)
def test_loose_words_set_what_they_mean(said: str, name: str, params: dict[str, object]) -> None:
    """Protects: who wants to see it break gets levels up to ruin; one user is always measured beside."""
    call = route(said, (), DEMOS, None, lambda text: Judged({"run": 0.9}, {name: 0.95})).demo
    assert call is not None and call.name == name and params.items() <= dict(call.params).items()


@pytest.mark.parametrize(
    ("said", "rows"),
    [("i said 32 not 8", 32), ("no, I meant 16", 16), ("lol i wanted 4 users", 4), ("i said that", None)],
)
def test_what_was_said_before_is_insisted_on(said: str, rows: int | None) -> None:
    """Protects: "I said 32" behind a run with other settings runs it anew."""
    ran = Exchange("show me the roofline of this machine", "…")
    call = route(said, (ran,), DEMOS).demo
    assert call is None if rows is None else call is not None and call.params["rows"] == rows


def test_a_number_after_a_refused_one_is_for_the_same_setting() -> None:
    """Protects: "ok, then just 8" corrects what was refused, and not what ran last."""
    ran = Exchange("show me the KV cache with 300 tokens", "…")
    with pytest.raises(DemoError) as refused:
        route("show me the roofline for 64 users", (ran,), DEMOS)
    told = Exchange("show me the roofline for 64 users", f"{NOT_SO}{str(refused.value).removeprefix('--')}")
    call = route("ok then just 8", (ran, told), DEMOS).demo
    assert call is not None and (call.name, call.params["rows"]) == ("hardware", 8)
    assert route("what are rows?", (ran, told), DEMOS).intent == "ask"


def test_another_seed_is_told_where_it_can_be_had() -> None:
    """Protects: a run with another seed is no run with the same one."""
    ran = Exchange("show me the KV cache with 300 tokens", "…")
    with pytest.raises(DemoError, match="--seed=1"):
        route("run it again with a different seed", (ran,), DEMOS)
    assert route("what is a seed?", (), DEMOS).intent == "ask"


@pytest.mark.parametrize(
    ("said", "name", "params"),
    [
        ("prune it with 2:4, 50%", "prune", {"structure": "2:4", "compare": ""}),
        ("prune 30 40 50 60 percent", "prune", {"compare": "0.3,0.4,0.5,0.6"}),
        ("show me the roofline with a batch of 1 and 8", "hardware", {"rows": 8}),
        ("show me the KV cache with a longer prompt, 256", "kv_cache", {"prompt": 256, "tokens": 128}),
        ("quantize until it breaks", "quantize", {"compare": "8,4,3,2"}),
    ],
)
def test_numbers_set_what_they_stand_for(said: str, name: str, params: dict[str, object]) -> None:
    """Protects: the 4 of 2:4 is no share, one user is no batch, and a prompt's length is no text's to write."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == name and params.items() <= dict(call.params).items()


def test_a_guess_around_a_new_setting_names_no_other_experiment() -> None:
    """Protects: "now rank 32. I guess about 60 % memory" goes on with LoRA and prunes nothing."""
    ran = Exchange("run LoRA with rank 4", "…")
    call = route("31% close to my quarter. now rank 32. i guess about 60% memory", (ran,), DEMOS).demo
    assert call is not None and (call.name, call.params["rank"]) == ("lora", 32)
