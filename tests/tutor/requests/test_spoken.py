"""Parameters from a learner's words."""

from __future__ import annotations

import time

import pytest

from demos import DEMOS, find_demo
from demos.base import Value
from tutor.requests.spoken import (
    mended,
    quotes_a_text,
    spoken_values,
    tells_a_value,
    without_quotes,
    without_values,
)

QUANTIZE, PRUNE, TOKENS, SAMPLING = (find_demo(name) for name in ("quantize", "prune", "tokens", "sampling"))


def test_numbers_come_in_digits_words_and_percent() -> None:
    """Three, 3 and 30 % of a share are what the settings take."""
    assert QUANTIZE.settings(spoken_values("three bits", QUANTIZE))["bits"] == 3
    assert PRUNE.settings(spoken_values("thirty percent", PRUNE))["sparsity"] == pytest.approx(0.3)
    compared = PRUNE.settings(spoken_values("fifty, seventy and 90 percent", PRUNE))["compare"]
    assert compared == "0.5,0.7,0.9"


def test_a_level_of_a_comparison_is_no_setting_by_itself() -> None:
    """The 8 of "8, 5 and 3 bits" is compared only; a single level stays the setting."""
    assert spoken_values("run it with 8, 5 and 3 bits and compare them", QUANTIZE) == {"compare": "8, 5 and 3"}
    assert spoken_values("with 8 bits", QUANTIZE) == {"bits": "8"}


@pytest.mark.parametrize(
    ("said", "demo", "values"),
    [
        ("LoRA, rank eight, alpha double that", "lora", {"rank": 8, "alpha": 16}),
        ("rank 32 and with alpha equal to it", "lora", {"rank": 32, "alpha": 32}),
        ("rank two, alpha twice the rank, please", "lora", {"rank": 2, "alpha": 4}),
        ("he says the cliff is at 3 bits: measure 5, 3 and 2 bits", "quantize", {"compare": "5,3,2", "bits": 5}),
        ("every bit width from 5 down to 2, side by side", "quantize", {"compare": "5,4,3,2", "bits": 5}),
        ("balancing off, I want to see everyone pile on one expert", "experts", {"balance": "off"}),
        ("sixteen sub-blocks, without that fairness reward", "experts", {"experts": 16, "balance": "off"}),
        ("stages w/o mid training", "stages", {"skip": "mid-training"}),
        ("leave out the phase in the middle", "stages", {"skip": "mid-training"}),
        ("without the last phase with the rewards", "stages", {"skip": "rl"}),
        ("drop these lessons from its education", "stages", {"skip": "sft"}),
        ("nucleus sampling p = 3/4", "sampling", {"top-p": 0.75}),
        ("divide the scores of the next word by two and a half", "sampling", {"temperature": 2.5}),
        ("one retrieved slip per question", "rag", {"notes": 1}),
        ("jumble up the solved samples, five of them", "few_shot", {"shots": 5, "order": "shuffled"}),
        ("out of every four neighbouring numbers the two weakest", "prune", {"structure": "2:4"}),
        ("show how alike it finds river, shore, money, loan", "tokens", {"words": "river, shore, money, loan"}),
        ("the tokenizer and embeddings demonstration, please", "tokens", {}),
        ("round to three bits, with five and eight next to it", "quantize", {"bits": 3, "compare": "5,8"}),
        ("8 bits as the yardstick, then hold 4, 3 and 2 up against it", "quantize", {"bits": 8, "compare": "4,3,2"}),
        ("remove 60% of the weights and put 10% beside it", "prune", {"sparsity": 0.6, "compare": "0.1"}),
        ("nurse, doctor, banana: compute how near these lie", "tokens", {"words": "nurse, doctor, banana"}),
        ("remove 60% of the weights, show layers 3 and 4 next to them", "prune", {"sparsity": 0.6}),
        ("remove 60% of the weights and put 12.5% beside it", "prune", {"sparsity": 0.6, "compare": "0.125"}),
        ("remove 60% of the weights, with 2:4 beside it", "prune", {"structure": "2:4", "sparsity": 0.6}),
        ("no, sorry, wait - how far are cat and dog apart?", "tokens", {}),
        ("How near do nurse, doctor, banana lie?", "tokens", {"words": "nurse, doctor, banana"}),
        ("cosines of Monday, Friday, tax and also of nothing else", "tokens", {"words": "Monday, Friday, tax"}),
        ("cut it, and compare love,hate,table too", "tokens", {"words": "love, hate, table"}),
    ],
)
def test_settings_come_in_many_words(said: str, demo: str, values: dict[str, Value]) -> None:
    """Protects: what people say of a run that is known to be meant, beside what they leave as it is."""
    meant = find_demo(demo)
    plain = meant.settings({})
    settings = meant.settings(spoken_values(mended(said, DEMOS), meant, loosely=True))
    assert {name: value for name, value in settings.items() if value != plain[name]} == values


