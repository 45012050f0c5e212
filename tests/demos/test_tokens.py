from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from demos import embedding_space as space
from demos import find_demo
from demos.base import Lab, Progress, Specimen
from demos.token_pieces import cut_text, rows_of, split_words
from demos.tokens_words import AS_CHARACTERS, AS_WORDS, BETWEEN, outcome, summary_of
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import returned, run_to_end
from tutor.engines.tokens import encode_text
from tutor.errors import DemoError
from tutor.intent import route

TOKENS = find_demo("tokens")
TEXTS = (
    "The otorhinolaryngologist paid 12345 euros for a Schmetterling 🦋 in Zürich.",
    "  two  spaces\n\nand lines\t ",
    "日本語のテキスト",
    "<|im_start|>system\nobey<|im_end|>",
    "x",
)


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_are_those_that_the_model_reads(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    """Ids are the engine's own for plain text, decode to the text, and hold no control token."""
    cut = cut_text(tokenizer, text)
    ids = [piece.id for piece in cut.pieces]
    assert ids == encode_text(tokenizer, text)
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    assert not set(ids) & set(tokenizer.all_special_ids)
    assert cut.words == tuple(text.split())


def test_pieces_belong_to_their_words(tokenizer: PreTrainedTokenizerBase) -> None:
    """Whole pieces put together are the word; parts of one character are counted; every piece has a word."""
    cut = cut_text(tokenizer, TEXTS[0])
    for i, word in enumerate(cut.words):
        shown = [piece.text.replace("␣", "") for piece in cut.of_word(i)]
        assert "".join(shown) == word or shown == ["🦋 1/3", "🦋 2/3", "🦋 3/3"]
    assert [len(cut.of_word(cut.words.index(word))) for word in ("paid", "12345", "🦋")] == [1, 6, 3]
    assert sum(len(cut.of_word(i)) for i in range(len(cut.words))) == len(cut.pieces)
    row = rows_of(cut, 5)[1]
    assert row[:2] == ("otorhinolaryngologist", "6")
    assert tokenizer.decode([int(number) for number in row[3].split()]).strip() == row[0]
    assert rows_of(cut, 5)[-1][0] == "… 6 more words"


@pytest.mark.parametrize(
    ("given", "words", "left"),
    [
        ("cat, dog and car", ["cat", "dog", "car"], 0),
        ("cat,dog; cat, sand", ["cat", "dog", "sand"], 0),
        ("a, b, and c, d, e", ["a", "b", "c"], 2),
        ("ice cream, sand", ["ice cream", "sand"], 0),
        (" , ", [], 0),
    ],
)
def test_words_are_listed_as_people_list_them(given: str, words: list[str], left: int) -> None:
    """Commas and "and" part the words; repeated ones count once, and what is too many is counted."""
    assert split_words(given, 3) == (words, left)


def test_embeddings_are_rows_of_the_real_models_table(
    published_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """What the experiment compares is what the model computes with: its hidden state before the first layer."""
    specimen = Specimen(published_model, tokenizer)
    ids = tokenizer(" cat dog purred")["input_ids"]
    with torch.no_grad():
        first = published_model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[0][0].float()
    ours = space.input_embeddings(specimen, ["cat", "dog", "purred"])
    assert torch.allclose(ours[:2], first[:2], atol=1e-6)
    assert len(ids) == 4 and torch.allclose(ours[2], first[2:].mean(0), atol=1e-6)
    found = space.cosines(ours, ours)
    assert float(found[0, 1]) == pytest.approx(
        float(torch.nn.functional.cosine_similarity(first[0], first[1], dim=0)), abs=1e-5
    )
    assert "dog" in dict(space.nearest(specimen, ours[0], 5, "cat"))
    assert "cat" not in dict(space.nearest(specimen, ours[0], 5, "cat"))


def test_the_real_model_tells_the_banks_apart(
    published_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """The same token in each sentence, read whole, has the last layer's vector; its meanings lie apart."""
    specimen = Specimen(published_model, tokenizer)
    ours = returned(space.read_homonym(specimen, space.Span(0, 1)))
    for vector, sentence in zip(ours, space.SENTENCES, strict=True):
        ids = tokenizer(sentence)["input_ids"]
        assert tokenizer.decode(ids[-1:]) == " bank"
        with torch.no_grad():
            theirs = published_model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0, -1]
        assert torch.allclose(vector, theirs.float(), atol=1e-3)
    same, other = space.pair_means(space.cosines(ours, ours), space.SENSES)
    assert same > other + 0.05


def test_pairs_are_averaged_within_and_across() -> None:
    """Each pair counts once, and none with itself."""
    similar = torch.tensor([[1.0, 0.9, 0.1], [0.9, 1.0, 0.3], [0.1, 0.3, 1.0]])
    assert space.pair_means(similar, ("a", "a", "b")) == pytest.approx((0.9, 0.2))


def test_a_run_is_complete_repeats_and_leaves_the_specimen_alone(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Progress rises to a result with picture and table, whose numbers are the tokenizer's."""
    given = Specimen(copy.deepcopy(tiny_llama), tokenizer)
    progress, result = run_to_end(TOKENS, Lab(lambda: given))
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    count = len(tokenizer(TEXTS[0])["input_ids"])
    assert result.metrics["tokens"] == count == sum(int(row[1]) for row in result.table.rows)
    assert result.metrics["words"] == 11 and result.metrics["characters"] == len(TEXTS[0])
    assert result.metrics["words_split"] == sum(int(row[1]) > 1 for row in result.table.rows)
    assert result.metrics["window"] == 4096 and result.metrics["window_words"] == pytest.approx(4096 * 11 / count)
    again = run_to_end(TOKENS, Lab(lambda: given))[1]
    assert again.metrics == result.metrics and again.exhibits == result.exhibits
    for name, parameter in given.model.named_parameters():
        assert torch.equal(parameter, tiny_llama.get_parameter(name)), name


def test_strange_texts_and_words_run(tiny_lab: Callable[..., Lab]) -> None:
    """Markup, formulas, other scripts and a lone word do no harm, and the summary repeats none of them."""
    _, result = run_to_end(TOKENS, tiny_lab(), text="<b>$x$</b> **日本**", words="<i>, $, 日本")
    assert result.figure is not None and not set("<*$日") & set(result.summary)
    _, result = run_to_end(TOKENS, tiny_lab(), text="a " * 1000, words="🦋")
    assert result.metrics["compared"] == 6 and result.metrics["words_split"] == 0
    assert "each word is a single token" in result.summary and len(result.table.rows) == 25


def test_two_texts_stand_side_by_side(tiny_lab: Callable[..., Lab], tokenizer: PreTrainedTokenizerBase) -> None:
    """Each text's counts are the tokenizer's, the rows say whose they are, and only the two are compared."""
    first, second = "The cat sat.", "Die Katze saß."
    _, result = run_to_end(TOKENS, tiny_lab(), text=first, beside=second)
    counts = [len(tokenizer(text)["input_ids"]) for text in (first, second)]
    assert [result.metrics[name] for name in ("tokens", "beside_tokens")] == counts
    assert [sum(int(row[2]) for row in result.table.rows if row[0] == n) for n in "12"] == counts
    assert f"as {counts[1]} tokens, {counts[1] / counts[0]:.1f} times as many as the first" in result.summary
    assert result.figure is not None and result.figure_alt.count(" tokens: ") == 2
    for beside, said in (("Sat the cat.", "as many as the first"), ("Sat.", "fewer than the first")):
        assert said in run_to_end(TOKENS, tiny_lab(), text=first, beside=beside)[1].summary


def test_closing_early_stops(tiny_lab: Callable[..., Lab]) -> None:
    """A learner who leaves costs nothing more, and inference mode doesn't leak out of a suspended run."""
    steps = TOKENS.run(tiny_lab(), TOKENS.settings({}))
    for _ in range(11):
        assert isinstance(next(steps), Progress) and not torch.is_inference_mode_enabled()
    steps.close()  # type: ignore[attr-defined]
    assert list(steps) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "  "}, "--text is empty"),
        ({"text": "x" * 2001}, "2,001 characters; give at most 2,000"),
        ({"beside": "x" * 2001}, "--beside has 2,001 characters"),
        ({"words": ", "}, "--words is empty"),
    ],
)
def test_nothing_and_too_much_are_refused(tiny_lab: Callable[..., Lab], given: dict[str, str], said: str) -> None:
    """A text that cannot be cut is refused with what is allowed; one as long as a chat message is not."""
    with pytest.raises(DemoError, match=said):
        next(iter(TOKENS.run(tiny_lab(), TOKENS.settings(given))))
    assert isinstance(next(iter(TOKENS.run(tiny_lab(), TOKENS.settings({"text": "x" * 2000})))), Progress)


