"""Magnitude pruning: set the smallest weights of the linear layers to zero, and measure what that costs.

The oldest criterion (Han et al. 2015, "Learning both Weights and Connections for Efficient Neural Networks"), in one
shot and without retraining. Zeros are only faster where something skips them: whole rows that are removed leave smaller
matrices, which are timed as such; scattered zeros are multiplied like any other number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from demos import charts, kernels, measure, words
from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress
from demos.compare import Change, compare
from demos.levels import (
    TENS,
    TO,
    UNTIL_IT_BREAKS,
    Levels,
    beside,
    first_of_several,
    read_levels,
    several,
    several_decimals,
)
from demos.masks import Level, keep_largest, keep_rows, keep_two_of_four, share_of_zeros, stored_bits
from demos.prune_words import FASTER, SAME, SLOWER, summary_of, what_happens_to_speed, worded
from demos.sensitivity import SENSITIVITY

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear

CURVE = (0.3, 0.6)


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    structure = str(settings["structure"])
    own = (structure, 0.5 if structure == "2:4" else float(settings["sparsity"]))
    # 2:4 has one share of zeros, so other shares beside it are those of unstructured pruning.
    named = [("unstructured" if structure == "2:4" else structure, share) for share in read_levels(settings["compare"])]
    compared = tuple(level for level in named if level != own)

    def apply(source: Linear, target: Linear, level: Level) -> float:
        mask = _mask(source.weight, level)
        target.weight.data.copy_(source.weight.detach() * mask)
        return stored_bits(mask, level[0])

    def shrink(source: Linear, target: Linear) -> None:
        kernels.run_without_rows(target, _mask(source.weight, own)[:, 0].nonzero().flatten())

    # Unstructured pruning with the same share is always measured, too, so that structures can be compared.
    curve = [("unstructured", share) for share in sorted({own[1], *(() if compared else CURVE)})]
    outcome = yield from compare(
        lab,
        Change(
            name="the pruned model",
            doing="Removing the smallest weights",
            worded=worded,
            level=own,
            other_levels=tuple(level for level in curve if level != own),
            apply=apply,
            shrink=shrink if structure == "rows" else None,
            beside=compared,
        ),
        str(settings["layers"]),
        settings["sensitivity"] == "yes",
    )
    zeros = share_of_zeros(target.weight for layer in outcome.pairs for _, _, target in layer)
    zeros_before = share_of_zeros(source.weight for layer in outcome.pairs for _, source, _ in layer)
    metrics = {**outcome.metrics, "sparsity": zeros}
    for level, cost in outcome.beside.items():
        metrics |= cost.metrics(f"{level[1]:g}")
    shares = (zeros_before, zeros, *(share for _, share in outcome.beside))
    own_name = f"Pruned, {structure}" if not compared else worded(own)
    yield DemoResult(
        summary=summary_of(outcome, own, zeros, settings["layers"]),
        table=words.compare_table(
            own_name,
            metrics,
            [("Zeros in the pruned matrices (%)", *(f"{100 * share:.1f}" for share in shares))],
            {worded(level): cost.shown() for level, cost in outcome.beside.items()},
        ),
        metrics=metrics,
        figure=charts.sparsity_chart(outcome, own),
        figure_alt=f"Perplexity {words.number(metrics['perplexity_reference'])} without pruning; "
        + ", ".join(f"{words.number(outcome.curve[s])} at {s[1]:.0%} {s[0]}" for s in sorted(outcome.curve))
        + "."
        + (outcome.sensitivity.alt() if outcome.sensitivity else ""),
        exhibits=outcome.exhibits,
    )


def _mask(weight: Tensor, level: Level) -> Tensor:
    structure, share = level
    if structure == "2:4":
        return keep_two_of_four(weight)
    return keep_rows(weight, share) if structure == "rows" else keep_largest(weight, share)


_SHARES = r"%|percent\b|per cent\b|pct\b\.?"
SPARSITY = Param(
    "sparsity",
    0.5,
    "share of the weights that is removed; 2:4 always removes half",
    0.0,
    0.95,
    spoken=(
        first_of_several(_SHARES, f"five|{TENS}"),
        rf"\bsparsity{TO}(\d*\.?\d+)",
        r"(?<![\w.])(0?\.\d+)\b",
        (r"\b(?:three|3)[ -](?:quarters|fourths)\b", 0.75),
        (r"\b(?:two|2)[ -]thirds\b", 0.67),
        (r"\b(?:a|one)[ -](?:third)\b", 0.33),
        (r"\b(?:a|one)[ -](?:quarter|fourth)\b", 0.25),
        (r"\bhalf (?:of )?(?:(?:the|its|all) )*(?:weights|parameters|rows|neurons)\b|\bprune half\b", 0.5),
    ),
    loose=(
        *(
            (rf"\b{n} (?:(?:rows|weights|neurons|parameters) )?(?:out of|in|of|from) (?:every |each )?10\b", n / 10)
            for n in range(1, 10)
        ),
        (r"\b(?:4|four) (?:out of|in|of) (?:every |each )?(?:5|five)\b", 0.8),
        (r"\b(?:3|three) (?:out of|in|of) (?:every |each )?(?:4|four)\b", 0.75),
        (r"\b(?:2|two) (?:out of|in|of) (?:every |each )?(?:3|three)\b", 0.67),
        (
            r"\b(?:1|one) (?:out of|in|of) (?:every |each )?(?:2|two)\b|\bevery (?:second|other) (?:weight|parameter|row|neuron)\b|\b(?:one|the (?:smaller|smallest|weaker)) half\b",
            0.5,
        ),
        r"\b(?:to|at|of|by|with|only|just) (\d0)\b(?!\s*(?:[:.]\d|[^\W\d_]))",
    ),
    percent=True,
)
PRUNE = Demo(
    name="prune",
    title="Remove the smallest weights",
    concepts=("pruning-vs-quantization", "structured-vs-unstructured-pruning"),
    because={
        "quality": ("pruning-vs-quantization#throwing-away-half-of-the-weights", 2),
        "size": ("pruning-vs-quantization#zeros-alone-do-not-make-a-model-faster", 1),
        "speed": ("pruning-vs-quantization#zeros-alone-do-not-make-a-model-faster", 1),
        "bigger": ("structured-vs-unstructured-pruning#how-far-you-can-prune-without-retraining", 2),
    },
    params=(
        SPARSITY,
        Param(
            "structure",
            "unstructured",
            "single weights, two of every four, or whole rows",
            choices=("unstructured", "2:4", "rows"),
            spoken=(
                (
                    r"\b2:4\b|\b(?:2|two)[- ](?:of|in|from|out[- ]?(?:of|ta|a))[- ](?:(?:every|each)[- ]|(?:an?y? )?(?:group|block)s? of )?(?:4|four)\b|\bsemi[- ]?structured\b",
                    "2:4",
                ),
                (
                    r"\bunstructured\b|\b(?:single|individual|lone|separate|scattered) (?:weights|ones|connections)\b|\bweight by weight\b|\bweights one by one\b",
                    "unstructured",
                ),
                (r"\bstructured\b|\brows?\b|\bneurons?\b", "rows"),
            ),
            loose=(
                (
                    r"\b(?:2|two) (?:\w+ ){0,3}(?:every|each|per|out of|of) (?:\w+ )?(?:4|four)\b|\b(?:4|four) (?:\w+ ){0,4}(?:lose|drop|kill|zero|remove)\w* (?:2|two)\b",
                    "2:4",
                ),
                (r"\bout of every (?:4|four) neighbou?r\w*", "2:4"),
                (r"\b(?:single|individual|scattered|separate|anywhere|wherever)\b", "unstructured"),
            ),
        ),
        measure.LAYERS,
        Levels(
            "compare",
            "",
            "further shares, to be measured beside",
            spoken=(several(_SHARES, TENS), several_decimals()),
            loose=(
                r"\b(\d0(?: ?%)?(?:(?:,| and| then| or| versus| vs\.?| against)+ ?\d0(?: ?%)?){2,})\b",
                r"\b(\d0 ?(?:%|percent)(?: live)?,?(?: and| then)? compare (?:(?:it|that|this) )?(?:with|to|against) \d0)\b(?! ?[\w.])",
                beside(r"\d\d?(?:\.\d+)?(?: ?%| percent)"),
                (UNTIL_IT_BREAKS, "0.3,0.5,0.7"),
            ),
            percent=True,
            of=SPARSITY,
        ),
        SENSITIVITY,
    ),
    run=run,
    prediction=Prediction(
        question="How fast will the pruned model write, against the original?",
        choices=(FASTER, SAME, SLOWER),
        outcome=what_happens_to_speed,
        gaps={FASTER: "pruning-vs-quantization#zeros-alone-do-not-make-a-model-faster"},
    ),
    words=r"\bprun\w+|\bspars\w+|\b(?:remov\w+|zero(?: out)?|drop\w*|delet\w+|throw\w*)\b.{0,30}\bweights\b|\b2:4\b",
    verbs=r"(?:prune|sparsify)\b|(?:remove|zero out|drop|delete|cut(?: away| out)?|rip|strip|trim|snip|chop|throw|toss|cull|kick) .{0,30}\b(?:weights|neurons|rows)\b|make (?:it|the model|the weights) sparse\b|"
    r"set .{0,30}\bweights to (?:zero|0)\b",
    say="prune 70 percent, only the attention layers",
)
