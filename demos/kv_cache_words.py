"""How the KV cache experiment words what it measured, and which prediction came true."""

from __future__ import annotations

from collections.abc import Mapping

from demos.words import number, paragraphs

TIME = "Only the time; the tokens stay the same, apart from rounding"
MANY = "The tokens, too: old results lead the model astray"
NOTHING = "Neither the time nor the tokens"
FASTER = 1.2  # how many times as fast decode must be to count as faster on a busy machine


def outcome(metrics: Mapping[str, float | int]) -> str:
    """Which choice is true, by the share of equal tokens and by the times on the longest texts."""
    if metrics["same"] < 0.8 * metrics["recomputed"]:
        return MANY
    return TIME if metrics["uncached_long_ms"] > FASTER * metrics["cached_long_ms"] else NOTHING


def summary_of(metrics: Mapping[str, float], kind: str) -> str:
    """What was measured in words; judgements depend on the times and on how many tokens were equal."""
    short, long = metrics["uncached_short_ms"], metrics["uncached_long_ms"]
    with_short, with_long = metrics["cached_short_ms"], metrics["cached_long_ms"]
    ratio = long / with_long
    verdict = f"{ratio:.1f} times as long" if ratio > FASTER else "hardly different on this machine"
    grows = "grew" if long > FASTER * short else "hardly grew"
    stays = "stayed nearly the same" if with_long < 1.5 * with_short else "grew, too"
    length = int(metrics["length"])
    weights = (
        "no weight changed" if not metrics["weights_changed"] else f"{metrics['weights_changed']:,.0f} weights changed"
    )
    first = (
        f"Prefill read the {metrics['prompt_tokens']:.0f} tokens of the prompt at once, in {number(metrics['prefill_ms'])} ms "
        f"({number(metrics['prefill_tokens_per_s'])} tokens/s). "
        f"Decode then wrote one token after another, {number(1000 / with_short)} tokens/s at first and {number(1000 / with_long)} in the end. "
        f"As the text grew, the time for one token without the cache {grows} from {number(short)} to {number(long)} ms, and "
        f"with the cache it {stays} ({number(with_short)} and {number(with_long)} ms), so that in the end a token without "
        f"the cache took {verdict}. "
        f"{_equal(metrics)}."
    )
    further = (
        f"The model wrote {metrics['tokens']:.0f} tokens with its KV cache, the stored keys and values of the tokens so far; "
        f"some steps were done again without it, by reading the whole text once more. "
        f"At {length} tokens the cache takes {number(metrics['cache_mb'])} MB with this model's {kind} "
        f"({metrics['kv_heads']:.0f} KV heads for {metrics['query_heads']:.0f} query heads); computed for the same shape, MHA "
        f"would need {number(metrics['mha_mb'])} and MQA {number(metrics['mqa_mb'])} MB. "
        f"A full context window of {metrics['window']:,.0f} tokens would make it {metrics['window_mb']:.0f} MB, beside "
        f"{metrics['weights_mb']:.0f} MB of weights; {weights} while the model wrote, and the cache is gone now."
    )
    return paragraphs([first], [further])


def _equal(metrics: Mapping[str, float]) -> str:
    same, recomputed, lead = int(metrics["same"]), int(metrics["recomputed"]), number(metrics["lead"])
    if same == recomputed:
        return f"At all {recomputed} steps that were done both ways, the model chose the same token"
    chose = f"At {same} of {recomputed} steps that were done both ways, the model chose the same token"
    if outcome(metrics) == MANY:
        return f"{chose}; that is far from equal, and scores (logits) differed by {number(metrics['logit_difference'])}"
    return (
        f"{chose}; elsewhere two tokens were so close that rounding decided: without the cache one led by {lead} at most, and "
        f"rounding alone moved some scores (logits) by {number(metrics['logit_difference'])}"
    )
