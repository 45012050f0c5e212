"""Parameters from a learner's words, and words put right."""

from __future__ import annotations

import pytest

from demos import DEMOS, find_demo
from tutor.spoken import (
    bare_value,
    mended,
    quotes_a_text,
    scaled_value,
    spoken_values,
    tells_a_value,
    without_quotes,
    without_values,
)

QUANTIZE, PRUNE, TOKENS, SAMPLING = (find_demo(name) for name in ("quantize", "prune", "tokens", "sampling"))
RAG, LORA = find_demo("rag"), find_demo("lora")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("quantze it", "quantize it"),
        ("shuffel them", "shuffle them"),
        ("a high tempature", "a high temperature"),
        ("prunning", "pruning"),
        ("one token, two tokens, an experiment", "one token, 2 tokens, an experiment"),
        ("the quantity of later players", "the quantity of later players"),
    ],
)
def test_slips_in_the_experiments_words_are_mended_and_other_words_stay(typed: str, meant: str) -> None:
    """One slip in a short word, two in a long one; other forms and other words are left alone."""
    assert mended(typed, DEMOS) == meant


def test_a_text_to_be_read_is_not_mended() -> None:
    """Whoever wants to see the tokens of a misspelt word gets those."""
    text = 'tokenise "quantze shuffel"'
    assert spoken_values(mended(text, DEMOS), TOKENS)["text"] == "quantze shuffel"


def test_numbers_come_in_digits_words_and_percent() -> None:
    """Three, 3 and 30 % of a share are what the settings take."""
    assert QUANTIZE.settings(spoken_values("three bits", QUANTIZE))["bits"] == 3
    assert PRUNE.settings(spoken_values("thirty percent", PRUNE))["sparsity"] == pytest.approx(0.3)
    compared = PRUNE.settings(spoken_values("fifty, seventy and 90 percent", PRUNE))["compare"]
    assert compared == "0.5,0.7,0.9"


def test_a_bare_number_is_the_first_setting_and_two_numbers_are_none() -> None:
    """ "and 8?" means bits after rounding; 8 % does not."""
    assert QUANTIZE.settings(bare_value("and 8?", QUANTIZE))["bits"] == 8
    assert PRUNE.settings(bare_value("try 80", PRUNE))["sparsity"] == pytest.approx(0.8)
    assert bare_value("8 or 4?", QUANTIZE) == bare_value("8%", QUANTIZE) == bare_value("eight", QUANTIZE) == {}
    assert bare_value("rather 8 against 6", QUANTIZE) == {"compare": "8 against 6"}


def test_a_level_of_a_comparison_is_no_setting_by_itself() -> None:
    """The 8 of "8, 5 and 3 bits" is compared only; a single level stays the setting."""
    assert spoken_values("run it with 8, 5 and 3 bits and compare them", QUANTIZE) == {"compare": "8, 5 and 3"}
    assert spoken_values("with 8 bits", QUANTIZE) == {"bits": "8"}


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


def test_a_setting_is_doubled_or_halved_against_the_last_run() -> None:
    """ "twice as many notes" after two is four."""
    assert scaled_value("twice as many notes", RAG, {"notes": 2}) == {"notes": 4}
    assert scaled_value("again but halve the rank", LORA, {"rank": 16, "alpha": 8}) == {"rank": 8}
    assert scaled_value("half of the weights", PRUNE, {"sparsity": 0.5}) == {}
