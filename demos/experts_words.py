"""How the mixture-of-experts experiment words what it measured."""

from __future__ import annotations

import math
from collections.abc import Mapping

from demos.token_kinds import ANSWERS, KINDS
from demos.words import number, paragraphs

CHANCE = math.log(ANSWERS)
"""Loss of guessing, in nats."""


def bars(metrics: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Metric key, name and note of each network, in the figure's order."""
    names = {"dense_active": "dense,\nequal active", "moe": "mixture\nof experts", "dense_total": "dense,\nequal total"}
    return [
        (key, name, f"{metrics[f'active_parameters_{key}']:,} of {metrics[f'parameters_{key}']:,} weights used a token")
        for key, name in names.items()
    ]


def rows(metrics: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """The table's rows: a measure and its value for each network."""
    keys = ("dense_active", "moe", "dense_total")
    counted = (
        ("Total parameters", "parameters"),
        ("Active parameters (a token)", "active_parameters"),
        ("FLOPs a token", "flops_per_token"),
    )
    return (
        *((head, *(f"{metrics[f'{name}_{key}']:,.0f}" for key in keys)) for head, name in counted),
        ("Held-out loss (nats)", *(number(metrics[f"loss_{key}"]) for key in keys)),
        ("Right answers (%)", *(f"{100 * metrics[f'accuracy_{key}']:.0f}" for key in keys)),
        ("Idle experts", "", f"{metrics['idle_experts']} of {metrics['experts']}", ""),
    )


def summary(metrics: Mapping[str, float], balanced: bool) -> str:
    """What was measured, sentence by sentence; `balanced` says whether the balancing loss was on."""
    experts, active = int(metrics["experts"]), int(metrics["active"])
    chosen = "one" if active == 1 else "two"
    nothing_to_choose = "Each token passes all the experts, so the router has nothing to choose."
    return paragraphs(
        [
            f"The mixture holds {metrics['parameters_moe']:,} weights (total parameters), but a router sends each token "
            f"to {chosen} of its {experts} experts, so a token passes {metrics['active_parameters_moe']:,} (active "
            f"parameters) and costs {metrics['flops_per_token_moe']:,.0f} FLOPs, that is, basic calculations; the dense "
            f"layer with equal active parameters costs {metrics['flops_per_token_dense_active']:,.0f} and holds "
            f"{metrics['parameters_dense_active']:,} weights.",
            _loss(metrics),
            nothing_to_choose if active == experts else _specialised(metrics),
        ],
        [
            f"Three small networks learned the same task: {len(KINDS)} kinds of tokens, each with a hidden rule of its own.",
            "" if active == experts else _balance(metrics, balanced),
        ],
    )


def _loss(metrics: Mapping[str, float]) -> str:
    """0.01 nats and less is what another order of training moves."""
    moe, cheap, large = (metrics[f"loss_{key}"] for key in ("moe", "dense_active", "dense_total"))
    cost = metrics["flops_per_token_dense_total"] / metrics["flops_per_token_moe"]
    if abs(moe - cheap) <= 0.01:
        first = "The mixture won nothing by it"
    else:
        first = f"For that calculation, the mixture learned {'more' if moe < cheap else 'less'}"
    price = f"{cost:.1f} times the calculation a token" if cost > 1.2 else "about the same calculation a token"
    verdict = "worse" if large > moe + 0.01 else "better" if large < moe - 0.01 else "no different"
    return (
        f"{first}: its loss on new tokens, that is, its surprise at the right answers, is {number(moe)} nats, against "
        f"{number(cheap)} for that dense layer (lower is better); a dense layer with all the mixture's weights "
        f"gets {number(large)}, which is {verdict}, for {price}."
    )


def _specialised(metrics: Mapping[str, float]) -> str:
    share = metrics["favourite_share"]
    even = metrics["active"] / metrics["experts"]
    often = f"on average {100 * share:.0f} % of a kind's tokens go to its favourite expert (evenly spread: {100 * even:.0f} %)"
    if share < 1.5 * even:
        return f"The experts did not specialise by kind: {often}."
    return (
        f"Without being told, the experts specialised by kind: {often}; the task was made so that this pays, which says "
        "nothing about subjects such as law or poetry in a large model."
    )


def _balance(metrics: Mapping[str, float], balanced: bool) -> str:
    def told(end: str) -> str:
        idle = int(metrics[f"idle_experts{end}"])
        busiest = 100 * metrics[f"busiest_share{end}"]
        left = "no expert" if idle == 0 else f"{idle} of {metrics['experts']} experts"
        return f"{left} nearly idle and sent {busiest:.0f} % of the tokens to the busiest one"

    on, off = ("", "_control") if balanced else ("_control", "")
    text = f"With load balancing, training left {told(on)}; without, it left {told(off)}"
    collapsed = metrics[f"idle_experts{off}"] - metrics[f"idle_experts{on}"]
    if collapsed <= 0:
        return f"{text}: the routing did not collapse in this run."
    loss_on, loss_off = (metrics[f"loss_{'moe' if end == '' else 'control'}"] for end in (on, off))
    price = f"loss {number(loss_off)} without, {number(loss_on)} with balancing"
    if loss_off > loss_on + 0.01:
        return f"{text}: weights that are held and hardly used ({price})."
    return f"{text}: weights that are held and hardly used, though the small task did not suffer ({price})."
