"""Which questions want a Yes or No, and which of the two an author settled."""

from __future__ import annotations

import pytest

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge, Polarity
from knowledge.search import Search
from tests.conftest import FakeEmbedder, hits_of
from tutor.verdict.polarity import (
    asks_in_words_too,
    between_sides,
    by_rule,
    claim_of,
    contradicts,
    is_yes_no,
    possible_openings,
    settled_polarity,
)


def test_possible_openings(search: Search) -> None:
    """None for an open question, the author's one where it is settled, else only Yes or No."""
    hits = hits_of(*search.knowledge.passages)
    assert possible_openings("What are cats?", hits, search) == ()
    assert possible_openings("Are dogs loud?", hits, search) == ("yes",)
    assert possible_openings("Are cats small dogs?", hits, search) == ("no",)
    assert set(possible_openings("Do cats bark?", hits, search)) <= {"yes", "no"}


@pytest.mark.parametrize(
    "query",
    [
        "Is pruning lossless?",
        "does LoRA change the weights?",
        "so RAG trains the model, right?",
        "I must let the whole training run once more. It is so?",
        "ok. and what about bigger models, do those hallucinate as well?",
        "and when I chat with a model all day, does it learn from that?",
        "Will the instruct version take more memory than the base one, and how do they differ?",
    ],
)
def test_yes_no_questions(query: str, real_search: Search) -> None:
    """Questions that Yes or No answers are known as such."""
    assert is_yes_no(query, real_search.embedder)


@pytest.mark.parametrize(
    "query",
    [
        "What is pruning?",
        "Is it pruning or quantization?",
        "I own one small card. Should I take PPO, DPO or GRPO? And how many models will sit in memory?",
        "It fails all my puzzles. Should it learn from a bigger model's answers or from its own tries? And what comes later?",
        "how does LoRA work",
        "",
        "🙂",
        "BERT doesn't write anything, so how on earth did it learn language?",
        "Rounding has no useful slope, so how do gradients get past it in training?",
        "The GPU reads my whole prompt at once, so why can't it write the whole reply at once too?",
        "From whom can the marks for a batch come?",
        "Why: my boss says open weights means open source. is he right?",  # "why not?", made standalone
    ],
)
def test_other_questions(query: str, real_search: Search) -> None:
    """A choice or an open question has no Yes or No."""
    assert not is_yes_no(query, real_search.embedder)


@pytest.mark.parametrize(
    ("query", "polarity"),
    [
        ("Are dogs loud?", "yes"),
        ("Are cats small dogs?", "no"),
        ("What are dogs?", None),
        ("Do dogs read long newspapers every single morning?", None),
    ],
)
def test_polarity_is_the_authors(knowledge: Knowledge, query: str, polarity: Polarity | None) -> None:
    """Yes and No come from a near authored question on the same sides, else nothing is settled."""
    hits = hits_of(*knowledge.passages)
    assert settled_polarity(query, hits, FakeEmbedder(), Mentions(knowledge.concepts)) == polarity


def test_a_negated_claim_does_not_get_the_plain_claims_answer(knowledge: Knowledge) -> None:
    """ "Do dogs not bark …?" may be settled as No or be left open, never be answered like "Do dogs bark …?"."""
    hits, mentions = hits_of(*knowledge.passages), Mentions(knowledge.concepts)
    plain = "Do dogs bark loudly at every single postman in the whole long street?"
    assert settled_polarity(plain, hits, FakeEmbedder(), mentions) == "yes"
    assert settled_polarity(plain.replace("bark", "not bark"), hits, FakeEmbedder(), mentions) != "yes"


def test_another_sides_polarity_is_not_taken(knowledge: Knowledge) -> None:
    """What is settled of dogs says nothing of cats, however near the wording."""
    assert (
        settled_polarity("Do cats bark?", hits_of(*knowledge.passages), FakeEmbedder(), Mentions(knowledge.concepts))
        is None
    )


def test_a_shipped_misconception_is_settled(real_search: Search) -> None:
    """With the real embedder an authored yes/no question gets its author's answer."""
    for passage in real_search.knowledge.by_id["pruning-vs-quantization"].passages:
        for ask in passage.asks:
            if ask.polarity and is_yes_no(ask.text, real_search.embedder):
                found = settled_polarity(ask.text, hits_of(passage), real_search.embedder, real_search.mentions)
                assert found == ask.polarity, ask.text


@pytest.mark.parametrize(
    ("opening", "query", "sentence", "opposite"),
    [
        ("yes", "Is a cat always asleep?", "A cat is not asleep all day.", True),
        ("yes", "Is a cat always asleep?", "A cat sleeps all day.", False),
        ("yes", "Do cats not bark?", "Cats never bark.", False),
        ("no", "Is a cat always asleep?", "A cat is not asleep all day.", False),
        ("no", "Do cats bark?", "Cats purr.", False),
    ],
)
def test_what_reads_as_the_opposite_of_yes(opening: Polarity, query: str, sentence: str, opposite: bool) -> None:
    """A plain question's Yes is not followed by a sentence that denies; No may be followed by what is so instead."""
    assert contradicts(opening, query, sentence) is opposite


