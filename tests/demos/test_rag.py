from __future__ import annotations

import copy
import math
import re
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from demos import find_demo
from demos import notes_search as search
from demos.base import Lab, Progress, Specimen
from demos.batch_answers import answer_all
from demos.measure import Span
from demos.rag import ANSWER_TOKENS, INSTRUCTION, QUESTIONS
from demos.rag_words import ALL, MORE, SAME, admits, outcome, summary_of
from knowledge.concept_files import load_knowledge
from tests.demos.conftest import returned, run_to_end
from tutor.errors import DemoError
from tutor.intent import route

RAG = find_demo("rag")
FACTS = search.load_facts()


def test_each_note_alone_holds_its_answer() -> None:
    """The expected words stand in the right note and in no other, and no question gives its answer away."""
    assert len(FACTS) == 24 and len({fact.question for fact in FACTS}) == 24
    for fact in FACTS:
        assert fact.answered_by(fact.note) and not fact.answered_by(fact.question), fact
        assert [other.note for other in FACTS if fact.answered_by(other.note)] == [fact.note]


@pytest.mark.parametrize(
    ("answer", "text", "right"),
    [
        ("14", "An adult may take 14 books.", True),
        ("14", "It opens at 10:14, costs 140 or 3.14.", False),
        ("10:40", "It opens at 10:40am.", True),
        ("1.3", "It holds 1.3 litres.", True),
        ("1.3", "It holds 11.3 or 1.35 litres.", False),
        ("38", "A 38-month warranty.", True),
        ("8", "8:00 sharp", False),
        ("8", "Hold it for 8.", True),
        ("rinse", "The filter must be Rinsed.", True),
    ],
)
def test_an_answer_is_right_by_its_words(answer: str, text: str, right: bool) -> None:
    """A number within another one is no answer; case and endings don't matter."""
    assert search.Fact("", "", answer).answered_by(text) is right


def test_bm25_ranks_as_its_formula_does() -> None:
    """Okapi BM25 written out (k1 1.5, b 0.75, Lucene's idf) puts the same note first."""
    bags = [re.findall(r"\w+", fact.note.lower()) for fact in FACTS]
    mean = sum(map(len, bags)) / len(bags)
    ours = search.rank_by_words([fact.note for fact in FACTS], [fact.question for fact in FACTS])
    for fact, order in zip(FACTS, ours, strict=True):
        scores = []
        for bag in bags:
            counts, total = Counter(bag), 0.0
            for word in re.findall(r"\w+", fact.question.lower()):
                having = sum(word in other for other in bags)
                idf = math.log(1 + (len(bags) - having + 0.5) / (having + 0.5))
                total += idf * counts[word] / (counts[word] + 1.5 * (0.25 + 0.75 * len(bag) / mean))
            scores.append(total)
        assert scores[order[0]] == pytest.approx(max(scores), abs=1e-4)
        assert sorted(order) == list(range(len(FACTS)))


