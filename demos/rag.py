"""Retrieval-augmented generation: the same questions without notes, with notes that a search found, and with a wrong note.

The notes are made up (demos/texts/rag.jsonl), so no model can know them. The search takes two stages: embeddings pick four
notes (bi-encoder), and reading each with the question puts them in order (cross-encoder); see demos/notes_search.py. The
system message holds the notes, the best one last. Nothing is trained (Lewis et al. 2020, arXiv:2005.11401).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demos import notes_search as search
from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress, Table
from demos.batch_answers import answer_all
from demos.measure import Span
from demos.rag_charts import rag_chart
from demos.rag_words import ALL, CONDITIONS, MORE, SAME, admits, exhibits_of, outcome, summary_of
from demos.shots import wilson_interval

QUESTIONS = 12  # drawn by the seed
ANSWER_TOKENS = 18
INSTRUCTION = "Answer in one short sentence."


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    from tutor.engines.base import Message
    from tutor.engines.tokens import encode_chat

    count = int(settings["notes"])
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    end = int(specimen.tokenizer.eos_token_id)
    facts = search.load_facts()
    notes = [fact.note for fact in facts]
    own = sorted(random.Random(lab.seed).sample(range(len(facts)), QUESTIONS))
    asked = [facts[i] for i in own]
    questions = [fact.question for fact in asked]

    found = yield from search.find_notes(specimen, notes, questions, Span(0.1, 0.4))
    # The same questions in three prompts. The wrong note is the one that the search would confuse with the right one.
    wrong = [next(j for j in order if j != right) for order, right in zip(found.together, own, strict=True)]
    given: dict[str, list[list[int]]] = {
        "none": [[] for _ in own],
        "retrieved": [order[:count][::-1] for order in found.together],
        "wrong": [[j] for j in wrong],
    }
    answers, correct = dict[str, list[str]](), dict[str, list[bool]]()
    metrics: dict[str, float] = {
        "questions": QUESTIONS,
        "notes": len(notes),
        "notes_given": count,
        "hits": sum(right in chosen for right, chosen in zip(own, given["retrieved"], strict=True)),
        "first_words": _first(own, found.words),
        "first_embedding": _first(own, found.embedding),
        "first_together": _first(own, found.together),
        "candidates_hit": sum(right in order for right, order in zip(own, found.together, strict=True)),
        "search_s": found.search_s,
        "rerank_s": found.rerank_s,
    }
    spans = Span(0.4, 0.97).split(2, 3, 2.5)
    for (name, label), span in zip(CONDITIONS.items(), spans, strict=True):
        prompts = [
            encode_chat(
                specimen.tokenizer,
                [Message("system", " ".join([INSTRUCTION, *(notes[j] for j in chosen)])), Message("user", question)],
            )
            for chosen, question in zip(given[name], questions, strict=True)
        ]
        began = time.perf_counter()
        tokens = yield from answer_all(specimen.model, prompts, ANSWER_TOKENS, end, span, label)
        took = time.perf_counter() - began
        answers[name] = [str(specimen.tokenizer.decode(answer, skip_special_tokens=True)).strip() for answer in tokens]
        correct[name] = [fact.answered_by(text) for fact, text in zip(asked, answers[name], strict=True)]
        low, high = wilson_interval(sum(correct[name]), QUESTIONS)
        metrics |= {
            f"{name}_right": sum(correct[name]),
            f"{name}_low": low,
            f"{name}_high": high,
            f"{name}_admitted": sum(map(admits, answers[name])),
            f"{name}_prompt_tokens": sum(map(len, prompts)) / QUESTIONS,
            f"{name}_s": took / QUESTIONS,
        }
    yield Progress(0.97, "Drawing")
    both = list(zip(correct["none"], correct["retrieved"], strict=True))
    metrics |= {"gained": both.count((False, True)), "lost": both.count((True, False))}
    read = zip(own, given["retrieved"], correct["retrieved"], strict=True)
    metrics["right_after_hit"] = sum(i in some and good for i, some, good in read)
    metrics["wrong_repeated"] = sum(facts[j].answered_by(text) for j, text in zip(wrong, answers["wrong"], strict=True))
    yield DemoResult(
        summary=summary_of(metrics),
        table=Table(
            ("Prompt", "Right", "95 % interval (%)", "“I don't know”", "Prompt (tokens)", "Time (s a question)"),
            tuple(_row(name, metrics) for name in CONDITIONS),
        ),
        metrics=metrics,
        figure=rag_chart(metrics),
        figure_alt=f"Right answers of {QUESTIONS}: "
        + ", ".join(f"{label} {metrics[f'{name}_right']:.0f}" for name, label in CONDITIONS.items())
        + f". Right note first for {QUESTIONS} questions: shared words (BM25) {metrics['first_words']:.0f}, embeddings "
        f"{metrics['first_embedding']:.0f}, read together {metrics['first_together']:.0f}.",
        exhibits=exhibits_of(facts, own, given, answers),
    )


def _first(own: Sequence[int], orders: Sequence[Sequence[int]]) -> int:
    """For how many questions the right note comes first."""
    return sum(order[0] == right for right, order in zip(own, orders, strict=True))


def _row(name: str, metrics: Mapping[str, float]) -> tuple[str, ...]:
    return (
        CONDITIONS[name],
        f"{metrics[f'{name}_right']:.0f} of {QUESTIONS}",
        f"{100 * metrics[f'{name}_low']:.0f}–{100 * metrics[f'{name}_high']:.0f}",
        f"{metrics[f'{name}_admitted']:.0f}",
        f"{metrics[f'{name}_prompt_tokens']:.0f}",
        f"{metrics[f'{name}_s']:.2f}",
    )


RAG = Demo(
    name="rag",
    title="The same questions with and without notes (RAG)",
    concepts=("rag-vs-fine-tuning", "bi-encoder-vs-cross-encoder", "hallucination-vs-outdated-knowledge"),
    params=(
        Param(
            "notes",
            2,
            "how many retrieved notes go into the prompt",
            1,
            search.CANDIDATES,
            spoken=(
                r"\b(\d+|one|two|three|four|five|six) (?:\w+ )?(?:notes?|passages?)\b",
                r"\bnotes *= *(\d+)|\b(?:notes|passages), (?:just |only )?(\d+) of them\b",
                r"\btop (\d)\b",
                (r"\b(?:single|only the best) (?:note|passage)\b", 1),
            ),
            loose=(
                (r"\b(?:one|a) (?:\w+[- ]){0,3}?(?:note|passage|slip|snippet)\b(?! of paper)", 1),
                r"(?<![\w.-])([1-4])(?![\w%]|\.\d)(?! ?(?:questions?|times|percent|bits?|students?|pupils|kids|people|seconds?|minutes?|of)\b)",
                (
                    r"\b(?:just|only|than) (?:the )?one\b|\bone (?:of them|each|at a time)\b|\b(?:a|one) (?:lone|lonely|solitary)\b",
                    1,
                ),
            ),
        ),
    ),
    run=run,
    words=r"\brag\b|\bretriev\w*|\bretrieval[- ]augmented\w*|\bwith(?:out)? (?:\w+ )?notes?\b|\bre-?rank\w*|"
    r"\blook\w* (?:things?|something|facts?|it|stuff) up\b|\b(?:bi|cross)[- ]?encoders?\b|\bhallucinat\w*|\bmade[- ]up (?:facts?|notes?|answers?)\b",
    prediction=Prediction(
        question="The model gets the notes that a search found for each question. How many questions will it answer right?",
        choices=(ALL, MORE, SAME),
        outcome=outcome,
        gaps={
            ALL: "rag-vs-fine-tuning#rag-does-not-end-hallucinations",
            SAME: "rag-vs-fine-tuning#fine-tuning-is-a-weak-way-to-add-facts",
        },
    ),
    because={"quality": ("rag-vs-fine-tuning#rag-does-not-end-hallucinations", 1)},
    say="show me RAG live",
)
