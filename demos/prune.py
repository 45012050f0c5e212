"""Magnitude pruning: set the smallest weights of the linear layers to zero, and measure what that costs.

The oldest criterion (Han et al. 2015, "Learning both Weights and Connections for Efficient Neural Networks"), in one
shot and without retraining. Zeros are only faster where something skips them: whole rows that are removed leave smaller
matrices, which are timed as such; scattered zeros are multiplied like any other number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from demos import charts, kernels, measure, words
from demos.base import Demo, DemoResult, Lab, Param, Progress
from demos.compare import Change, Outcome, compare
from demos.masks import keep_largest, keep_rows, keep_two_of_four, stored_bits

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear

CURVE = (0.2, 0.4, 0.6, 0.8)


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    structure = str(settings["structure"])
    level = 0.5 if structure == "2:4" else float(settings["sparsity"])

    def mask_of(weight: Tensor, sparsity: float) -> Tensor:
        if structure == "rows":
            return keep_rows(weight, sparsity)
        # 2:4 has one sparsity only; its curve is that of unstructured pruning, for comparison.
        return keep_two_of_four(weight) if structure == "2:4" and sparsity == level else keep_largest(weight, sparsity)

    def apply(source: Linear, target: Linear, sparsity: float) -> float:
        mask = mask_of(source.weight, sparsity)
        target.weight.data.copy_(source.weight.detach() * mask)
        return stored_bits(mask, structure)

    def shrink(source: Linear, target: Linear) -> None:
        kernels.run_without_rows(target, mask_of(source.weight, level)[:, 0].nonzero().flatten())

    outcome = yield from compare(
        lab,
        Change(
            name="the pruned model",
            doing="Removing the smallest weights",
            worded=lambda share: f"{share:.0%} zeros",
            level=level,
            other_levels=tuple(other for other in CURVE if other != level or structure == "2:4"),
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
        summary=_summary(outcome, structure, zeros),
        table=words.compare_table(f"Pruned, {structure}", metrics, rows),
        metrics=metrics,
        figure=charts.sparsity_chart(outcome, level, structure),
        figure_alt=f"Perplexity {words.number(metrics['perplexity_reference'])} without pruning, "
        + ", ".join(f"{words.number(outcome.curve[s])} at {s:.0%} zeros" for s in sorted(outcome.curve))
        + ".",
        exhibits=outcome.exhibits,
    )


def _zeros(weights: Iterable[Tensor]) -> float:
    """The share of zeros among all weights of the matrices."""
    counts = [(int((weight == 0).sum()), weight.numel()) for weight in weights]
    return sum(zeros for zeros, _ in counts) / sum(total for _, total in counts)


def _summary(outcome: Outcome, structure: str, zeros: float) -> str:
    metrics = outcome.metrics
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
    return " ".join(
        [
            f"Pruning removed {what}, without retraining; stored sparsely, the model goes {size}.",
            words.perplexity_sentence(metrics, outcome.tokens, "after pruning"),
            words.speed_sentence(metrics, fast, same),
            outcome.asked,
        ]
    ).strip()


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