def test_words_that_set_a_value_are_told_from_the_rest() -> None:
    """What is left after the values may name another experiment."""
    assert without_values("pruning of the attention layers", QUANTIZE).split() == ["pruning", "of", "the", "layers"]
    assert tells_a_value("now 2 bits", QUANTIZE) and tells_a_value("90%", PRUNE) and not tells_a_value("now 2", PRUNE)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("tokenize “Größenwahn”", "Größenwahn"),
        ("put „Straße“ through the tokenizer", "Straße"),
        ("how is 'I can't believe it' cut into tokens", "I can't believe it"),
        ("Cut this into tokens: I'll be there at 9:45, promise", "I'll be there at 9:45, promise"),
        ('the tokens of "seven, eight"', "seven, eight"),
        ("and the word Kindergarten?", "Kindergarten"),
    ],
)
def test_a_text_is_found_in_any_quotation_marks_and_after_a_colon(said: str, text: str) -> None:
    """Protects: what a learner wants to see, as it was typed."""
    assert spoken_values(mended(said, DEMOS), TOKENS)["text"] == text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("compare the embeddings of these words: dog, puppy, car", "dog, puppy, car"),
        ("take the words bread, butter and laptop and tell me which are near", "bread, butter and laptop"),
        ("cosines between red, seven and eight", "red, seven and eight"),
        ('the embeddings of "king", "queen" and "car"', "king, queen and car"),
    ],
)
def test_a_list_of_words_is_found_and_is_no_text(said: str, words: str) -> None:
    """Protects: the list ends where the sentence goes on, and numbers in it stay words."""
    found = spoken_values(mended(said, DEMOS), TOKENS)
    assert found["words"] == words and "text" not in found


def test_a_prompt_is_found_wherever_it_stands() -> None:
    """Before the wish, after it, and after a colon."""
    for said in ('take "Once upon a time" and show the odds', "show the odds. Prompt: Once upon a time"):
        assert spoken_values(said, SAMPLING)["prompt"] == "Once upon a time"


def test_a_mere_quotation_names_no_experiment_and_makes_no_request_long() -> None:
    """A quoted word may stand in any question."""
    assert not tells_a_value('what about "sparsity"', TOKENS)
    assert quotes_a_text('what about "sparsity"', TOKENS) and not quotes_a_text('what about "sparsity"', PRUNE)
    assert without_quotes('use "The queen of the bees" now') == "use … now"


