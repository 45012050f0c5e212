"""Dense against mixture of experts: the same task, learned by networks with one layer of each kind.

One dense layer has as many parameters as the mixture uses for a token (equal active parameters, so equal calculation),
another as many as the mixture holds (equal total parameters). The mixture is trained with and without load balancing
(Fedus et al. 2021, Switch Transformers, arXiv:2101.03961); nobody tells it which expert should do what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from demos import experts_words, moe, token_kinds
from demos.base import Demo, DemoResult, Lab, Prediction, Progress, Table
from demos.experts_settings import PARAMS
from demos.measure import Span
from demos.routing_chart import routing_chart
from demos.seeding import generator
from demos.words import number

if TYPE_CHECKING:
    from torch.nn import Module

_MEMORY = "dense-vs-mixture-of-experts#a-mixture-of-experts-does-not-save-memory"
SAME, MORE, FEWER = "about as many for both", "more for the mixture of experts", "fewer for the mixture of experts"


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    experts, active, balanced = int(settings["experts"]), int(settings["active"]), settings["balance"] == "on"
    yield Progress(0.0, "Making up tokens of six kinds, each with a rule of its own")
    batches = token_kinds.training_batches(lab.seed)
    held_out = token_kinds.draw_tokens(token_kinds.HELD_OUT, lab.seed, 2)

    def mixture() -> Module:
        return moe.mixture(experts, active, generator(lab.seed, 3))

    def dense(wanted: int) -> Module:
        return moe.feed_forward(moe.matching_hidden(wanted), generator(lab.seed, 3))

    total, used = moe.parameters(mixture()), moe.active_parameters(mixture(), active)
    other = "without" if balanced else "with"
    plan = {
        "dense_active": (dense(used), 0.0, "Training a dense layer that calculates as much a token"),
        "dense_total": (dense(total), 0.0, "Training a dense layer that holds as many weights"),
        "moe": (mixture(), token_kinds.BALANCE * balanced, f"Training {experts} experts and their router"),
        "control": (mixture(), token_kinds.BALANCE * (not balanced), f"For comparison, {other} load balancing"),
    }
    ends = (0.04, 0.14, 0.24, 0.58, 0.92)
    readings: dict[str, token_kinds.Reading] = {}
    metrics: dict[str, float] = {"experts": experts, "active": active}
    for i, (name, (layer, balance, note)) in enumerate(plan.items()):
        model = token_kinds.network(layer, lab.seed)
        yield from token_kinds.train(model, batches, balance, active, Span(ends[i], ends[i + 1]), note)
        readings[name] = reading = token_kinds.read(model, held_out)
        metrics |= {f"loss_{name}": reading.loss, f"accuracy_{name}": reading.accuracy}
        if name != "control":
            # Embedding and head are alike in all networks; every token passes them.
            shared = moe.parameters(model) - moe.parameters(layer)
            passed = moe.parameters(layer) if name != "moe" else used
            metrics |= {
                f"parameters_{name}": moe.parameters(model),
                f"active_parameters_{name}": shared + passed,
                f"flops_per_token_{name}": reading.flops,
            }
    yield Progress(0.94, "Counting where the tokens went")
    for name, end in (("moe", ""), ("control", "_control")):
        metrics |= {f"{key}{end}": value for key, value in readings[name].load(active).items()}
    shares = readings["moe"].kind_shares(held_out.kind, active)
    metrics["favourite_share"] = float(shares.max(1).values.mean())
    rows = experts_words.rows(metrics)
    title = f"% of each kind's tokens at each expert {'with' if balanced else 'without'} balancing"
    bars = {name: (metrics[f"loss_{key}"], note) for key, name, note in experts_words.bars(metrics)}
    yield DemoResult(
        summary=experts_words.summary(metrics, balanced),
        table=Table(("Measure", "Dense, equal active", "Mixture of experts", "Dense, equal total"), rows),
        metrics=metrics,
        figure=routing_chart(shares, token_kinds.KINDS, bars, experts_words.CHANCE, title),
        figure_alt="Top: "
        + "; ".join(
            f"{kind} go most often to expert {int(row.argmax()) + 1} ({100 * float(row.max()):.0f} %)"
            for kind, row in zip(token_kinds.KINDS, shares, strict=True)
        )
        + ". Bottom: held-out loss "
        + ", ".join(f"{number(loss)} {' '.join(name.split())}" for name, (loss, _) in bars.items())
        + ".",
    )


def _outcome(metrics: Mapping[str, float | int]) -> str:
    ratio = metrics["parameters_moe"] / metrics["parameters_dense_active"]
    return MORE if ratio > 1.2 else FEWER if ratio < 1 / 1.2 else SAME


EXPERTS = Demo(
    name="experts",
    title="Train a mixture of experts beside a dense layer",
    concepts=("dense-vs-mixture-of-experts",),
    because={"quality": ("dense-vs-mixture-of-experts#why-build-a-mixture-of-experts", 0)},
    params=PARAMS,
    run=run,
    words=r"\bmixtures?(?:[- ]of[- ](?:\d+ )?experts?)?\b|\bmoes?\b|\bexperts?\b|\brout(?:er|ing)\b(?: collapse)?|\bload[- ]balanc\w+|"
    r"\b(?:total|active) param\w+",
    verbs=r"train (?:an? |the )?(?:small |tiny )?(?:mixture of (?:\d+ )?experts|moe)\b",
    prediction=Prediction(
        "A dense layer and a mixture of experts do the same amount of calculation for each token. For which of them must "
        "more weights be held in memory?",
        (SAME, MORE, FEWER),
        _outcome,
        {SAME: _MEMORY, FEWER: _MEMORY},
    ),
    say="show me a mixture of 4 experts",
    measured="small networks trained for this run",
)
