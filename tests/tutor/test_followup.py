"""Follow-ups are made standalone by rule, and only where they lean on what came before."""

from __future__ import annotations

import pytest

from knowledge.search import Search
from tutor.events import Exchange
from tutor.followup import Standalone, make_standalone, topic_of

PRUNING = (Exchange("What is pruning?", "Pruning removes weights [1]."),)
BOTH = (Exchange("What is the difference between pruning and quantization?", "Pruning removes weights [1]."),)


@pytest.fixture(scope="module")
def shipped(real_search: Search) -> Search:
    """The shipped notes: what they hold for a question tells whether it stands by itself."""
    return real_search


def resolve(search: Search, question: str, history: tuple[Exchange, ...]) -> Standalone:
    """The standalone question."""
    return make_standalone(question, history, search)


@pytest.mark.parametrize(
    "question",
    [
        "How much memory does QLoRA need?",
        "What is LoRA?",
        "Who won the world cup?",
        "Why does my chatbot forget what I told it last week?",
        pytest.param(
            "and when should I prune my apple tree?",
            marks=pytest.mark.xfail(strict=True, reason="read as going on about pruning since December 2026"),
        ),
        "ok. what does the router in a mixture of experts do?",
    ],
)
def test_what_stands_by_itself_is_left_alone(shipped: Search, question: str) -> None:
    """A full question is searched as it was typed, whatever was said before."""
    for history in ((), BOTH):
        found = resolve(shipped, question, history)
        assert found.query == question and not found.rewritten


@pytest.mark.parametrize(
    "question", ["why?", "and which one is faster?", "give me an example", "how does it work?", "🙂", ""]
)
def test_without_history_nothing_is_invented(shipped: Search, question: str) -> None:
    """There is nothing to fill in from, so nothing is filled in."""
    found = resolve(shipped, question, ())
    assert found.query == question and not found.rewritten and found.topic is None


@pytest.mark.parametrize(
    ("question", "history", "names"),
    [
        ("how does it work?", PRUNING, {"pruning"}),
        ("and quantization?", PRUNING, {"quantization"}),
        ("what about quantization?", PRUNING, {"quantization"}),
        ("And how is it with quantization?", PRUNING, {"quantization"}),
        ("sounds great, what are the downsides?", PRUNING, {"pruning"}),
        ("give me an example", PRUNING, {"pruning"}),
        ("and which one is faster?", BOTH, {"pruning", "quantization"}),
        ("why?", BOTH, {"pruning", "quantization"}),
        ("explain it like I'm five", BOTH, {"pruning", "quantization"}),
        ("does that hurt the answers much?", PRUNING, {"pruning"}),
        ("has anybody actually measured that?", PRUNING, {"pruning"}),
        ("ufff. and quantization?", PRUNING, {"quantization"}),
    ],
)
def test_ellipses_name_what_they_mean(
    shipped: Search, question: str, history: tuple[Exchange, ...], names: set[str]
) -> None:
    """A follow-up comes out naming the sides in play, as searchable as a full question."""
    found = resolve(shipped, question, history)
    assert found.rewritten and set(shipped.mentions.sides(found.query)) == names
    assert found.topic is not None and found.topic.concept.id == "pruning-vs-quantization"


def test_a_whole_question_is_not_taken_for_a_name(shipped: Search) -> None:
    """Protects: "and is DPO …?" keeps what it asks of DPO."""
    history = (Exchange("is ppo on-policy?", "GRPO and PPO are on-policy methods [1]."),)
    assert "DPO" in resolve(shipped, "and is DPO on-policy too?", history).query
    for question in ("and DPO, is that on-policy as well?", "and what about DPO - is it on-policy?"):
        found = resolve(shipped, question, history).query
        assert "DPO" in found and "on-policy" in found


@pytest.mark.parametrize("question", ["and quantization, does it too?", "and with quantization, how so?"])
def test_a_tail_that_asks_nothing_of_its_own_is_none(shipped: Search, question: str) -> None:
    """Protects: such a question asks the last one again, of another side."""
    history = (Exchange("Does pruning need retraining?", "Pruning removes weights [1]."),)
    assert resolve(shipped, question, history).query == "Does quantization need retraining?"


def test_the_last_topic_is_meant(shipped: Search) -> None:
    """After a change of subject "it" is the new subject."""
    history = (*BOTH, Exchange("What is prefill?", "Prefill reads the prompt [1]."))
    found = resolve(shipped, "how does it work?", history)
    assert "prefill" in found.query.lower() and "pruning" not in found.query.lower()


def test_a_chain_of_follow_ups_holds(shipped: Search) -> None:
    """A follow-up to a follow-up is resolved by replaying what came before."""
    history = (*PRUNING, Exchange("and quantization?", "Quantization rounds [1]."))
    assert shipped.mentions.sides(resolve(shipped, "how does it work?", history).query) == ["quantization"]


def test_the_same_history_gives_the_same_rewrite(shipped: Search) -> None:
    """Nothing is remembered between calls: other learners' histories in between change nothing."""
    first = resolve(shipped, "why?", BOTH)
    resolve(shipped, "why?", (Exchange("What is LoRA?", "x"),))
    assert resolve(shipped, "why?", BOTH) == first


