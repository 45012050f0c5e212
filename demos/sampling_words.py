"""How the sampling experiment words what it measured, and which prediction came true."""

from __future__ import annotations

from collections.abc import Mapping

from demos.decoding_rules import Rules
from demos.words import paragraphs

STAYS = "It stays the same"
SWAPS = "Some tokens swap places"
LEVEL = "There is none left: all become equally likely"


def outcome(metrics: Mapping[str, float | int]) -> str:
    """Which choice is true of the run's own temperature, by the measured probabilities of all tokens."""
    if metrics["temperature_favourite"] < 1.01 / metrics["vocabulary"]:
        return LEVEL
    return SWAPS if metrics["temperature_swapped"] else STAYS


def piece(text: str) -> str:
    """A token as the learner sees it: a leading space as ␣, a line break in words."""
    return ("␣" + text[1:] if text.startswith(" ") else text).replace("\n", "(line break)")


def summary_of(metrics: Mapping[str, float], every: Rules, beside: Mapping[str, float], favourite: str) -> str:
    """What each rule did, with judgements that depend on the measured numbers.

    The learner's prompt is not repeated, nor a favourite that is no word: the page shows a summary as Markdown.
    """
    named = f" “{favourite.strip('␣')}”" if favourite.strip("␣").isalnum() else ""
    read = (
        f" (its last {metrics['read_tokens']:.0f} tokens)" if metrics["read_tokens"] < metrics["prompt_tokens"] else ""
    )
    vocabulary, bits = int(metrics["vocabulary"]), metrics["own_entropy_bits"]
    first = [
        f"After the prompt{read} the model gives each of its {vocabulary:,} tokens a probability: its favourite{named} gets "
        f"{_percent(metrics['own_favourite'])}, and it is as undecided as among {max(1, 2**bits):,.0f} equally likely tokens "
        f"(entropy {bits:.1f} bits).",
        _temperature(metrics, "temperature", every.temperature),
        *(_temperature(metrics, name, level) for name, level in beside.items()),
    ]
    further = [_cuts(metrics, every), _along(metrics, every), _together(metrics)]
    # Who puts temperatures beside each other is not after what else cuts.
    cut = 0 if beside else 1
    return paragraphs([*first, *further[:cut]], further[cut:])


def _temperature(metrics: Mapping[str, float], rule: str, temperature: float) -> str:
    before, after = (_percent(metrics[f"{name}_favourite"]) for name in ("own", rule))
    if temperature == 0:
        return "Temperature 0 is greedy decoding: only the favourite is left, so nothing is drawn."
    if temperature == 1:
        return "Temperature 1 leaves the probabilities as they are."
    effect = "evens the odds" if temperature > 1 else "favours the likely tokens even more"
    removed = int(metrics["vocabulary"] - metrics[f"{rule}_kept"])
    none = "and removes no token" if not removed else f"and {removed:,} tokens become too unlikely for a number to hold"
    return (
        f"Temperature {temperature:g} {effect} (favourite {before} before, {after} after; entropy "
        f"{metrics[f'{rule}_entropy_bits']:.1f} bits) {none}{_order(int(metrics[f'{rule}_swapped']))}."
    )


def _order(swapped: int) -> str:
    return (
        f"; {swapped:,} neighbours in the tokens' order swap places"
        if swapped
        else "; the order of the tokens stays the same"
    )


def _cuts(metrics: Mapping[str, float], every: Rules) -> str:
    said = []
    if every.top_k:
        said.append(f"top-k {every.top_k} keeps {_tokens(metrics['top_k_kept'])} by its number")
    if every.top_p < 1:
        share = metrics["top_p_kept"] / metrics["vocabulary"]
        said.append(
            f"top-p {every.top_p:g} keeps {_tokens(metrics['top_p_kept'])}, the likeliest that together reach "
            f"{_percent(every.top_p)} of the probability ({_percent(share)} of the vocabulary)"
        )
    if every.min_p:
        said.append(
            f"min-p {every.min_p:g} keeps {_tokens(metrics['min_p_kept'])}, those with at least {every.min_p:g} times "
            "the favourite's probability"
        )
    return f"Each alone on the model's own probabilities, {'; '.join(said)}." if said else "Nothing is cut off."


def _along(metrics: Mapping[str, float], every: Rules) -> str:
    """How the cuts moved from step to step of the greedy text."""
    if every.top_p == 1:
        return ""
    least, most = int(metrics["top_p_kept_least"]), int(metrics["top_p_kept_most"])
    fixed = f", while top-k kept {every.top_k} each time" if every.top_k else ""
    if most > 2 * least:
        return (
            f"In the text that greedy decoding writes from here, top-p kept from {least:,} to {most:,} tokens, depending on how "
            f"sure the model was at each step{fixed}."
        )
    return f"In the text that greedy decoding writes from here, top-p kept {least:,} to {most:,} tokens at each step{fixed}."


def _together(metrics: Mapping[str, float]) -> str:
    kept = _tokens(metrics["all_kept"])
    texts = int(metrics["all_texts"])
    drawn = "the same each time" if texts == 1 else f"{texts} different ones"
    return f"All together, temperature first, they leave {kept} for the first place, and three whole texts drawn so are {drawn}; greedy decoding would write one and the same."


def _tokens(count: float) -> str:
    return "1 token" if count == 1 else f"{count:,.0f} tokens"


def _percent(share: float) -> str:
    value = 100 * share
    return (
        f"{value:.0f} %"
        if value >= 10 or value == round(value)
        else f"{value:.1f} %"
        if value >= 0.1
        else f"{value:.2g} %"
    )
