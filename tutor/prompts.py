"""Every text that the tutor says or sends to a model by itself, each with a line on why it is so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from demos.base import Demo
from knowledge.passages import Concept, Knowledge
from knowledge.search import Hit
from tutor.engines.base import Message
from tutor.experiments.runs import mark_of

# In the words that the embedded model was trained with. It writes no citations: they come with the sentences it chooses.
CHOOSE = (
    "You are a tutor. Answer the question with sentences from the notes, only what was asked. "
    "If the notes do not answer the question, say so."
)

# For models that write freely; the check of each sentence (tutor/grounding.py) does not rely on its being obeyed.
WRITE = (
    "You are a tutor. Answer the question with sentences from the notes, only what was asked, and cite each note. "
    "If the notes do not answer the question, say so."
)

# What the model says when the notes lack the answer; the learner reads `not_covered` instead.
NO_ANSWER = "The notes do not answer this."

_NEAR = 0.6  # cosine from which a set is worth naming as the nearest


def choice_prompt(query: str, hits: Sequence[Hit]) -> list[Message]:
    """For the embedded model. Notes are handed over one by one and without numbers, so each reads alike in every prompt."""
    notes = tuple(f"- {hit.passage.text}\n" for hit in hits)
    return [Message("system", CHOOSE), Message("user", f"\nQuestion: {query}", notes)]


def written_prompt(query: str, hits: Sequence[Hit]) -> list[Message]:
    """For models that write. Notes first and question last: questions on the same notes share all tokens but their own."""
    notes = "\n".join(f"[{mark_of(n, hit)}] {hit.passage.text}" for n, hit in enumerate(hits, 1))
    return [Message("system", WRITE), Message("user", f"Notes:\n{notes}\n\nQuestion: {query}")]


def not_covered(knowledge: Knowledge, near: Sequence[Hit]) -> str:
    """Says that the notes do not cover a question and what is nearest; composed of titles, never generated."""
    titles = list(dict.fromkeys(knowledge.by_id[hit.passage.concept].title for hit in near if hit.score >= _NEAR))[:3]
    what = f"The nearest that they do cover: {_listed(titles)}." if titles else _some(knowledge)
    return f"My notes do not cover that, so I would only be guessing. {what} Ask me about one of these, or pick another set."


def taken_back(word: str) -> str:
    """Before the answer to a learner who doubts a Yes or No, which is no sentence of the notes."""
    return f"My “{word}” was my own reading and may be wrong; only the sentences are the notes'."


def stood_by(word: str) -> str:
    """The same where the notes hold the word for that very question."""
    return f"“{word}” is what the notes hold for that question."


def refusal(reason: str, longest: int) -> str:
    """Why a text is not taken as a question, and what to do."""
    return {
        "empty": "I found no question in that. Type one in words, or click one of the sets.",
        "long": f"That is longer than I can read at once. Ask in at most {longest:,} characters.",
        "injection": "I only explain LLM concepts from my notes, so I cannot follow other instructions. Ask me about one of the sets.",
    }[reason]


def smalltalk(kind: str, knowledge: Knowledge, model: str) -> str:
    """Replies that need no notes."""
    count = len(knowledge.concepts)
    return {
        "hello": f"Hello! I explain {count} sets of LLM concepts that people mix up. Click one, or ask in your own words.",
        "thanks": "You are welcome. Ask on, or let me quiz you on what we talked about.",
        "complaint": "I am sorry that this did not help. Ask again in other words, name the set that you mean, or say “quiz me” and we see where it gets lost.",
        "form": "I answer with whole sentences of my notes, one or two mostly, each with its source, so I cannot change how they are worded. Put what you want into the question: “explain it like I'm five”, “with numbers”, “give me an example” or “which one when?”",
        "lost": f"Good sets to begin with: {_listed(_foundations(knowledge))}. Ask what one of these means, say “explain it like I'm five”, or “quiz me” to see what you know already.",
        "bye": "Goodbye! Come back when the next two words look alike.",
        "who": f"I am a tutor program: my answers rest on {len(knowledge.passages)} checked notes, and each sentence shows its note. The model behind them is {model}, running on this machine unless it is set up otherwise. This page keeps what you type only where you rate an answer or run an experiment.",
        "help": "Ask what two concepts have to do with each other, ask on with “why?” or “which is faster?”, say “show me live” for an experiment or “quiz me” for a question. I cover: "
        + _listed([concept.title for concept in knowledge.concepts])
        + ".",
    }[kind]


def experiments(demos: Sequence[Demo], concept: Concept | None) -> str:
    """Which experiments there are, those on the set in play first; composed of their titles."""
    own = [demo for demo in demos if concept and concept.id in demo.concepts]
    others = [demo for demo in demos if demo not in own]
    found = f"On {concept.title} I can run {_quoted(own)}. " if concept and own else ""
    lacking = f"I have no experiment on {concept.title}. " if concept and not own else ""
    return f"{found}{lacking}{'Besides, ' if own else ''}I can run {_quoted(others)}. Say in your own words what you want to see and with which settings."


def _quoted(demos: Sequence[Demo]) -> str:
    return _listed([f"“{demo.title}”" for demo in demos])


def _some(knowledge: Knowledge) -> str:
    titles = [concept.title for concept in knowledge.concepts]
    return f"They cover {len(titles)} sets, for example {_listed(titles[:: max(1, len(titles) // 3)][:3])}."


def _foundations(knowledge: Knowledge) -> list[str]:
    """Titles of the sets that most others ask for first."""
    needed = Counter(name for concept in knowledge.concepts for name in concept.prerequisites)
    order = sorted(knowledge.concepts, key=lambda concept: -needed[concept.id])
    return [concept.title for concept in order[:3]]


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else "; ".join(items[:-1]) + "; and " + items[-1]
