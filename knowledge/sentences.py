"""Sentence boundaries and citation marks, the one definition that passages, answers and checks share."""

import re

# A full stop ends a sentence only before whitespace and a capital, digit, quote or bracket, so
# "2.5 bits", "Llama 3.1 uses" and "arXiv.org" stay whole. Initialisms that a capital can follow
# are the exceptions; "Yes." and "No." are sentences.
_BOUNDARY = re.compile(r"""(?<=[.!?])["')\]]?\s+(?=["'(\[]?[A-Z0-9])""")
_STOP = re.compile(r"[.!?][\"')\]]*$")
_CITATION = re.compile(r"\s*\[R?\d+\]")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|vs|cf|approx|Fig|Eq|Dr|Mr|Ms|St|et al|U\.S)\.$")


def cited(sentence: str, *notes: int | str) -> str:
    """`Pruning removes weights.` with note 2 is `Pruning removes weights [2].`, and `… is "12."` is `… is "12 [2]."`."""
    marks = "".join(f" [{n}]" for n in notes)
    end = _STOP.search(sentence)
    return sentence[: end.start()] + marks + end.group() if end else f"{sentence}{marks}."


def without_citations(text: str) -> str:
    """An answer's text as the notes hold it: "Pruning removes weights [2]." without its mark, nor [R1] of a run."""
    return _CITATION.sub("", text)


def split_sentences(text: str) -> list[str]:
    """Split plain prose into its sentences, whitespace inside a sentence folded to single blanks."""
    text = " ".join(text.split())
    sentences: list[str] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        piece = text[start : match.end()].strip()
        if _ABBREVIATION.search(piece):
            continue
        sentences.append(piece)
        start = match.end()
    if text[start:].strip():
        sentences.append(text[start:].strip())
    return sentences
