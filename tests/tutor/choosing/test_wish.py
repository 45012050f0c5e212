"""Which questions want a difference, or a picture, and nothing more."""

from __future__ import annotations

import pytest

from knowledge.search import Search
from tutor.choosing.wish import wish_of


@pytest.mark.parametrize(
    "question",
    [
        "What is the difference between pruning and quantization?",
        "prefill vs decode",
        "i keep mixing up PPO, DPO and GRPO. how do they differ?",
        "my landlord asked what sets open weights apart from open source AI",
        "everyone here says 'agents' but my boss calls our thing a workflow, how do those two differ?",
        "latency vs throughput in simple words pls",
        "What sets a CPU, a GPU and a TPU apart when it comes to AI?",
        "Pruning or quantization: what's the difference?",
        "compare mqa with gqa please",
    ],
)
def test_a_difference_and_nothing_more(real_search: Search, question: str) -> None:
    """Protects: who asks for the difference hears all that tells the sides apart."""
    assert wish_of(question, real_search) == "contrast"


@pytest.mark.parametrize(
    "question",
    [
        "eli5 perplexity and benchmarks",
        "how'd you explain LoRA and QLoRA to a child?",
        "On-policy and off-policy as if I were five, please.",
        "Tokens, words, embeddings. Explain it so that a ten-year-old gets it.",
        "give me an everyday comparison for cpu, gpu and tpu",
        "Explain to my father, a retired baker, how pruning differs from quantization.",
        "I'd love a comparison from ordinary life for post-training.",
    ],
)
def test_a_picture_and_nothing_more(real_search: Search, question: str) -> None:
    """Protects: who wants it told to a child hears the whole picture."""
    assert wish_of(question, real_search) == "analogy"


@pytest.mark.parametrize(
    "question",
    [
        "What is pruning?",
        "In terms of memory, how do LoRA and QLoRA differ?",
        "LoRA or QLoRA: and on costs, how do they differ?",
        "Memory is tight on our server. How do LoRA and QLoRA compare there?",
        "What is the difference between an agent and a workflow? One or two lines is enough.",
        "How much faster is 2:4 pruning compared with unstructured pruning?",
        "What differs between pruning and quantization, and which is faster?",
        "so you always need two different models for it?",
        "How do dense models and MoEs differ in how many of their weights they use for a token?",
        "never heard of mid-training. what is it?",
        "If I have 8 GB, what is the difference between LoRA and QLoRA?",
    ],
)
def test_a_narrower_question_is_none(real_search: Search, question: str) -> None:
    """Protects: a question about speed, cost or reasons gets the sentence that answers it, not four."""
    assert wish_of(question, real_search) is None


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("What do learners usually get wrong about LoRA?", True),
        ("so where do most people go wrong with quantization", True),
        ("common misconceptions about RAG?", True),
        ("what do people wrongly believe about a mixture of experts", True),
        ("thanks! what do journalists usually get wrong about tokens?", True),
        ("Tokens: : what do people get wrong about tokens and words?", True),
        ("Is it a common misconception that pruning shrinks the file?", False),
        ("did larger models fall for popular errors more often in a 2021 test?", False),
        ("We cut 40 percent of the weights and accuracy fell off a cliff. Where did we go wrong?", False),
    ],
)
def test_what_others_get_wrong_is_a_wish_of_its_own(query: str, wanted: bool, real_search: Search) -> None:
    """Protects: whoever asks for misconceptions hears them, and no definition; whoever asks about one gets its answer."""
    assert (wish_of(query, real_search) == "misconception") is wanted


def test_who_wants_something_confirmed_gets_no_contrast(real_search: Search) -> None:
    """Protects: "…, right?" is answered whether, not by all that tells the two apart."""
    assert wish_of("Pruning: pruning is kinda useless compared to quantization, right?", real_search) is None