@pytest.mark.parametrize(
    ("asked", "claim"),
    [
        ("Isn't a cat a dog?", "Is a cat a dog?"),
        ("so can't cats swim?", "so can cats swim?"),
        ("Won't it bark?", "Will it bark?"),
        ("doesnt a dog purr?", "does a dog purr?"),
        ("What doesn't bark?", "What doesn't bark?"),
        ("Is it not a dog?", "Is it not a dog?"),
        ("A cat sleeps a lot, doesn't it?", "A cat sleeps a lot?"),
        ("so cats purr, right? since they are glad", "so cats purr? since they are glad"),
        ("Cats purr when glad. Is that true?", "Cats purr when glad?"),
        ("cats purr when glad i guess", "cats purr when glad?"),
        ("My vet says dogs purr. Is he right?", "My vet says dogs purr?"),
        ("A dog is what a cat isn't?", "A dog is what a cat isn't?"),
        ("Purring, right?", "Purring, right?"),
    ],
)
def test_what_asks_for_the_same_claim_gets_the_same_answer(asked: str, claim: str) -> None:
    """Protects: "Isn't it …?" and "It …, doesn't it?" get the Yes or No of "Is it …?", not the opposite."""
    assert claim_of(asked) == claim


@pytest.mark.parametrize(
    "query",
    [
        "Our pipeline makes six LLM calls in a row, so basically we've built an agent.",
        "We use LoRA. So the base model stays the same.",
        "We quantized to 4 bits, so we can skip retraining.",
        "I have read that when you prune, weights are zero, so the file is smaller.",
        "a TPU is just a brand name for a GPU isn't it",
        "True or false: a LoRA adapter makes the base model smaller.",
        "Is it possible to do both: train the bot on our tone and let it look up prices?",
    ],
)
def test_forms_that_rules_know(query: str, real_search: Search) -> None:
    """Protects: a conclusion, a tag and a colon ask for Yes or No."""
    assert by_rule(query) and is_yes_no(query, real_search.embedder)


@pytest.mark.parametrize(
    "query",
    [
        "Explain how LoRA works, so I can decide whether it is for me.",
        "I want to know what RAG is, so it makes sense to me later.",
        "I want a smaller model, so I can run it on my phone.",
        "When is it still too early to let a model learn from its own attempts?",
        "We want it smaller, so that it is fast.",
    ],
)
def test_a_purpose_is_no_conclusion(query: str) -> None:
    """Protects: who says what an explanation is for wants the explanation."""
    assert not by_rule(query)


@pytest.mark.parametrize(
    "query",
    [
        "Can somebody describe the three pruning patterns with an everyday picture?",
        "Could you take one short sentence and explain how many tokens it becomes?",
        "Is there an analogy for multi-head attention that a 12-year-old would understand?",
        "Pruning: can I see one case of each?",
        "any comparison from everyday life for PPO, DPO and GRPO?",
    ],
)
def test_a_wish_in_the_form_of_a_question_gets_no_yes(query: str, real_search: Search) -> None:
    """Protects: whoever asks to be told something is told it, without a Yes before it."""
    assert not is_yes_no(query, real_search.embedder)


@pytest.mark.parametrize("query", ["Are more few-shot examples always better?", "Could you run LoRA on a CPU?"])
def test_questions_that_only_sound_like_a_wish(query: str, real_search: Search) -> None:
    """Protects: the words of a wish elsewhere in a question do not take its Yes or No."""
    assert is_yes_no(query, real_search.embedder)


@pytest.mark.parametrize(
    ("question", "claim"),
    [
        ("A colleague claims LoRA shrinks the model. Is he correct?", "A colleague claims LoRA shrinks the model?"),
        ("half of its weights get removed, did i get this right", "half of its weights get removed?"),
        ("I heard GRPO got rid of rewards. That's right, yes?", "I heard GRPO got rid of rewards?"),
        ("Our boss says pruning is free. Should I believe him?", "Our boss says pruning is free?"),
        ("Is that true?", "Is that true?"),
    ],
)
def test_what_is_to_be_confirmed_is_the_claim(question: str, claim: str) -> None:
    """Protects: the readers of Yes and No are shown the claim, not "Is he correct?"."""
    assert claim_of(question) == claim


@pytest.mark.parametrize(
    "question",
    [
        "Latency and throughput blur together in my head; pull them apart for me, would you?",
        "Could you summarise how multi-head, multi-query and grouped-query attention differ?",
        "can you outline what happens in prefill?",
    ],
)
def test_a_wish_in_a_question_s_form_gets_no_yes(question: str, real_search: Search) -> None:
    """Protects: "Yes." before an explanation, or worse "No.", answers what nobody asked."""
    assert not is_yes_no(question, real_search.embedder)


@pytest.mark.parametrize(
    ("query", "between"),
    [
        ("no i meant is it on-policy or off-policy", True),
        ("so is the temperature a parameter or a hyperparameter", True),
        ("Is it true that pruning or quantization changes weights?", False),
        ("is pruning the same as quantization or not?", False),
        ("so is DPO off-policy?", False),
    ],
)
def test_which_of_two_sides_gets_neither_yes_nor_no(query: str, between: bool, real_search: Search) -> None:
    """Protects: "Yes." to "is it on-policy or off-policy?"."""
    assert between_sides(query, real_search.mentions) is between
    if between:
        assert possible_openings(query, real_search.search(query).hits, real_search) == ()


@pytest.mark.parametrize(
    "query",
    [
        "so 12 - 4.9 = 7.1 GB, divided by 1 GB = 7 users with 8k each. did I calculate good?",
        "but before in the other chat 4 bit was faster, 32 vs 22. why 8 no and 4 yes?",
        'hm so your "yes" before was wrong?',
    ],
)
def test_a_sum_and_a_why_are_not_confirmed(query: str, real_search: Search) -> None:
    """Protects: no note settles what a learner reckoned or what the tutor said, and "why … yes?" asks for a reason."""
    assert not is_yes_no(query, real_search.embedder)


def test_what_asks_in_words_too_is_told() -> None:
    """Protects: a message that also asks how or why gets a Yes or No only where that is surer."""
    assert asks_in_words_too("Is it getting cut off, and how do I make it keep the name?")
    assert not asks_in_words_too("Is it getting cut off?")
