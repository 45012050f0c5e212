"""Claims told as what somebody says want a Yes or No; other messages that begin alike do not."""

from __future__ import annotations

import pytest

from knowledge.search import Search
from tutor.verdict.hearsay import is_hearsay
from tutor.verdict.polarity import claim_of, is_yes_no


@pytest.mark.parametrize(
    "message",
    [
        "Someone at work insists that pruning always makes a model faster.",
        "My coach says a model learns its facts at the very end, when people talk to it.",
        "Correct me if I'm mistaken, but a GPU is always cheaper.",
        "According to my boss, LoRA leaves us with a lighter model to ship.",
        "I've been told that perplexity is just the loss, run through an exponential.",
        "My take: a mixture of experts runs on any small graphics card.",
        "Tell me whether a base model follows instructions",
        "My professor claims that QLoRA trains in 4 bits. I doubt it.",
        "A friend says chatbots read letter by letter. Really?",
        "Heard that the KV cache holds the weights.",
        "Grouped-query attention with one group is multi-query attention, or so a slide said.",
        "A higher temperature rewrites the weights, says my flatmate. Does it?",
        "Claim to verify: training loss and perplexity always move together.",
        "Make a model big enough and it stops to hallucinate. Yes or no?",
        "Most people believe that experts are assigned to topics.",
        "True or not: the router learns together with the experts.",
        "True or not: what limits decode is the memory.",
        "True or false: however long it trains, a model never overfits?",
        "Right or wrong: QLoRA stores the base model in four bits.",
    ],
)
def test_a_claim_waits_for_yes_or_no(message: str, real_search: Search) -> None:
    """Protects: whoever repeats what others say hears whether it is so."""
    assert is_hearsay(message) and is_yes_no(message, real_search.embedder)


@pytest.mark.parametrize(
    "message",
    [
        "My teacher said ChatGPT hallucinates, what does that mean?",
        "Yes or no: which one is better?",
        "My teacher said ChatGPT hallucinates, when does that happen?",
        "Right or wrong, why does pruning help?",
        "My boss keeps saying we need a reasoning model; what is he talking about?",
        "My kid thinks a token equals a word. Correct her please.",
        "I read about 2:4 sparsity everywhere, why does nobody use it?",
        "Everybody says RLVR and GRPO in the same breath, how do those two relate?",
        "My model always repeats the last label. Explain why.",
        "A shop wants to save memory. Which should it take?",
        "I was told to look up pruning. Show me how it works.",
        "the difference between pruning and quantization",
        "with numbers please, say a token takes it 100 ms",
        "I was told to find out what pruning is",
        "My teacher told us to put on-policy and off-policy side by side",
        "I wonder if you could tell them apart",
        "Let me know if there is a picture of it",
        "I wonder whether pruning or quantization saves more memory.",
        "According to the notes, explain pruning.",
        "The chain of thought of a reasoning model",
        "The difference between hidden states and embeddings",
        "the difference between a model that thinks and one that does not",
        "My understanding of pruning is shaky",
        "my theory exam covers pruning",
        "Find me an image for RLVR, where only right or wrong counts",
        "an example against the claim that post-training costs next to nothing",
    ],
)
def test_other_wishes_stay_what_they_are(message: str) -> None:
    """Protects: a story that begins with what somebody said, and then asks for words."""
    assert not is_hearsay(message)


@pytest.mark.parametrize(
    "run", ["the " + "-" * 500, "my " + "'" * 500, "a " + "- " * 250, "the " + "a-" * 250, "the " + "word " * 100]
)
def test_no_run_of_signs_takes_long(run: str) -> None:
    """Protects: the server, which one message could keep busy while an expression tries to split it in every way."""
    assert not is_hearsay(run)


def test_the_claim_is_read_without_what_asks_for_a_verdict() -> None:
    """Protects: readers of question and sentence get "the router is learned?", as they were taught."""
    assert claim_of("True or not: the router is learned.") == "the router is learned?"
    assert claim_of("True or false: is LoRA small?") == "is LoRA small?"