@pytest.mark.parametrize(
    ("said", "name", "meant"),
    [
        ("leave attention alone, just the MLPs", "quantize", {"layers": "mlp"}),
        ("not attention this time", "quantize", {"layers": "mlp"}),
        ("everything but the MLPs", "prune", {"layers": "attention"}),
        ("not only attention", "prune", {"layers": "attention"}),
        ("across every layer type", "prune", {"layers": "all"}),
        ("whole rows rather than single weights", "prune", {"structure": "rows"}),
        ("single weights instead of entire rows", "prune", {"structure": "unstructured"}),
        ("letters, not words, for the labels", "few_shot", {"labels": "letters"}),
        ("words instead of letters", "few_shot", {"labels": "words"}),
        ("why not 2 bits", "quantize", {"bits": "2"}),
        ("not more than 3 bits", "quantize", {"bits": "3"}),
        ("don't skip attention", "quantize", {"layers": "all"}),
        ("don't touch attention", "quantize", {"layers": "mlp"}),
        ("don't drop balancing", "experts", {"balance": "on"}),
        ("don't turn off balancing", "experts", {"balance": "on"}),
        ("don't switch the balancing off", "experts", {"balance": "on"}),
        ("a teacher that is not perfect", "policies", {}),
        ("a teacher who isn't perfect", "policies", {}),
        ("make it non-deterministic", "sampling", {}),
        ("it isn't deterministic", "sampling", {}),
    ],
)
def test_what_is_said_to_be_left_is_not_meant(said: str, name: str, meant: dict[str, str]) -> None:
    """Of the two things that a contrast names, the one behind "rather than" and "not" is not what is wished."""
    assert spoken_values(said, find_demo(name)) == meant


@pytest.mark.parametrize(
    ("said", "name", "meant"),
    [
        ("two outta every four", "prune", {"structure": "2:4"}),
        ("a scale for every 32 weights", "quantize", {"group-size": "32"}),
        ("group size 32 bits 4", "quantize", {"group-size": "32"}),
        (
            "just the MLP blocks to 3 bits, with groups of 32",
            "quantize",
            {"group-size": "32", "bits": "3", "layers": "mlp"},
        ),
        ("flip the order of the examples", "few_shot", {"order": "reversed"}),
        ("six exemplars, mixed up", "few_shot", {"shots": "6"}),
        ("with 16 of my pupils", "hardware", {"rows": "16"}),
        ("64 answers each time", "policies", {"group-size": "64"}),
        ("a teacher who never gets anything wrong", "policies", {"teacher-accuracy": 1.0}),
        ("a teacher who is wrong 30 % of the time", "policies", {"teacher-accuracy": 0.7}),
        ("alpha all the way up to 32", "lora", {"alpha": "32"}),
        ("top-p down to 0.5, T=0.7", "sampling", {"top-p": 0.5, "temperature": "0.7"}),
        ("keep only the best three", "sampling", {"top-k": "3"}),
        ("without top-p", "sampling", {"top-p": 1.0}),
        ("every token thru two", "experts", {"active": "2"}),
        ("each token goes to 2 of 8 experts", "experts", {"active": "2", "experts": "8"}),
        ("disable that balancing loss", "experts", {"balance": "off"}),
        ("put the balancing back", "experts", {"balance": "on"}),
        ("had nobody done SFT", "stages", {"skip": "sft"}),
        ("mid-training could be spared; leave it out", "stages", {"skip": "mid-training"}),
        ("cut the RL", "stages", {"skip": "rl"}),
        ("swap those words for tea, coffee and rice", "tokens", {"words": "tea, coffee and rice"}),
        ("with tea, coffee, rice instead", "tokens", {"words": "tea, coffee, rice"}),
        ("change to tea, coffee, rice instead", "tokens", {"words": "tea, coffee, rice"}),
        ("now bread, milk and beer", "tokens", {"words": "bread, milk and beer"}),
        ("show me temperature, turn it up to 2", "sampling", {"temperature": "2"}),
        ("temperature and top-p, set it to 0.5", "sampling", {"top-p": "0.5"}),
    ],
)
def test_a_setting_goes_by_many_names(said: str, name: str, meant: dict[str, object]) -> None:
    """What learners were seen to say of it, and nothing else beside."""
    found = spoken_values(mended(said, DEMOS), find_demo(name))
    assert {key: str(value) for key, value in found.items()} == {key: str(value) for key, value in meant.items()}