def test_embeddings_are_means_of_texts_read_alone(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Padding changes nothing, and the nearest note is the one with the largest cosine."""
    texts = [fact.note for fact in FACTS[:8]]
    specimen = Specimen(tiny_llama, tokenizer)
    ours = returned(search.embed(specimen, texts, Span(0, 1), ""))
    for vector, text in zip(ours, texts, strict=True):
        with torch.no_grad():
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            theirs = tiny_llama(input_ids=ids, output_hidden_states=True).hidden_states[-1][0].mean(0)
        assert torch.allclose(vector, theirs, atol=1e-4)
    order = search.rank_by_embedding(ours, ours[:2] + 0.01 * ours[2:4])
    similar = torch.nn.functional.cosine_similarity(ours[0] + 0.01 * ours[2], ours, dim=-1)
    assert order[0] == similar.argsort(descending=True).tolist() and order[1][0] == 1


def test_reading_together_is_the_likelihood_of_the_question(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Transformers' own loss on the question's tokens, one pair at a time, gives the same scores."""
    notes, question = [fact.note for fact in FACTS[:3]], FACTS[1].question
    ours = search.score_together(Specimen(tiny_llama, tokenizer), notes, question)
    for score, note in zip(ours, notes, strict=True):
        before, asked = (tokenizer(text)["input_ids"] for text in (f"{note}\nQuestion:", f" {question}"))
        ids = torch.tensor([before + asked])
        labels = torch.tensor([[-100] * len(before) + asked])
        with torch.no_grad():
            loss = float(tiny_llama(input_ids=ids, labels=labels).loss)
        assert score == pytest.approx(-loss, abs=1e-4)


def test_answers_in_a_batch_are_those_of_generate(tiny_llama: LlamaForCausalLM) -> None:
    """Prompts of different lengths, padded and read in parts, go on as each does alone; the end token ends one."""
    prompts = [[5 + i, 6, 7, *range(20, 20 + 9 * i)] for i in range(6)]
    alone = [
        tiny_llama.generate(
            torch.tensor([prompt]), do_sample=False, max_new_tokens=8, eos_token_id=None, pad_token_id=0
        )[0, len(prompt) :].tolist()
        for prompt in prompts
    ]
    assert returned(answer_all(tiny_llama, prompts, 8, None, Span(0, 1), "")) == alone
    end = alone[2][3]
    ended = returned(answer_all(tiny_llama, prompts, 8, end, Span(0, 1), ""))
    assert ended == [answer[: answer.index(end)] if end in answer else answer for answer in alone]


def test_the_real_model_finds_notes_and_reads_them(
    published_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """The search and the prompts work with the embedded model: the right note comes first, and is read."""
    specimen = Specimen(published_model, tokenizer)
    asked = [FACTS[i] for i in (6, 11, 18)]
    found = returned(search.find_notes(specimen, [f.note for f in FACTS], [f.question for f in asked], Span(0, 1)))
    assert sum(order[0] == i for order, i in zip(found.together, (6, 11, 18), strict=True)) >= 2
    text = tokenizer.apply_chat_template(
        [
            {"role": "system", "content": f"{INSTRUCTION} {asked[2].note}"},
            {"role": "user", "content": asked[2].question},
        ],
        tokenize=False,
        add_generation_prompt=True,
    )
    (answer,) = returned(answer_all(published_model, [tokenizer(text)["input_ids"]], ANSWER_TOKENS, 2, Span(0, 1), ""))
    assert asked[2].answered_by(tokenizer.decode(answer))


def test_a_run_is_complete_repeats_and_leaves_the_specimen_alone(
    tiny_llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Progress rises to a result with picture; the seed draws the questions; prompts differ by the notes alone."""
    given = Specimen(copy.deepcopy(tiny_llama), tokenizer)
    progress, result = run_to_end(RAG, Lab(lambda: given, seed=3), notes=3)
    fractions = [step.fraction for step in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert result.figure is not None and result.figure.startswith(b"\x89PNG")
    metrics = result.metrics
    assert metrics["questions"] == QUESTIONS and metrics["notes_given"] == 3
    assert metrics["first_together"] <= metrics["hits"] <= metrics["candidates_hit"] <= QUESTIONS
    assert metrics["right_after_hit"] <= metrics["retrieved_right"] and metrics["wrong_right"] == 0
    assert metrics["none_prompt_tokens"] < metrics["wrong_prompt_tokens"] < metrics["retrieved_prompt_tokens"]
    text = next(iter(result.exhibits.values()))
    question = re.search(r"Question: (.*)", text)
    assert question is not None and question[1] in {fact.question for fact in FACTS}
    assert text.count("note: ") == 4 and text.count("answer: ") == 3
    again = run_to_end(RAG, Lab(lambda: given, seed=3), notes=3)[1]
    first, second = ({k: v for k, v in r.metrics.items() if not k.endswith("_s")} for r in (result, again))
    assert first == second and again.exhibits == result.exhibits
    for name, parameter in given.model.named_parameters():
        assert torch.equal(parameter, tiny_llama.get_parameter(name)), name


def test_closing_early_stops(tiny_lab: Callable[..., Lab]) -> None:
    """A learner who leaves costs nothing more, and inference mode doesn't leak out of a suspended run."""
    steps = RAG.run(tiny_lab(), RAG.settings({}))
    for _ in range(24):
        assert isinstance(next(steps), Progress) and not torch.is_inference_mode_enabled()
    steps.close()  # type: ignore[attr-defined]
    assert list(steps) == []


def hand_made(**changed: float) -> dict[str, float]:
    """Metrics of a run of 12 questions with two notes each."""
    return {
        "questions": 12,
        "notes": 24,
        "notes_given": 2,
        "hits": 11,
        "first_words": 6,
        "first_embedding": 9,
        "first_together": 10,
        "search_s": 0.03,
        "rerank_s": 0.3,
        "none_right": 0,
        "none_admitted": 0,
        "retrieved_right": 7,
        "right_after_hit": 7,
        "gained": 7,
        "lost": 0,
        "wrong_right": 0,
        "wrong_repeated": 2,
        "none_prompt_tokens": 32,
        "retrieved_prompt_tokens": 64,
        **changed,
    }


@pytest.mark.parametrize(
    ("metrics", "choice", "said"),
    [
        (hand_made(), MORE, ("more than chance", "made up 12 answers", "answered 7 of these 11 right", "do not end")),
        (
            hand_made(retrieved_right=12, right_after_hit=11, gained=12),
            ALL,
            ("answered 11 of these 11 right.", "more exact"),
        ),
        (hand_made(retrieved_right=0, right_after_hit=0, gained=0), SAME, ("does not prove that reading helps",)),
        (hand_made(retrieved_right=3, right_after_hit=3, gained=3), MORE, ("does not prove that reading helps",)),
        (hand_made(none_right=8, retrieved_right=1, gained=0, lost=7), SAME, ("the notes hurt", "made up 4 answers")),
        (hand_made(none_admitted=1, first_together=9), MORE, ("said in 1 answer that it did not", "no more exact")),
        (hand_made(notes_given=1), MORE, ("with the one note that", "300 instead of 30 ms")),
    ],
)
def test_the_prediction_and_the_summary_follow_the_metrics(
    metrics: dict[str, float], choice: str, said: tuple[str, ...]
) -> None:
    """A run that did not show the expected effect says so."""
    prediction = RAG.prediction
    assert prediction is not None and choice in prediction.choices
    assert prediction.outcome(metrics) == outcome(metrics) == choice
    text = summary_of(metrics)
    assert all(words in text for words in said), text
    assert ("do not end" in text) == (metrics["right_after_hit"] < metrics["hits"])


def test_gaps_are_passages_that_exist() -> None:
    """A wrong prediction leads to the passage on the thought behind it."""
    prediction = RAG.prediction
    assert prediction is not None and set(prediction.gaps) <= set(prediction.choices)
    passages = {passage.id: passage for passage in load_knowledge().passages}
    assert "stops a model from making things up" in passages[prediction.gaps[ALL]].claim
    assert "teach a model new facts" in passages[prediction.gaps[SAME]].claim


@pytest.mark.parametrize(
    ("answer", "admitted"),
    [
        ("I don't know.", True),
        ("I'm sorry, but I cannot find that.", True),
        ("The price is not mentioned in the notes.", True),
        ("The ferry takes 2 hours.", False),
        ("You need not pay.", False),
    ],
)
def test_what_counts_as_not_knowing(answer: str, admitted: bool) -> None:
    """Only an answer that says so is counted as honest."""
    assert admits(answer) is admitted


@pytest.mark.parametrize(
    ("said", "notes"),
    [
        ("show me RAG with 3 notes", 3),
        ("show me retrieval with four retrieved notes", 4),
        ("run the rag experiment", 2),
        ("show me a cross-encoder live", 2),
        ("show me hallucination with 1 note", 1),
    ],
)
def test_learners_words_reach_the_settings(said: str, notes: int) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), (RAG,)).demo
    assert call is not None and call.name == "rag" and call.params["notes"] == notes


@pytest.mark.parametrize("notes", [0, 5])
def test_numbers_of_notes_out_of_range_are_refused(notes: int) -> None:
    """Without notes is always measured, and the embeddings pick four."""
    with pytest.raises(DemoError, match="give"):
        RAG.settings({"notes": notes})