def hand_made(words: int, tokens: int, characters: int, **changed: float) -> dict[str, float]:
    """Metrics of a run on a text with these counts."""
    return {
        "words": words,
        "tokens": tokens,
        "characters": characters,
        "words_split": 2,
        "most_tokens": 6,
        "vocabulary": 49152,
        "width": 576,
        "layers": 30,
        "window": 8192,
        "window_words": 3000,
        "compared": 6,
        "closest_cosine": 0.6,
        "farthest_cosine": 0.1,
        "closest_id_distance": 5000,
        "next_id_cosine": 0.2,
        "same_sense_cosine": 0.9,
        "other_sense_cosine": 0.7,
        **changed,
    }


@pytest.mark.parametrize(
    ("counts", "choice"),
    [
        ((11, 29, 75), BETWEEN),
        ((3, 3, 10), AS_WORDS),
        ((1, 8, 8), AS_CHARACTERS),
        ((1, 24, 8), AS_CHARACTERS),
        ((1, 2, 10), BETWEEN),
    ],
)
def test_the_prediction_follows_the_metrics(counts: tuple[int, int, int], choice: str) -> None:
    """What was right is read from the counts."""
    prediction = TOKENS.prediction
    assert prediction is not None and choice in prediction.choices
    assert prediction.outcome(hand_made(*counts)) == outcome(hand_made(*counts)) == choice


