"""Zero-shot, one-shot, few-shot: the same messages sorted by the same weights, with 0, 1 and k solved examples before.

The model continues a plain text (no chat template); its answer is the label whose first token it finds likeliest, so a
format error is impossible and only the choice is measured. The examples are read once, and their KV cache is shared by
all messages. Nothing is trained. The few-shot prompt is also tried with the same examples in other orders (Lu et al. 2021,
arXiv:2104.08786, "Fantastically Ordered Prompts").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demos import charts
from demos.base import Demo, DemoResult, Lab, Prediction, Progress, Table
from demos.few_shot_settings import PARAMS
from demos.few_shot_words import FEWER, MORE, SAME, examples_worded, one_against_none, summary_of
from demos.measure import Span, Steps
from demos.shots import (
    FEELINGS,
    LABELS,
    Item,
    choose_shots,
    load_items,
    mislabelled,
    other_orders,
    score_next,
    wilson_interval,
)


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    shots, order, labels = int(settings["shots"]), str(settings["order"]), LABELS[str(settings["labels"])]
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    pool, items = load_items("shot"), load_items("test")
    if wrong := settings["answers"] == "wrong":
        pool = [mislabelled(item) for item in pool]
    examples = {0: [], 1: pool[:1], shots: choose_shots(pool, shots, order, lab.seed)}
    others = other_orders(examples[shots], int(settings["orders"]) - 1, lab.seed)
    spans = Span(0.1, 0.97).split(*[1] * (len(examples) + len(others)))

    def sort(chosen: Sequence[Item], span: Span, note: str) -> Steps[list[str]]:
        """The model's answer to each message after the given examples."""
        prompts = [labels.prefix(chosen) + labels.query(item.message) for item in items]
        scores = yield from score_next(specimen, prompts, [f" {labels.names[f]}" for f in FEELINGS], span, note)
        return [FEELINGS[best] for best in scores.argmax(1).tolist()]

    answers: dict[int, list[str]] = {}
    correct: dict[int, list[bool]] = {}
    rows = []
    metrics: dict[str, float] = {"items": len(items), "shots": shots, "orders": 1 + len(others)}
    for key, span, (count, chosen) in zip("01k", spans, examples.items(), strict=False):
        answers[count] = yield from sort(chosen, span, f"Sorting messages after {examples_worded(count)}")
        correct[count] = [answer == item.feeling for answer, item in zip(answers[count], items, strict=True)]
        right = sum(correct[count])
        low, high = wilson_interval(right, len(items))
        name = f"accuracy_{key}"
        metrics |= {name: right / len(items), f"{name}_low": low, f"{name}_high": high}
        rows.append(
            (
                str(count),
                f"{100 * right / len(items):.0f}",
                f"{100 * low:.0f}–{100 * high:.0f}",
                ", ".join(f"{answers[count].count(feeling)} {feeling}" for feeling in FEELINGS),
                str(len(specimen.tokenizer(labels.prefix(chosen) + labels.query(items[0].message))["input_ids"])),
            )
        )
    shares = []
    for i, chosen in enumerate(others, 1):
        note = f"Sorting messages after the same examples in another order ({i} of {len(others)})"
        given = yield from sort(chosen, spans[len(examples) + i - 1], note)
        shares.append(sum(a == item.feeling for a, item in zip(given, items, strict=True)) / len(items))
    metrics["accuracy_k_worst_order"] = min([metrics["accuracy_k"], *shares])
    metrics["accuracy_k_best_order"] = max([metrics["accuracy_k"], *shares])
    if shares:
        all_right = ", ".join(f"{100 * share:.0f}" for share in shares)
        rows.append((f"{shots}, in other orders", all_right, "", "", rows[-1][4]))
    yield Progress(0.97, "Drawing")
    both = list(zip(correct[0], correct[shots], strict=True))
    turned = (both.count((False, True)), both.count((True, False)))
    yield DemoResult(
        summary=summary_of(metrics, shots, turned, Counter(answers[1]).most_common(1)[0], wrong),
        table=Table(("Examples", "Right (%)", "95 % interval (%)", "Answers given", "Prompt (tokens)"), tuple(rows)),
        metrics=metrics,
        figure=charts.shots_chart(metrics, shots, 1 / len(FEELINGS), shares),
        figure_alt="Share of messages sorted right, with 95 % intervals: "
        + ", ".join(f"{row[1]} % after {examples_worded(int(row[0]))} ({row[2]} %)" for row in rows[: len(examples)])
        + f"; guessing gives {100 / len(FEELINGS):.0f} %."
        + (f" The same {shots} examples in other orders: {rows[-1][1]} %." if shares else ""),
        exhibits={
            f"Prompt with {examples_worded(count)}": labels.prefix(chosen) + labels.query(items[0].message)
            for count, chosen in examples.items()
        },
    )


FEW_SHOT = Demo(
    name="few_shot",
    title="Zero, one or a few examples in the prompt",
    concepts=("zero-vs-one-vs-few-shot",),
    params=PARAMS,
    run=run,
    prediction=Prediction(
        question="One solved example goes into the prompt. How many messages will be sorted right, against none?",
        choices=(MORE, SAME, FEWER),
        outcome=one_against_none,
        gaps={MORE: "zero-vs-one-vs-few-shot#more-few-shot-examples-do-not-always-help"},
    ),
    words=r"\b(?:zero|one|few|two|three|four|five|six|seven|eight|\d+)[- ]?shots?\b|\bin[- ]context learning\b|"
    r"\bexamples? in(?:to)? (?:the|a) prompt\b|\b(?:zero|no) examples?,? (?:vs\.?|versus|against|or|then|and|(?:with )?one)\b",
    verbs=r"(?:give|put|use) .{0,30}\bexamples? in(?:to)? (?:the|a) prompt\b",
    because={
        "quality": ("zero-vs-one-vs-few-shot#one-shot-or-few-shot", 2),
        "bigger": ("zero-vs-one-vs-few-shot#few-shot-prompts-with-small-models", 0),
    },
    say="run few-shot with 6 examples",
)
