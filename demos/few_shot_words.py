"""How the few-shot experiment words what it measured: its summary, and what was predicted."""

from __future__ import annotations

from collections.abc import Mapping

from demos.shots import FEELINGS, sign_test

MORE, SAME, FEWER = "More", "About as many", "Fewer"


def examples_worded(count: int) -> str:
    """The count as a learner reads it: "no example", "1 example", "6 examples"."""
    return "no example" if count == 0 else "1 example" if count == 1 else f"{count} examples"


def summary_of(
    metrics: Mapping[str, float],
    shots: int,
    turned: tuple[int, int],
    commonest: tuple[str, int],
    wrong: bool = False,
) -> str:
    """`turned`: messages that few-shot turned right and wrong against zero-shot; `commonest`: the one-shot answer; `wrong`: whether the examples' feelings were."""
    zero, one, many = (f"{100 * metrics[f'accuracy_{key}']:.0f} %" for key in "01k")
    items, (gained, lost) = int(metrics["items"]), turned
    if sign_test(gained, lost) >= 0.05:
        verdict = "so this run does not prove that few-shot prompting helps or hurts"
    elif gained > lost:
        verdict = "so few-shot prompting helped, by more than chance would"
    else:
        verdict = "so few-shot prompting hurt, by more than chance would"
    parts = [
        f"The same weights sorted {items} messages as positive or negative: {zero} right zero-shot, {one} one-shot and "
        f"{many} with {shots} examples; guessing gives {100 / len(FEELINGS):.0f} %.",
        f"Against zero-shot, few-shot turned {gained} messages right and {lost} wrong, {verdict}.",
    ]
    if wrong:
        parts.insert(1, "Every solved example was given the wrong feeling on purpose.")
    feeling, count = commonest
    if metrics["accuracy_1"] < metrics["accuracy_0"] and count > 0.75 * items:
        parts.append(
            f"One-shot was worse than zero-shot here: a single example tipped the model to one side, and it answered "
            f"{feeling} for {count} of {items} messages."
        )
    parts.append(_order_sentence(metrics, shots))
    return " ".join(parts)


def _order_sentence(metrics: Mapping[str, float], shots: int) -> str:
    orders = int(metrics.get("orders", 1))
    if orders == 1:
        return "Few-shot results also depend on which examples are shown, and in which order: try another order."
    worst, best = metrics["accuracy_k_worst_order"], metrics["accuracy_k_best_order"]
    verdict = "order alone made a large difference" if best - worst >= 0.1 else "order made little difference here"
    return (
        f"The same {shots} examples in {orders} orders gave from {100 * worst:.0f} % to {100 * best:.0f} %: {verdict}."
    )


def one_against_none(metrics: Mapping[str, float | int]) -> str:
    """The true choice of the prediction; up to three points apart is about as many."""
    gain = metrics["accuracy_1"] - metrics["accuracy_0"]
    return MORE if gain > 0.03 else FEWER if gain < -0.03 else SAME
