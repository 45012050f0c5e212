"""Words as lexical search sees them: folded, without stop words, endings cut."""

import re

_STOP = frozenset(
    [
        "a",
        "an",
        "the",
        "is",
        "are",
        "was",
        "be",
        "do",
        "does",
        "did",
        "of",
        "to",
        "in",
        "on",
        "for",
        "and",
        "or",
        "it",
        "its",
        "that",
        "this",
        "these",
        "those",
        "with",
        "as",
        "at",
        "by",
        "from",
        "what",
        "which",
        "how",
        "why",
        "when",
        "can",
        "i",
        "you",
        "we",
        "they",
        "my",
        "me",
        "about",
        "into",
        "than",
        "then",
        "so",
        "if",
        "not",
        "no",
        "yes",
        "there",
        "their",
        "them",
        "will",
        "would",
        "should",
    ]
)
_ENDING = re.compile(r"(?<=\w{3})(?:ies|es|s|ing|ed|ation|ations)$")


def content_words(text: str) -> list[str]:
    """Content words in order. Cutting plural and verb endings is stemming enough for short notes on one subject."""
    words = re.findall(r"[a-z0-9][a-z0-9.+]*[a-z0-9]|[a-z0-9]", text.lower().replace("-", " "))
    return [stem(word) for word in words if word not in _STOP]


def stem(word: str) -> str:
    """The word less a plural or verb ending."""
    return _ENDING.sub("", word)
