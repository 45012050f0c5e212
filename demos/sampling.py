"""Temperature, top-k, top-p and min-p on the model's real next-token distribution, and texts written under each.

The prompt is continued as plain text, without a chat template. Each rule acts alone on the model's own probabilities;
"all together" applies them in the order of Hugging Face Transformers (demos/decoding_rules.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from demos.base import Demo, DemoResult, Lab, Prediction, Progress, Table
from demos.decoding_rules import Rules, Scorer, entropy_bits, swapped_neighbours, write_texts
from demos.measure import Span
from demos.sampling_charts import sampling_chart
from demos.sampling_settings import PARAMS, compared, labels_of, rules_of
from demos.sampling_words import LEVEL, STAYS, SWAPS, outcome, piece, summary_of
from demos.seeding import generator
from tutor.errors import DemoError

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = 10  # tokens in the bar chart
TEXTS = 3  # sampled texts a setting
TOKENS = 20  # tokens a text
LONGEST = 256  # tokens of a prompt that are read; of a longer one the end


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    from tutor.engines.tokens import encode_text

    prompt = str(settings["prompt"])
    if not prompt:
        raise DemoError("--prompt is empty; give the beginning of a sentence.")
    rules = rules_of(settings)
    yield Progress(0.0, "Loading a private copy of the model")
    import torch

    specimen = lab.specimen()
    tokenizer = specimen.tokenizer
    yield Progress(0.1, "Reading the prompt")
    ids = encode_text(tokenizer, prompt)
    scorer = Scorer(specimen.model)
    start = scorer(torch.tensor([ids[-LONGEST:]]))
    yield Progress(0.2, "Shaping the probabilities of the next token")
    logits = start[0][0]
    shaped = {name: each.shape(logits) for name, each in rules.items()}
    ranked = shaped["own"].sort(dim=-1, descending=True, stable=True).indices[:SHOWN].tolist()

    written = yield from write_texts(
        scorer,
        start,
        [Rules(temperature=0), *(each for each in rules.values() for _ in range(TEXTS))],
        {name: rules[name] for name in ("top_k", "top_p", "min_p")},
        TOKENS,
        tokenizer.eos_token_id,
        generator(lab.seed),
        Span(0.25, 0.95),
    )
    yield Progress(0.95, "Drawing")
    greedy, *sampled = [str(tokenizer.decode(list(row))) for row in written.rows]
    texts = {name: sampled[TEXTS * i : TEXTS * (i + 1)] for i, name in enumerate(rules)}
    metrics = _measure(rules["all"], shaped, texts, written.kept) | {
        "prompt_tokens": len(ids),
        "read_tokens": min(len(ids), LONGEST),
    }

    beside = compared(settings)
    labels = labels_of(rules["all"], beside)
    likeliest = [piece(str(tokenizer.decode([token]))) for token in ranked]
    shares = {
        labels[name]: [100 * float(shaped[name][token]) for token in ranked]
        for name in ("own", "temperature", *(beside or ("all",)))
    }
    steps = [piece(str(tokenizer.decode([token]))) for token in written.rows[0]]
    yield DemoResult(
        summary=summary_of(metrics, rules["all"], beside, likeliest[0]),
        table=Table(
            ("Setting", "Tokens kept", "Favourite (%)", "Entropy (bits)"),
            tuple(
                (
                    labels[name],
                    f"{metrics[f'{name}_kept']:,.0f}",
                    f"{100 * metrics[f'{name}_favourite']:.1f}",
                    f"{metrics[f'{name}_entropy_bits']:.2f}",
                )
                for name in rules
            ),
        ),
        metrics=metrics,
        figure=sampling_chart(likeliest, shares, steps, {labels[name]: kept for name, kept in written.kept.items()}),
        figure_alt="Likeliest next tokens: "
        + "; ".join(
            f"{name}, " + ", ".join(f"{token} {share:.1f} %" for token, share in zip(likeliest, values, strict=True))
            for name, values in shares.items()
        )
        + ". Kept along the greedy text: "
        + ", ".join(f"{labels[name]} {min(kept)} to {max(kept)} tokens" for name, kept in written.kept.items())
        + ".",
        exhibits={"Prompt": prompt, "Greedy: always the likeliest token": f"…{greedy}"}
        | {
            f"Drawn {TEXTS} times, {labels[name]}": "\n\n".join(f"…{text}" for text in drawn)
            for name, drawn in texts.items()
        },
    )


def _measure(
    every: Rules,
    shaped: Mapping[str, Tensor],
    texts: Mapping[str, Sequence[str]],
    kept: Mapping[str, Sequence[int]],
) -> dict[str, float]:
    """The settings, then for each rule what it left of the distribution, and for the cuts their range along the text."""
    own = shaped["own"]
    favourite = int(own.argmax())
    metrics: dict[str, float] = {**asdict(every), "vocabulary": len(own)}
    for name, probabilities in shaped.items():
        metrics |= {
            f"{name}_kept": int((probabilities > 0).sum()),
            f"{name}_favourite": float(probabilities[favourite]),
            f"{name}_entropy_bits": entropy_bits(probabilities),
            f"{name}_swapped": swapped_neighbours(own, probabilities),
            f"{name}_covered": float(own[probabilities > 0].double().sum()),
            f"{name}_texts": len(set(texts[name])),
        }
    for name, counts in kept.items():
        metrics |= {f"{name}_kept_least": min(counts), f"{name}_kept_most": max(counts)}
    return metrics


SAMPLING = Demo(
    name="sampling",
    title="The next token under temperature, top-k, top-p and min-p",
    concepts=("temperature-vs-top-k-vs-top-p",),
    params=PARAMS,
    run=run,
    words=r"\bsampl(?:ing|ers?)\b|\btop[- _]?k\b(?! (?:rout|gat|expert))|\btop[- _]?p\b|\bmin[- _]?p\b|\btemperatures?\b|\btemps? ?=? ?\d|\bnucleus\b|"
    r"\bgreedy\b|\bdecoding (?:rule|setting|strateg|method)\w*|\bnext[- ]tokens?\b",
    verbs=r"(?:sample (?:with|at|from|text|tokens)|(?:set|raise|lower|increase|decrease) (?:the )?temperature)\b",
    prediction=Prediction(
        question="When the temperature rises, what happens to the order of the tokens, from the likeliest to the least likely?",
        choices=(STAYS, SWAPS, LEVEL),
        outcome=outcome,
        gaps={
            SWAPS: "temperature-vs-top-k-vs-top-p#how-temperature-works",
            LEVEL: "temperature-vs-top-k-vs-top-p#how-temperature-works",
        },
    ),
    because={"quality": ("temperature-vs-top-k-vs-top-p#how-temperature-works", 2)},
    say="show me temperature 2 with top-k 50",
)
