"""What a question wants to know of its concepts: a definition, the difference, an example …"""

import re

# The first pattern that matches decides, so the narrow ones stand first.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "analogy",
        r"analog|metaphor|like i'?m (?:five|5|a (?:child|kid|beginner))|eli5|\b(?:five|5)[- ]year|for (?:a )?(?:beginner|child|kid|dumm)"
        r"|(?:in )?(?:simple|plain|everyday|layman\S*) (?:words?|terms?|english|language)|simply put|to my (?:grand|mother|mum|mom)",
    ),
    ("example", r"\bexamples?\b|for instance|worked through|walk me through|concrete(?:ly)?\b|use case|illustrat"),
    (
        "contrast",
        r"differen|differ\b|\bvs\.?\b|versus|compar|distinguish|tell .{1,30} apart|distinction|contrast|confus|same (?:thing|as)",
    ),
    (
        "when",
        r"when (?:should|do|would|to|is it)|which (?:one )?(?:should|do i|would you|to (?:use|choose|pick))|should i (?:use|pick|choose|go)|better for|prefer|choose|worth it",
    ),
    (
        "numbers",
        r"how (?:much|many|large|big|long|fast|expensive)|what (?:size|percentage|speedup)|numbers?|figures?|in gb|cost",
    ),
    (
        "why",
        r"^why\b|\bwhy (?:is|are|do|does|can|not|would|did|use)|how come|what(?:'s| is) the (?:point|reason|purpose)|what for",
    ),
    ("how", r"how (?:does|do|is|are|can|did|would)|mechanism|under the hood|work(?:s|ing)?\b|step by step"),
    ("limits", r"limit|drawback|downside|disadvantage|weakness|problem|fail|risk|trade-?off|wrong with"),
    (
        "definition",
        r"^(?:what(?:'?s| is| are| does)|define|explain|tell me about|describe|meaning)|\bmean(?:s|ing)?\b|definition|stand for",
    ),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)


def aspect_of(question: str) -> str | None:
    """The passage kind that fits the question's wording, or None if the wording does not tell."""
    return next((kind for kind, pattern in _COMPILED if pattern.search(question)), None)
