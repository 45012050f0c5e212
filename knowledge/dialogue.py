"""A follow-up and what it goes on from, as one text for an encoder, or for a reader.

"and which is faster?" means nothing by itself, and a rule that puts the names of what was talked of before it loses what exactly was said. So an encoder
reads it together with the question and the answer before, and was trained to put it where the same question would lie, asked in full, and near the
sentences that answer it: conversational dense retrieval (Yu et al. 2021, arXiv:2105.04166; `make dialogue`, tutor/distill/dialogue.py).
"""

from __future__ import annotations

from pathlib import Path

from knowledge.sentences import without_citations

DIALOGUE = Path(__file__).parent / "dialogue.safetensors"
_JOINT = " [SEP] "  # a token by which the encoder tells texts apart
_LONGEST_QUESTION, _LONGEST_ANSWER = 40, 60  # words that a reader is given of what was asked and answered before


def in_dialogue(question: str, asked: str, answered: str) -> str:
    """The question first, so that what is too long loses the end of the answer before."""
    return _JOINT.join((question, asked, without_citations(answered)))


def in_context(question: str, asked: str, answered: str) -> str:
    """The question last, for models that read from left to right (tutor/verdict/causal_reader.py, tutor/choosing/causal_classifier.py)."""
    before = " ".join(asked.split()[-_LONGEST_QUESTION:])  # a story ends with what it asks
    said = " ".join(without_citations(answered).split()[:_LONGEST_ANSWER])
    return f"{before}\n{said}\nQuestion: {question}"
