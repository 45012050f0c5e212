"""How the fine-tuning experiment words what it measured."""

from __future__ import annotations

from collections.abc import Mapping

from demos.words import number, paragraphs

METHODS = {"full": "Full fine-tuning", "lora": "LoRA", "qlora": "QLoRA"}
SAME = 0.02  # nats that another draw of the batches moves the loss


def rows(metrics: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """The table's rows: a measure and its value for each method."""

    def row(head: str, name: str, form: str) -> tuple[str, ...]:
        return (head, *(format(metrics[f"{name}_{key}"], form) for key in METHODS))

    return (
        row("Trained parameters", "trained", ",d"),
        row("Weights (MB)", "weights_mb", ".2f"),
        row("Gradients (MB)", "gradients_mb", ".2f"),
        row("Adam's running values (MB)", "adam_mb", ".2f"),
        row("Memory in all, without activations (MB)", "memory_mb", ".2f"),
        row("To store for this task (MB)", "to_store_mb", ".2f"),
        row("Loss on new text (nats)", "loss_new", ".2f"),
        row("Loss on old text (nats)", "loss_old", ".2f"),
    )


def alt(metrics: Mapping[str, float]) -> str:
    """The figure in words."""
    return (
        f"Held-out loss on the new text starts at {metrics['loss_new_before']:.2f}, on the old at "
        f"{metrics['loss_old_before']:.2f}. After fine-tuning: "
        + "; ".join(
            f"{name} {metrics[f'loss_new_{key}']:.2f} new, {metrics[f'loss_old_{key}']:.2f} old, "
            f"{metrics[f'memory_mb_{key}']:.2f} MB"
            for key, name in METHODS.items()
        )
        + "."
    )


def summary(metrics: Mapping[str, float]) -> str:
    """What was measured, sentence by sentence."""
    share = {key: 100 * metrics[f"memory_mb_{key}"] / metrics["memory_mb_full"] for key in METHODS}
    rank = int(metrics["rank"])
    return paragraphs(
        [
            f"A small network of {metrics['parameters']:,} weights learned to continue English letter by letter and was "
            "then fine-tuned on English without vowels in three ways.",
            f"Full fine-tuning trained all weights, while LoRA of rank {rank} froze them and trained "
            f"{metrics['trained_lora']:,} in extra matrices ({100 * metrics['trained_share_lora']:.1f} % as many), yet it "
            f"took {share['lora']:.0f} % of the memory, since the frozen weights must be held, too; QLoRA, which holds "
            f"them in 4 bits, took {share['qlora']:.0f} %.",
            _learned(metrics),
        ],
        [
            _forgotten(metrics),
            f"Rank, alpha, number of steps and learning rate were set beforehand, so they are hyperparameters; the "
            f"{metrics['trained_lora']:,} numbers that LoRA's training set are parameters.",
        ],
    )


def _learned(metrics: Mapping[str, float]) -> str:
    full, lora, qlora = (metrics[f"loss_new_{key}"] for key in METHODS)
    before = metrics["loss_new_before"]
    numbers = (
        f"Loss, the mean surprise at the next letter, in new text never trained on went from {number(before)} to {number(full)} nats with full "
        f"fine-tuning, {number(lora)} with LoRA and {number(qlora)} with QLoRA (lower is better)"
    )
    if min(full, lora) > before - SAME:
        return f"{numbers}: nothing was learned."
    if lora > full + SAME:
        return f"{numbers}: LoRA learned {(before - lora) / (before - full):.0%} as much as full fine-tuning."
    if lora < full - SAME:
        return f"{numbers}: LoRA learned more than full fine-tuning."
    return f"{numbers}: LoRA learned as much as full fine-tuning."


def _forgotten(metrics: Mapping[str, float]) -> str:
    before = metrics["loss_old_before"]
    full, lora, qlora = (metrics[f"loss_old_{key}"] for key in METHODS)
    numbers = (
        f"Loss on the old text went from {number(before)} to {number(full)}, {number(lora)} and {number(qlora)}, in the "
        "same order"
    )
    if max(full, lora) < before + SAME:
        return f"{numbers}: nothing was forgotten."
    if lora < full - SAME:
        verdict = "each way forgot, LoRA less than full fine-tuning"
    elif lora > full + SAME:
        verdict = "each way forgot, LoRA in this run even more than full fine-tuning"
    else:
        verdict = "each way forgot, LoRA as much as full fine-tuning"
    return f"{numbers}: {verdict}, a side effect that RAG does not have, since it leaves the model as it is."
