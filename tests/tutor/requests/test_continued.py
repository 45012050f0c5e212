"""A run that is changed by what is said after it, and what changes none."""

from __future__ import annotations

import pytest

from demos import DEMOS, find_demo
from demos.base import Table
from tests.tutor.judges import doubt, wish
from tutor.events import Exchange
from tutor.experiments.runs import Run
from tutor.intent import route


@pytest.mark.parametrize(
    ("before", "said", "name", "params"),
    [
        (
            "prune 60% of the attention layers",
            "hm, and if it were 80?",
            "prune",
            {"sparsity": 0.8, "layers": "attention"},
        ),
        ("show me RAG with one note, live", "what does it get with four?", "rag", {"notes": 4}),
        ("show me RAG with one note, live", "what, pray, would 3 do?", "rag", {"notes": 3}),
        ("show me temperature 2 with top-k 50", "and were it greedy?", "sampling", {"temperature": 0.0, "top-k": 50}),
        (
            "run the training stages with 30 RL steps",
            "Most kind. And without SFT?",
            "stages",
            {"rl-steps": 30, "skip": "sft"},
        ),
        (
            "show me the roofline for 4 users in fp32",
            "our office: more like twenty people",
            "hardware",
            {"rows": 20, "dtype": "fp32"},
        ),
        ("show me three bits live", "put 8 bits next to it", "quantize", {"bits": 3, "compare": "8"}),
        ("compare 4 and 2 bits", "rather 8 against 6", "quantize", {"compare": "8,6"}),
        ("prune 70%", "crank it up to 90", "prune", {"sparsity": 0.9}),
        ("prune 70%", "10 less", "prune", {"sparsity": 0.6}),
        ("show me top-p 0.6 live", "and 1.2?", "sampling", {"top-p": 0.6, "temperature": 1.2}),
        ("show me three bits live", "say 2", "quantize", {"bits": 2}),
        (
            "show me three bits live",
            "but only on the attention layers of it",
            "quantize",
            {"bits": 3, "layers": "attention"},
        ),
    ],
)
def test_what_ran_is_changed_by_a_supposition_or_a_mere_value(
    before: str, said: str, name: str, params: dict[str, float | str]
) -> None:
    """With all else that the last run had been told."""
    call = route(said, (Exchange(before, "…"),), DEMOS).demo
    assert call is not None and call.name == name
    assert dict(call.params) == find_demo(name).settings(params)


@pytest.mark.parametrize(
    "said",
    [
        "if alpha is 32, does it learn faster?",
        "so 4 bits is enough for attention, good to know",
        "what does it cost with 8 bits",
        "does doubling the rank double the memory?",
        "I thought a rank of 4 would do better than that",
    ],
)
def test_what_is_asked_or_stated_after_a_run_is_no_change(said: str) -> None:
    """A run that nobody asked for costs a learner more than a second message."""
    assert route(said, (Exchange("fine-tune with LoRA of rank 8", "…"),), DEMOS, None, doubt).intent == "ask"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("show me 3 bits live", "suppose I have 8 GB of memory"),
        ("show me 3 bits live", "if I had a 7B model"),
        ("show me 3 bits live", "say that again for someone aged 12"),
        ("show me 3 bits live", "say it in 3 bullet points"),
        ("prune 70%", "if 70% are zero, then the file shrinks?"),
        ("show me 3 bits live", "what would 4 bits do to accuracy?"),
        ("prune 70%", "what did 70% do to the accuracy of the model?"),
        ("show me 3 bits live", "what does it do with the attention layers?"),
        ("show me 3 bits live", "what do 4 bits bring in practice?"),
        ("show me 3 bits live", "what does 8 bits give me over 4?"),
        ("train a mixture of 8 experts", "what do we do with router collapse?"),
        ("show me 3 bits live", "shorten that to 3 sentences please"),
        ("show me 3 bits live", "boil it down to 3 points"),
        ("show me 3 bits live", "I have one more question"),
        ("show me 3 bits live", "I understood half of that"),
        ("show me 3 bits live", "run that 3 times"),
        ("show me 3 bits live", "half as long please"),
        ("show me 3 bits live", "give me 3 reasons"),
        ("show me 3 bits live", "I have 2 questions"),
        ("show me 3 bits live", "2 bits broke the model completely"),
        ("show me 3 bits live", "my teacher told us 8 bits loses nothing"),
        ("show me 3 bits live", "tell me more about 8 bits"),
        ("prune 70%", "90 percent of people confuse these two things"),
        ("benchmark this computer", "3 of my friends work with GPUs"),
        ('tokenize "hello"', "double it"),
        ('tokenize "hello"', "ok now pruning, quantization and LoRA"),
        ("show me 3 bits live", "fıve " + "9" * 400 + " more"),
    ],
)
def test_remarks_after_a_run_set_nothing(before: str, said: str) -> None:
    """By their words alone: what supposes, counts or tells something else is no other value."""
    assert route(said, (Exchange(before, "…"),), DEMOS).intent == "ask"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Does pruning hurt at all? Prune 60 percent of the weights.", "prune"),
        ("Would you be so kind as to round the weights while they watch?", "quantize"),
        ("I keep wondering whether few-shot prompting helps. Put it to the test!", "few_shot"),
        ("how about we quantize it to 3 bits", "quantize"),
        ("shall we train a LoRA of rank 8?", "lora"),
        ("may I see RAG for myself?", "rag"),
        ("show me quantization instead of pruning", "quantize"),
    ],
)
def test_a_run_is_proposed_or_ordered_behind_a_question(said: str, name: str) -> None:
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == name


def test_a_long_change_keeps_what_the_last_run_was_told() -> None:
    """Where the experiment is meant again without its name, only what was said is new."""
    history = (Exchange("run the training stages with 30 RL steps", "…"),)
    text = "It would be lovely of you, if it is no trouble at all, to let us see the very same thing for a hundred pairs, where all else stays"
    call = route(text, history, DEMOS, None, wish).demo
    assert call is not None and (call.params["rl-steps"], call.params["pairs"]) == (30, 100)


def test_back_to_an_experiment_takes_up_its_last_settings() -> None:
    """ "back to pruning" repeats that one, also with a bare number, whatever ran in between."""
    history = (Exchange("prune 70% of the attention layers", "…"), Exchange("show me 4 bits", "…"))
    call = route("back to pruning", history, DEMOS).demo
    assert call is not None and (call.name, call.params["sparsity"], call.params["layers"]) == (
        "prune",
        0.7,
        "attention",
    )
    call = route("back to pruning, 30", history, DEMOS).demo
    assert call is not None and (call.name, call.params["sparsity"], call.params["layers"]) == (
        "prune",
        0.3,
        "attention",
    )


def test_compare_that_with_keeps_the_level_that_ran() -> None:
    """The value said stands beside the last one."""
    call = route("compare that with 8 bits", (Exchange("show me 3 bits", "…"),), DEMOS).demo
    assert call is not None and (call.params["bits"], call.params["compare"]) == (3, "8")


def test_what_ran_counts_before_what_was_typed() -> None:
    """A run that the history holds, by a button or under a prediction, is what "now with …" changes."""
    run = Run("quantize", "", {**find_demo("quantize").settings({}), "layers": "mlp"}, 0, {}, {}, Table((), ()), "")
    call = route("now with 2 bits", (Exchange("yes, that one", "…", run),), DEMOS).demo
    assert call is not None and (call.name, call.params["bits"], call.params["layers"]) == ("quantize", 2, "mlp")
