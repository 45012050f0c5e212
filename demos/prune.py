"""Magnitude pruning: set the smallest weights of the linear layers to zero, and measure what that costs.

The oldest criterion (Han et al. 2015, "Learning both Weights and Connections for Efficient Neural Networks"), in one
shot and without retraining. Zeros are only faster where something skips them: whole rows that are removed leave smaller
matrices, which are timed as such; scattered zeros are multiplied like any other number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from demos import charts, kernels, measure, words
from demos.base import Demo, DemoResult, Lab, Param, Progress
from demos.compare import Change, Outcome, compare
from demos.masks import keep_largest, keep_rows, keep_two_of_four, stored_bits

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear

CURVE = (0.2, 0.4, 0.6)
Level: TypeAlias = tuple[str, float]
"""A structure, and the share of the weights that it removes."""


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    structure = str(settings["structure"])
    own = (structure, 0.5 if structure == "2:4" else float(settings["sparsity"]))

    def apply(source: Linear, target: Linear, level: Level) -> float:
        mask = _mask(source.weight, level)
        target.weight.data.copy_(source.weight.detach() * mask)
        return stored_bits(mask, level[0])

    def shrink(source: Linear, target: Linear) -> None:
        kernels.run_without_rows(target, _mask(source.weight, own)[:, 0].nonzero().flatten())

    # The curve is always that of unstructured pruning, with the same share in it, so that structures can be compared.
    curve = [("unstructured", share) for share in sorted({*CURVE, own[1]})]
    outcome = yield from compare(
        lab,
        Change(
            name="the pruned model",
            doing="Removing the smallest weights",
            worded=lambda level: f"{level[1]:.0%} zeros",
            level=own,
            other_levels=tuple(level for level in curve if level != own),
            apply=apply,
            shrink=shrink if structure == "rows" else None,
        ),
        str(settings["layers"]),
    )
    zeros = _zeros(target.weight for layer in outcome.pairs for _, _, target in layer)
    zeros_before = _zeros(source.weight for layer in outcome.pairs for _, source, _ in layer)
    metrics = {**outcome.metrics, "sparsity": zeros}
    rows = [("Zeros in the pruned matrices (%)", f"{100 * zeros_before:.1f}", f"{100 * zeros:.1f}")]
    yield DemoResult(
        summary=_summary(outcome, own, zeros),
        table=words.compare_table(f"Pruned, {structure}", metrics, rows),
        metrics=metrics,
        figure=charts.sparsity_chart(outcome, own),
        figure_alt=f"Perplexity {words.number(metrics['perplexity_reference'])} without pruning; "
        + ", ".join(f"{words.number(outcome.curve[s])} at {s[1]:.0%} {s[0]}" for s in sorted(outcome.curve))
        + ".",
        exhibits=outcome.exhibits,
    )


def _mask(weight: Tensor, level: Level) -> Tensor:
    structure, share = level
    if structure == "2:4":
        return keep_two_of_four(weight)
    return keep_rows(weight, share) if structure == "rows" else keep_largest(weight, share)


def _zeros(weights: Iterable[Tensor]) -> float:
    """The share of zeros among all weights of the matrices."""
    counts = [(int((weight == 0).sum()), weight.numel()) for weight in weights]
    return sum(zeros for zeros, _ in counts) / sum(total for _, total in counts)


def _summary(outcome: Outcome[Level], own: Level, zeros: float) -> str:
    metrics, (structure, share) = outcome.metrics, own
    what = {
        "unstructured": f"the smallest {zeros:.0%} of the weights in each linear layer of the decoder",
        "2:4": "the two smaller of every four neighbouring weights in the decoder's linear layers",
        "rows": f"the weakest rows (output neurons), {zeros:.0%} of them, from each linear layer of the decoder",
    }[structure]
    places = {
        "unstructured": "a mask of one bit a weight",
        "2:4": "two bits for the place of each kept weight",
        "rows": "a mask of one bit a row",
    }[structure]
    same = {
        "unstructured": "scattered zeros are multiplied like any other number, so they save no time",
        "2:4": "only some GPUs have units that skip 2:4 zeros, and a CPU multiplies them like any other number",
        "rows": "the smaller matrices win nothing on this machine",
    }[structure]
    fast = "since removed rows leave smaller matrices to read" if structure == "rows" else "which is chance, as " + same
    size = f"from {metrics['size_mb_reference']:.0f} to {metrics['size_mb']:.0f} MB, {places} included"
    if metrics["size_mb"] > metrics["size_mb_reference"]:
        size += ": the mask costs more than so few zeros save"
    instead = ""
    if structure != "unstructured":
        single = words.number(outcome.curve["unstructured", share])
        instead = (
            f"Removing as large a share as single weights, the smallest of each matrix, gives perplexity {single}."
        )
    parts = [
        f"Pruning removed {what}, without retraining; stored sparsely, the model goes {size}.",
        words.perplexity_sentence(metrics, outcome.tokens, "after pruning"),
        instead,
        words.speed_sentence(metrics, fast, same),
        outcome.asked,
    ]
    return " ".join(part for part in parts if part)


PRUNE = Demo(
    name="prune",
    title="Remove the smallest weights",
    concepts=("pruning-vs-quantization", "structured-vs-unstructured-pruning"),
    params=(
        Param(
            "sparsity",
            0.5,
            "share of the weights that is removed; 2:4 always removes half",
            0.0,
            0.95,
            spoken=(r"(\d+(?:\.\d+)?) ?(?:%|percent\b)", r"\bsparsity(?: of| =|=|:)? ?(\d*\.?\d+)", r"\b(0?\.\d+)\b"),
            percent=True,
        ),
        Param(
            "structure",
            "unstructured",
            "single weights, two of every four, or whole rows",
            choices=("unstructured", "2:4", "rows"),
            spoken=(
                (r"\b2:4\b|\b(?:2|two) (?:of|in|out of) (?:every )?(?:4|four)\b|\bsemi[- ]?structured\b", "2:4"),
                (r"\bunstructured\b|\b(?:single|individual) weights\b", "unstructured"),
                (r"\bstructured\b|\brows?\b|\bneurons?\b", "rows"),
            ),
        ),
        measure.LAYERS,
    ),
    run=run,
    words=r"\bprun\w+|\bspars\w+|\b(?:remove|zero(?: out)?|drop)\b.{0,30}\bweights\b|\b2:4\b",
    verbs=r"prune\b|(?:remove|zero out|drop) .{0,30}\bweights\b",
)
