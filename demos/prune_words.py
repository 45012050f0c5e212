"""How the pruning experiment words what it measured: levels, its summary, and what was predicted."""

from __future__ import annotations

from collections.abc import Mapping

from demos import words
from demos.compare import Outcome
from demos.masks import Level

FASTER, SAME, SLOWER = "Faster, since zeros are skipped", "About as fast as before", "Slower"


def worded(level: Level) -> str:
    """A level as the learner reads it: "70% zeros", "30% zeros, rows"."""
    structure, share = level
    return f"{share:.0%} zeros" if structure == "unstructured" else f"{share:.0%} zeros, {structure}"


def summary_of(outcome: Outcome[Level], own: Level, zeros: float, layers: str) -> str:
    """What was measured, sentence by sentence; `zeros` is the share of weights that are zero now in the `layers` that were pruned."""
    metrics, (structure, share), place = outcome.metrics, own, words.PLACES[layers]
    what = {
        "unstructured": f"the smallest {zeros:.0%} of the weights in each linear layer of {place}",
        "2:4": f"the two smaller of every four neighbouring weights in the linear layers of {place}",
        "rows": f"the weakest rows (output neurons), {zeros:.0%} of them, from each linear layer of {place}",
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
        *outcome.further_sentences(lambda level: f"{level[1]:.0%} {level[0]}"),
        words.speed_sentence(metrics, fast, same, "Both" if outcome.is_wide else ""),
    ]
    return words.paragraphs(parts, [outcome.asked])


def what_happens_to_speed(metrics: Mapping[str, float | int]) -> str:
    """The true choice of the prediction; within 15 % is as fast, as `words.speed_sentence` has it."""
    ratio = metrics["tokens_per_s"] / metrics["tokens_per_s_reference"]
    return FASTER if ratio > 1.15 else SLOWER if ratio < 1 / 1.15 else SAME
