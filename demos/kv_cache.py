"""The KV cache: the same model writes the same text with and without it, and the cache is weighed.

With the cache a step reads the newest token only; without it the whole text is read again (Pope et al. 2022,
arXiv:2211.05102, on prefill and decode). Sizes for multi-head (MHA) and multi-query attention (MQA) are computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demos import inference_charts, kv_size
from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress, Table
from demos.cached_decode import decode_both_ways
from demos.kv_cache_words import MANY, NOTHING, TIME, outcome, summary_of
from demos.measure import TEXTS, Span
from demos.words import number

ROWS = 4  # of the table: each stands for a stretch of the text, and the fastest of its steps counts
_LENGTH = r"\b(?:long|longer|big|bigger|large|huge|short|shorter|small|smaller|tiny)"
_NO_PROMPT = "".join(
    f"(?<!{of} )" for of in ("prompt of", "prompt with", "prompt to", "prompt at", "prompt", "input of", "input")
)


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    tokens, length = int(settings["tokens"]), int(settings["prompt"])
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    model, config = specimen.model, specimen.model.config
    before = [parameter.detach().clone() for parameter in model.parameters()]
    text = (TEXTS / "evaluation.txt").read_text(encoding="utf-8")
    prompt = specimen.tokenizer(text, add_special_tokens=False)["input_ids"][:length]
    written = yield from decode_both_ways(
        model, prompt, tokens, specimen.tokenizer.eos_token_id, Span(0.1, 0.95), "Writing with and without the KV cache"
    )
    yield Progress(0.95, "Drawing")
    steps = written.steps
    again = [step for step in steps if step.recomputed is not None]
    lengths = [step.length for step in again]
    cached_ms = [1000 * step.cached_s for step in again]
    uncached_ms = [1000 * step.recomputed_s for step in again]
    number_bytes = next(model.parameters()).element_size()
    own, kind = kv_size.kv_heads(config), kv_size.attention_kind(config)
    heads = {"MHA": int(config.num_attention_heads), "MQA": 1}
    per_token = {name: kv_size.bytes_per_token(config, count, number_bytes) for name, count in heads.items()}
    window = int(config.max_position_embeddings)
    ends = [round((i + 1) * len(again) / ROWS) for i in range(ROWS)]
    stretches = [slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]
    weights = sum(parameter.nbytes for parameter in model.parameters())
    changed = sum(int((a != b).sum()) for a, b in zip(before, model.parameters(), strict=True))
    metrics: dict[str, float] = {
        "tokens": tokens,
        "prompt_tokens": len(prompt),
        "recomputed": len(again),
        "same": sum(step.recomputed == step.token for step in again),
        "logit_difference": max(step.difference for step in again),
        "lead": max(step.lead for step in again),
        "prefill_ms": 1000 * written.prefill_s,
        "prefill_tokens_per_s": len(prompt) / written.prefill_s,
        "cached_short_ms": min(cached_ms[stretches[0]]),
        "cached_long_ms": min(cached_ms[stretches[-1]]),
        "uncached_short_ms": min(uncached_ms[stretches[0]]),
        "uncached_long_ms": min(uncached_ms[stretches[-1]]),
        "length": lengths[-1],
        "cache_mb": again[-1].cache_bytes / 1e6,
        "cache_kb_per_token": again[-1].cache_bytes / lengths[-1] / 1e3,
        **{f"{name.lower()}_mb": size * lengths[-1] / 1e6 for name, size in per_token.items()},
        "query_heads": heads["MHA"],
        "kv_heads": own,
        "window": window,
        "window_mb": kv_size.bytes_per_token(config, own, number_bytes) * window / 1e6,
        "weights_mb": weights / 1e6,
        "weights_changed": changed,
    }
    sizes = {f"{kind}, this model (measured)": [step.cache_bytes / 1e6 for step in again]} | {
        f"{name} (computed)": [size * length / 1e6 for length in lengths]
        for name, size in per_token.items()
        if name != kind
    }
    yield DemoResult(
        summary=summary_of(metrics, kind),
        table=Table(
            ("Text (tokens)", "With cache (ms)", "Without (ms)", *(f"{name}, MB" for name in sizes)),
            tuple(
                (
                    f"{lengths[of][0]}–{lengths[of][-1]}",
                    number(min(cached_ms[of])),
                    number(min(uncached_ms[of])),
                    *(number(size[of][-1]) for size in sizes.values()),
                )
                for of in stretches
            ),
        ),
        metrics=metrics,
        figure=inference_charts.cache_chart(lengths, cached_ms, uncached_ms, sizes),
        figure_alt=f"Time for the next token at {lengths[0]} and {lengths[-1]} tokens: with the cache "
        f"{number(metrics['cached_short_ms'])} and {number(metrics['cached_long_ms'])} ms, without "
        f"{number(metrics['uncached_short_ms'])} and {number(metrics['uncached_long_ms'])} ms. Cache at {lengths[-1]} "
        "tokens in MB: " + ", ".join(f"{name} {number(size[-1])}" for name, size in sizes.items()) + ".",
        exhibits={
            "Prompt": str(specimen.tokenizer.decode(prompt)),
            "Text written with the cache": str(specimen.tokenizer.decode([step.token for step in steps])).strip(),
        },
    )


KV_CACHE = Demo(
    name="kv_cache",
    title="Writing with and without the KV cache",
    concepts=("prefill-vs-decode", "mha-vs-mqa-vs-gqa", "context-window-vs-memory"),
    because={"speed": ("prefill-vs-decode#how-the-kv-cache-saves-work", 0)},
    params=(
        Param(
            "tokens",
            128,
            "tokens that the model writes",
            32,
            320,
            spoken=(
                r"\b(?:up to|until|at) (\d{2,})(?: tokens)?\b",
                rf"{_NO_PROMPT}\b(\d+)[- ]tokens?\b(?! (?:long )?(?:prompt|input|question))",
                r"\btokens *= *(\d+)",
            ),
            loose=(
                (
                    r"\b(?:the )?(?:longest|max(?:imum)?|most)\b(?=\W*$| (?:you can|possible|there is|length|text)\b)",
                    320,
                ),
                r"(?<![\w.,-])(3[2-9]|[4-9]\d|\d{3})(?![\w%]|[.:,-]\d)(?! ?(?:[gmtk]i?b|hours?|minutes?|percent|times|runs?|bits?|steps?|seconds?|years?|students|pupils|kids|learners|people)\b)",
            ),
        ),
        Param(
            "prompt",
            32,
            "tokens of the prompt, which is read at once (prefill)",
            16,
            512,
            spoken=(
                r"\b(\d+)[- ]?tokens?(?:[- ]long)? (?:prompt|input|question)s?\b",
                r"\b(?:prompt|input)s? (?:length |size )?(?:(?:of|with|has|is|at|to) |= ?)?(\d+)\b(?! ?(?:ms|s|seconds?|%|words?)\b)",
            ),
            loose=(
                rf"{_LENGTH} (?:prompt|input)s?\b[^\d]{{0,20}}(\d{{2,3}})\b",
                (r"^(?!.*\d).*\b(?:long|longer|big|bigger|large|huge) (?:prompt|input)\b", 512),
                (r"^(?!.*\d).*\b(?:short|shorter|small|smaller|tiny) (?:prompt|input)\b", 16),
            ),
        ),
    ),
    run=run,
    words=r"\bkv[- ]?ca(?:ch|sh)\w*|\b(?:re)?comput\w+ (?:all )?(?:the |its )?keys and values\b|\bkey[- ]value cach\w*|\bwithout (?:a |the |its )?cache\b|\bcaching\b|\b(?:mha|mqa|gqa)\b|"
    r"\bmulti[- ]?(?:query|head) attention\b|\bgrouped[- ]query attention\b|\bprefill\b|\bdecode (?:phase|step|speed)s?\b",
    verbs=r"(?:generate|write|decode) .{0,30}\b(?:with|without) .{0,12}\bcache\b",
    prediction=Prediction(
        question="Without a KV cache, the model reads its whole text again for each new token. What does the cache change?",
        choices=(TIME, MANY, NOTHING),
        outcome=outcome,
        gaps={
            MANY: "prefill-vs-decode#the-kv-cache-does-not-change-the-answer",
            NOTHING: "prefill-vs-decode#how-the-kv-cache-saves-work",
        },
    ),
    say="run it with and without the KV cache",
)