@pytest.mark.parametrize(
    "text", ["", "\x00", "🙂" * 500, "<b>it</b>", "<|im_start|>", "it " * 700, "((((", "\\1", "and " * 500, " " * 2000]
)
def test_any_text_is_survived(shipped: Search, text: str) -> None:
    """Whatever is typed, or was typed before, gives a query."""
    for question, history in ((text, BOTH), ("why?", (*BOTH, Exchange(text, text)))):
        assert isinstance(resolve(shipped, question, history).query, str)


@pytest.mark.parametrize("question", ["and the other one?", "ok and the other half?"])
def test_the_other_one_is_a_side_not_named(shipped: Search, question: str) -> None:
    """ "The other one" means a side of the set that was not in play."""
    history = (Exchange("What is PTQ?", "PTQ rounds a finished model [1]."),)
    found = resolve(shipped, question, history)
    assert found.rewritten and shipped.mentions.sides(found.query) == ["qat"]


@pytest.mark.parametrize(
    ("earlier", "question", "query"),
    [
        ("What is an encoder-only model?", "and a decoder-only one?", "What is a decoder-only model?"),
        ("What is a base model?", "and an instruct model?", "What is an instruct model?"),
    ],
)
def test_an_exchanged_name_reads_well(shipped: Search, earlier: str, question: str, query: str) -> None:
    """The learner sees the rewrite: its article fits, and no noun stands twice."""
    assert resolve(shipped, question, (Exchange(earlier, ""),)).query == query


def test_what_the_last_answer_told_is_known(shipped: Search) -> None:
    """A follow-up is not answered with what was just said; a question that stands by itself may be."""
    passage = next(p for p in shipped.knowledge.passages if p.concept == "pruning-vs-quantization")
    history = (Exchange("What is pruning?", f"{passage.sentences[0][:-1]} [1]. {passage.sentences[1]} [1]"),)
    found = resolve(shipped, "why?", history)
    assert found.said == {(passage.id, 0), (passage.id, 1)} and found.concept == passage.concept
    alone = resolve(shipped, "What is LoRA?", history)
    assert not alone.said and alone.concept is None


def test_of_an_answer_from_two_sets_the_first_is_the_topic(shipped: Search) -> None:
    """Protects: the same history gives the same rewrite in every process, however it hashes."""
    first, second = (
        next(p for p in shipped.knowledge.passages if p.concept == name).sentences[0]
        for name in ("ptq-vs-qat", "rag-vs-fine-tuning")
    )
    for one, other, concept in ((first, second, "ptq-vs-qat"), (second, first, "rag-vs-fine-tuning")):
        topic = topic_of((Exchange("what now?", f"{one[:-1]} [1]. {other[:-1]} [2]."),), shipped)
        assert topic is not None and topic.concept.id == concept


def test_misspelt_words_are_put_right_and_that_is_told(shipped: Search) -> None:
    """Protects: the learner sees what was understood, and what was spelt right is searched as it was typed."""
    found = resolve(shipped, "wat is quantizaton?", ())
    assert found.query == "what is quantization?" and found.respelt and not found.rewritten
    assert not resolve(shipped, "What is quantization?", ()).respelt


def test_a_follow_up_is_read_with_what_came_before(shipped: Search) -> None:
    """Protects: what is searched is what was meant; a question of its own stays where it lies."""
    followed = resolve(shipped, "and which one is faster?", BOTH)
    assert followed.vector is not None and followed.vector.shape == (384,)
    prefill = (Exchange("What is prefill?", "Prefill reads the prompt [1]."),)
    behind_another = resolve(shipped, "and which one is faster?", prefill)
    assert behind_another.vector is not None and followed.vector @ behind_another.vector < 0.9
    alone = resolve(shipped, "What is LoRA?", BOTH)
    own = shipped.tuned.embed(["What is LoRA?"])[0]
    assert alone.vector is not None and not alone.rewritten and own @ alone.vector > 0.7
    assert alone.context.endswith("Question: What is LoRA?") and alone.context.startswith("What is the difference")
    assert resolve(shipped, "and which one is faster?", ()).vector is None


@pytest.mark.parametrize(
    ("question", "answered", "query"),
    [
        ("why is the second one so coarse?", "Pruning removes weights [1].", "Quantization: why is it so coarse?"),
        (
            "what is the first kind used for?",
            "Quantization rounds, pruning cuts [1].",
            "Quantization: what is it used for?",
        ),
    ],
)
def test_a_place_means_the_side_read_last_in_that_place(
    shipped: Search, question: str, answered: str, query: str
) -> None:
    """Protects: "the second one" is that of the answer just read, or of the question where the answer names one side only."""
    assert resolve(shipped, question, (Exchange(BOTH[0].user, answered),)).query == query


def test_many_sides_are_named_as_people_list_them(shipped: Search) -> None:
    """Protects: what the learner reads as understood is a list with commas, not a row of "or"."""
    exchange = Exchange("What are pretraining, mid-training and post-training?", "Pretraining comes first [1].")
    found = resolve(shipped, "which one costs most?", (exchange,))
    assert found.query.startswith("Pretraining, mid-training or post-training: ")