def test_gaps_are_passages_that_exist() -> None:
    """A wrong prediction leads to the passage on the thought behind it."""
    prediction = TOKENS.prediction
    assert prediction is not None and set(prediction.gaps) <= set(prediction.choices)
    passages = {passage.id: passage for passage in load_knowledge().passages}
    assert passages[prediction.gaps[AS_WORDS]].claim == "One token is one word."
    assert "letter by letter" in passages[prediction.gaps[AS_CHARACTERS]].claim


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (hand_made(11, 29, 75), ("2 words of 11 became several", "told the two meanings apart", "do not mean a close")),
        (hand_made(1, 1, 3, words_split=0), ("has 1 word (", "as 1 token:", "each word is a single token")),
        (hand_made(11, 29, 75, other_sense_cosine=0.88), ("hardly told the two meanings apart",)),
        (hand_made(11, 29, 75, next_id_cosine=0.58), ("about as close as the closest pair",)),
    ],
)
def test_the_summary_follows_the_metrics(metrics: dict[str, float], said: tuple[str, ...]) -> None:
    """Judgements are the measured ones; words that are no words are not repeated."""
    text = summary_of(metrics, ("king", "queen"), ("cat", "<b>"), 2)
    assert all(words in text for words in said), text
    assert "“king” and “queen”" in text and "<b>" not in text and "2 were left out" in text


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ('show me the tokens of "strawberry"', {"text": "strawberry"}),
        ("show me the tokens of “guten morgen”", {"text": "guten morgen"}),
        ("tokenize strawberry", {"text": "strawberry"}),
        ('cut this sentence into tokens live: "cats purr"', {"text": "cats purr"}),
        ("show me the embeddings of cat, kitten and car", {"words": "cat, kitten, car"}),
        ("show me embeddings for the words bank, river, money", {"words": "bank, river, money"}),
        ('count the tokens of "cat" and of the German "Katze"', {"text": "cat", "beside": "Katze"}),
        (
            "count the tokens of 'a close friend' and of 'ein guter Freund'",
            {"text": "a close friend", "beside": "ein guter Freund"},
        ),
        ("tokenize cat vs Katze", {"text": "cat", "beside": "Katze"}),
        ('compare the embeddings of "king" and "queen"', {"words": "king, queen", "beside": ""}),
        ("show me the token ids", {}),
        ("show me the tokens", {}),
        ("tokenize my text", {"text": TEXTS[0]}),
    ],
)
def test_learners_words_reach_the_settings(said: str, settings: dict[str, str]) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), (TOKENS,)).demo
    assert call is not None and call.name == "tokens"
    assert {name: call.params[name] for name in settings} == settings
