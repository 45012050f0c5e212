"""How the token experiment words what it measured, and which prediction came true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demos.words import paragraphs

AS_WORDS = "As many as it has words"
BETWEEN = "More than words, but fewer than characters"
AS_CHARACTERS = "One for each character, or more"


def outcome(metrics: Mapping[str, float | int]) -> str:
    """Which choice is true, by the counts of tokens, words and characters."""
    if metrics["tokens"] <= metrics["words"]:
        return AS_WORDS
    return BETWEEN if metrics["tokens"] < metrics["characters"] else AS_CHARACTERS


def summary_of(metrics: Mapping[str, float], closest: Sequence[str], farthest: Sequence[str], left: int) -> str:
    """What was counted and measured; `closest` and `farthest` are the two words of a pair, `left` words were left out.

    The learner's text is not repeated, nor words that are none: the page shows a summary as Markdown.
    """
    words, tokens, characters = (int(metrics[name]) for name in ("words", "tokens", "characters"))
    split = int(metrics["words_split"])
    if split:
        several = f"{_count(split, 'word')} of {words} became several tokens, one of them {metrics['most_tokens']:.0f}"
    else:
        several = "each word is a single token"
    text = "text" if "beside_tokens" not in metrics else "first text"
    return paragraphs(
        [
            f"Your {text} has {_count(words, 'word')} (what stands between spaces) and {characters:,} characters, and the model "
            f"reads it as {_count(tokens, 'token')}: {characters / tokens:.1f} characters a token and {tokens / words:.1f} "
            f"tokens a word; {several}.",
            *_second(metrics),
            f"The context window, all that the model can look at while it writes, holds {metrics['window']:,.0f} tokens: your "
            f"{text} fills {100 * tokens / metrics['window']:.2g} % of it, and about {metrics['window_words']:,.0f} words of this "
            "kind would fill it.",
        ],
        [_ids(metrics, closest), _table(metrics, closest, farthest, left), _context(metrics)],
    )


def _second(metrics: Mapping[str, float]) -> list[str]:
    """What was counted of the text beside, if there is one."""
    if "beside_tokens" not in metrics:
        return []
    words, tokens, characters = (int(metrics[f"beside_{name}"]) for name in ("words", "tokens", "characters"))
    times = metrics["times_tokens"]
    compared = (
        "as many as the first"
        if tokens == metrics["tokens"]
        else f"{times:.1f} times as many as the first"
        if times >= 1.05
        else f"{metrics['tokens'] - tokens:.0f} fewer than the first"
        if times < 1
        else f"{tokens - metrics['tokens']:.0f} more than the first"
    )
    return [
        f"The second has {_count(words, 'word')} and {characters:,} characters, and the model reads it as "
        f"{_count(tokens, 'token')}, {compared}: {characters / tokens:.1f} characters a token and {tokens / words:.1f} tokens a word."
    ]


def _ids(metrics: Mapping[str, float], closest: Sequence[str]) -> str:
    near, pair = metrics["next_id_cosine"], metrics["closest_cosine"]
    verdict = (
        "so close IDs do not mean a close meaning"
        if near < pair - 0.1
        else "which for these words is about as close as the closest pair, so try words that are related"
    )
    return (
        f"A token's ID is only its place in a list of {metrics['vocabulary']:,.0f}: the embeddings of tokens with neighbouring "
        f"IDs have a cosine (1 for the same direction) of {near:.2f} on average, against {pair:.2f} for {_pair(closest)}, "
        f"whose IDs are {metrics['closest_id_distance']:,.0f} apart, {verdict}."
    )


def _table(metrics: Mapping[str, float], closest: Sequence[str], farthest: Sequence[str], left: int) -> str:
    cut = f" (of your words, {left} were left out)" if left else ""
    apart = ""
    if metrics["compared"] > 2:
        apart = f"; among the words here {_pair(closest)} are closest and {_pair(farthest)} farthest apart ({metrics['farthest_cosine']:.2f})"
    return (
        f"The model looks up {metrics['width']:,.0f} learned numbers for each ID, its input embedding, which is the same in "
        f"every sentence{apart}{cut}."
    )


def _context(metrics: Mapping[str, float]) -> str:
    same, other = metrics["same_sense_cosine"], metrics["other_sense_cosine"]
    verdict = (
        "so the layers have told the two meanings apart"
        if same - other > 0.05
        else "so in this run the layers hardly told the two meanings apart"
    )
    return (
        f"The {metrics['layers']:.0f} layers then mix in what comes before: the token “bank” has one input embedding, but after "
        f"the last layer two river banks (or two money banks) have a cosine of {same:.2f}, and a river and a money bank one of "
        f"{other:.2f}, {verdict}."
    )


def _pair(words: Sequence[str]) -> str:
    if all(word.replace(" ", "").isalnum() for word in words):
        return f"“{words[0]}” and “{words[1]}”"
    return "the two words of that pair"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