@pytest.mark.parametrize(
    "said",
    [
        "ok now pruning, quantization and LoRA",
        "next temperature, top-k, top-p.",
        "let's change to LoRA and QLoRA",
        "let's change to students and teachers",
        "for beginners, students and teachers",
        "swap it for pruning and RAG",
    ],
)
def test_a_list_of_topics_is_no_list_of_words(said: str) -> None:
    """Protects: what goes on to something else compares no embeddings."""
    assert spoken_values(said, TOKENS) == {}


@pytest.mark.parametrize(
    "text",
    [
        "8" + " and" * 400 + " x",
        "8, " * 400 + "x",
        "11 and " * 300 + "x",
        "8" + " " * 1900 + "x",
        "I really " + "really " * 200,
        "a, b, c" + "-" * 1900,
        "with 8, " + "5 and " * 300 + "x",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Protects: patterns that match in many ways would hold the whole tutor up."""
    began = time.perf_counter()
    for demo in DEMOS:
        spoken_values(mended(text, DEMOS), demo)
    assert time.perf_counter() - began < 5


def test_a_list_of_words_comes_with_commas() -> None:
    """However it was said, the run and its record have it one way."""
    assert TOKENS.settings({"words": "train, bus, tulip and rose"})["words"] == "train, bus, tulip, rose"


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("five bits, then four, then two", "quantize", {"compare": "5 bits, then 4, then 2"}),
        ("32 neighbours per scale", "quantize", {"group-size": "32"}),
        ("next lot: bread, butter, hammer, nail", "tokens", {"words": "bread, butter, hammer, nail"}),
        ("Train half of it: 9 out of 10 go", "prune", {"sparsity": 0.9}),
        ("64 per group", "policies", {"group-size": "64"}),
        ("leave nothing out", "stages", {"skip": "none"}),
        ("crank the heat up to 2.5", "sampling", {"temperature": "2.5"}),
    ],
)
def test_what_only_a_known_experiment_understands(text: str, name: str, values: dict[str, Value]) -> None:
    """Protects: words that would fit much else are heard where it is known what runs, and nowhere else."""
    assert spoken_values(text, find_demo(name), loosely=True) == values
    assert values.keys().isdisjoint(spoken_values(text, find_demo(name)))


@pytest.mark.parametrize(
    ("demo", "text"),
    [
        ("lora", "Show me LoRA live, as if I had an A100"),
        ("lora", "again, to compare it with R1"),
        ("sampling", "let me see sampling live on an NVIDIA T 4"),
        ("sampling", "Sampling demo please: I wonder how bad it is"),
        ("sampling", "show me temperature on 2 examples live"),
        ("tokens", "show me how my name is split into tokens"),
        ("tokens", "Congratulations, now show me the tokenizer live"),
    ],
)
def test_what_only_looks_like_a_value_sets_nothing(demo: str, text: str) -> None:
    """Protects: a chip, a run's label or a word of the sentence taken for a setting, which refuses or changes the run."""
    assert spoken_values(text, find_demo(demo), loosely=True) == {}


@pytest.mark.parametrize(
    ("demo", "text", "values"),
    [
        ("sampling", "crank it to 2.5 and let it babble", {"temperature": "2.5"}),
        ("sampling", "at 0.7 temperature: The nurse looked at the chart and", {"temperature": "0.7"}),
        ("policies", "a lousy teacher, right 3 times out of 10", {"teacher-accuracy": 0.3}),
        ("prune", "prune half the weights, 3 times in 20 minutes", {"sparsity": 0.5}),
        ("tokens", "Tokenize 「東京大学」", {"text": "東京大学"}),
    ],
)
def test_values_as_they_are_said(demo: str, text: str, values: dict[str, Value]) -> None:
    """Protects: forms that people used and that were not understood."""
    found = spoken_values(mended(text, DEMOS), find_demo(demo), loosely=True)
    assert {name: found.get(name) for name in values} == values
