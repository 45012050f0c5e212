"""How the experiment on rounding after training and training with rounding words what it measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demos.base import Table
from demos.words import number, paragraphs

SAME = 0.01  # nats that another draw of the batches moves a loss
NONE, LITTLE, MUCH, UNHURT = (
    "Nothing: both end with the same few bits",
    "Less than half of it",
    "More than half of it",
    "Nothing, as rounding costs nothing here",
)


def outcome(metrics: Mapping[str, float | int]) -> str:
    """The true choice of the prediction."""
    if damage_of(metrics) < SAME:
        return UNHURT
    share = won_back(metrics)
    return NONE if share < 0.05 else LITTLE if share < 0.5 else MUCH


def damage_of(metrics: Mapping[str, float | int], bits: int | None = None) -> float:
    """By how many nats rounding after training raises the loss, at the run's own bits if none are given."""
    return metrics[f"loss_ptq_{_bits(metrics, bits)}"] - metrics["loss_exact"]


def won_back(metrics: Mapping[str, float | int], bits: int | None = None) -> float:
    """The share of that rise which training with rounded weights avoids; more than 1 where it ends below the exact weights."""
    bits = _bits(metrics, bits)
    return (metrics[f"loss_ptq_{bits}"] - metrics[f"loss_qat_{bits}"]) / damage_of(metrics, bits)


def _bits(metrics: Mapping[str, float | int], bits: int | None) -> int:
    return int(metrics["bits"]) if bits is None else bits


def table(metrics: Mapping[str, float], levels: Sequence[int]) -> Table:
    """One row a number of bits, and the exact weights above them."""
    exact = number(metrics["loss_exact"])
    return Table(
        ("Weights", "Size (MB)", "Loss with PTQ (nats)", "Loss with QAT (nats)"),
        (
            ("not rounded", f"{metrics['size_mb_exact']:.2f}", exact, exact),
            *(
                (
                    _unit(bits),
                    f"{metrics[f'size_mb_{bits}']:.2f}",
                    number(metrics[f"loss_ptq_{bits}"]),
                    number(metrics[f"loss_qat_{bits}"]),
                )
                for bits in levels
            ),
        ),
    )


def summary(metrics: Mapping[str, float], levels: Sequence[int]) -> str:
    """What was measured, sentence by sentence."""
    steps, rounded_mb = int(metrics["steps"]), metrics[f"size_mb_{int(metrics['bits'])}"]
    others = [bits for bits in levels if bits != int(metrics["bits"])]
    return paragraphs(
        [
            f"A small network that had learned English letter by letter was trained for {steps} more steps in two ways: with exact weights that were "
            f"rounded in the end (PTQ), and with weights that were rounded in every step (QAT).",
            _verdict(metrics, int(metrics["bits"])),
            f"Both end with the same size, {rounded_mb:.2f} MB instead of {metrics['size_mb_exact']:.2f}.",
            f"Forward and backward pass of a training step took {metrics['step_ms_qat']:.0f} ms with rounding and {metrics['step_ms_exact']:.0f} ms without.",
        ],
        [
            *_unhurt(metrics, others),
            *(_verdict(metrics, bits) for bits in others if damage_of(metrics, bits) >= SAME),
            "Loss is the mean surprise at the next letter, in text never trained on (lower is better).",
        ],
    )


def _unhurt(metrics: Mapping[str, float], levels: Sequence[int]) -> list[str]:
    """One sentence for all the levels at which rounding does no harm."""
    unhurt = [str(bits) for bits in levels if damage_of(metrics, bits) < SAME]
    if not unhurt:
        return []
    return [f"At {' and '.join(unhurt)} bits rounding alone does hardly any harm, so QAT has nothing to win back."]


def _verdict(metrics: Mapping[str, float], bits: int) -> str:
    exact, ptq, qat = (metrics[name] for name in ("loss_exact", f"loss_ptq_{bits}", f"loss_qat_{bits}"))
    numbers = f"At {_unit(bits)} the loss is {number(ptq)} nats with PTQ and {number(qat)} with QAT, against {number(exact)} with exact weights"
    if damage_of(metrics, bits) < SAME:
        return f"{numbers}: rounding alone does hardly any harm, so there is nothing for QAT to win back."
    share = won_back(metrics, bits)
    if share < 0.05:
        return f"{numbers}: QAT wins nothing back."
    if share >= 1:
        return f"{numbers}: QAT wins back all that rounding costs."
    return f"{numbers}: QAT wins back {share:.0%} of what rounding costs."


def _unit(bits: int) -> str:
    return f"{bits} bit" + "s" * (bits > 1)


def alt(metrics: Mapping[str, float], levels: Sequence[int]) -> str:
    """The figure in words."""
    return (
        f"Held-out loss with exact weights {number(metrics['loss_exact'])}; "
        + "; ".join(
            f"at {_unit(bits)} {number(metrics[f'loss_ptq_{bits}'])} with PTQ, {number(metrics[f'loss_qat_{bits}'])} with QAT"
            for bits in levels
        )
        + "."
    )
