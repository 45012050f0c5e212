"""Zero-shot, one-shot, few-shot: the same messages sorted by the same weights, with 0, 1 and k solved examples before.

The model continues a plain text (no chat template); its answer is the label whose first token it finds likeliest, so a
format error is impossible and only the choice is measured. The examples are read once, and their KV cache is shared by
all messages. Nothing is trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from demos import charts
from demos.base import Demo, DemoResult, Lab, Param, Progress, Table
from demos.measure import Span
from demos.shots import FEELINGS, LABELS, choose_shots, load_items, score_next, sign_test, wilson_interval

_COUNT = "two|three|four|five|six|seven|eight"


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    shots, order, labels = int(settings["shots"]), str(settings["order"]), LABELS[str(settings["labels"])]
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    pool, items = load_items("shot"), load_items("test")
    examples = {0: [], 1: pool[:1], shots: choose_shots(pool, shots, order, lab.seed)}
    answers: dict[int, list[str]] = {}
    correct: dict[int, list[bool]] = {}
    rows = []
    metrics: dict[str, float] = {"items": len(items), "shots": shots}
    for i, (key, count) in enumerate(zip("01k", examples, strict=True)):
        prompts = [labels.prefix(examples[count]) + labels.query(item.message) for item in items]
        span = Span(0.15 + 0.27 * i, 0.42 + 0.27 * i)
        candidates = [f" {labels.names[feeling]}" for feeling in FEELINGS]
        scores = yield from score_next(
            specimen, prompts, candidates, span, f"Sorting messages after {_examples(count)}"
        )
        answers[count] = [FEELINGS[best] for best in scores.argmax(1).tolist()]
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
                str(len(specimen.tokenizer(prompts[0])["input_ids"])),
            )
        )
    yield Progress(0.97, "Drawing")
    both = list(zip(correct[0], correct[shots], strict=True))
    turned = (both.count((False, True)), both.count((True, False)))
    yield DemoResult(
        summary=summary_of(metrics, shots, turned, Counter(answers[1]).most_common(1)[0]),
        table=Table(("Examples", "Right (%)", "95 % interval (%)", "Answers given", "Prompt (tokens)"), tuple(rows)),
        metrics=metrics,
        figure=charts.shots_chart(metrics, shots, 1 / len(FEELINGS)),
        figure_alt="Share of messages sorted right, with 95 % intervals: "
        + ", ".join(f"{row[1]} % after {_examples(int(row[0]))} ({row[2]} %)" for row in rows)
        + f"; guessing gives {100 / len(FEELINGS):.0f} %.",
        exhibits={
            f"Prompt with {_examples(count)}": labels.prefix(chosen) + labels.query(items[0].message)
            for count, chosen in examples.items()
        },
    )


def _examples(count: int) -> str:
    return "no example" if count == 0 else "1 example" if count == 1 else f"{count} examples"


def summary_of(metrics: Mapping[str, float], shots: int, turned: tuple[int, int], commonest: tuple[str, int]) -> str:
    """`turned`: messages that few-shot turned right and wrong against zero-shot; `commonest`: the one-shot answer."""
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
    feeling, count = commonest
    if metrics["accuracy_1"] < metrics["accuracy_0"] and count > 0.75 * items:
        parts.append(
            f"One-shot was worse than zero-shot here: a single example tipped the model to one side, and it answered "
            f"{feeling} for {count} of {items} messages."
        )
    parts.append("Few-shot results also depend on which examples are shown, and in which order: try another order.")
    return " ".join(parts)


FEW_SHOT = Demo(
    name="few_shot",
    title="Zero, one or a few examples in the prompt",
    concepts=("zero-vs-one-vs-few-shot",),
    params=(
        Param(
            "shots",
            4,
            "solved examples in the few-shot prompt",
            2,
            8,
            spoken=(rf"\b([2-9]|\d\d+|{_COUNT})[- ]?(?:shots?|examples?|demonstrations?)\b", r"\bshots *= *(\d+)"),
        ),
        Param(
            "order",
            "fixed",
            "order of the examples in the prompt",
            choices=("fixed", "reversed", "shuffled"),
            spoken=((r"\brevers\w+|\bbackwards?\b", "reversed"), (r"\bshuffl\w+|\brandom order\b", "shuffled")),
        ),
        Param(
            "labels",
            "words",
            "how feelings are written: as words, or as letters that the instruction explains",
            choices=("words", "letters"),
            spoken=((r"\bletters?\b", "letters"), (r"\bword labels?\b|\blabels? as words\b", "words")),
        ),
    ),
    run=run,
    words=r"\b(?:zero|one|few|two|three|four|five|six|seven|eight|\d+)[- ]?shots?\b|\bin[- ]context learning\b|"
    r"\bexamples? in (?:the|a) prompt\b",
)
