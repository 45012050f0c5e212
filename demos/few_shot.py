"""Zero-shot, one-shot, few-shot: the same messages sorted by the same weights, with 0, 1 and k solved examples before.

The model continues a plain text (no chat template); its answer is the topic whose first token it finds likeliest, so a
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
from demos.shots import LABELS, TOPICS, choose_shots, load_items, score_next, wilson_interval

_COUNT = "two|three|four|five|six|seven|eight"


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    shots, order, labels = int(settings["shots"]), str(settings["order"]), LABELS[str(settings["labels"])]
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    pool, items = load_items("shot"), load_items("test")
    examples = {0: [], 1: pool[:1], shots: choose_shots(pool, shots, order, lab.seed)}
    answers: dict[int, list[str]] = {}
    rows = []
    metrics: dict[str, float] = {"items": len(items), "shots": shots}
    for i, (key, count) in enumerate(zip("01k", examples, strict=True)):
        prompts = [labels.prefix(examples[count]) + labels.query(item.message) for item in items]
        span = Span(0.15 + 0.27 * i, 0.42 + 0.27 * i)
        candidates = [f" {labels.names[topic]}" for topic in TOPICS]
        scores = yield from score_next(
            specimen, prompts, candidates, span, f"Sorting messages after {_examples(count)}"
        )
        answers[count] = [TOPICS[best] for best in scores.argmax(1).tolist()]
        right = sum(answer == item.topic for answer, item in zip(answers[count], items, strict=True))
        low, high = wilson_interval(right, len(items))
        metrics |= {f"accuracy_{key}": right / len(items), f"accuracy_{key}_low": low, f"accuracy_{key}_high": high}
        rows.append(
            (
                str(count),
                f"{100 * right / len(items):.0f}",
                f"{100 * low:.0f}–{100 * high:.0f}",
                ", ".join(f"{answers[count].count(topic)} {topic}" for topic in TOPICS),
                str(len(specimen.tokenizer(prompts[0])["input_ids"])),
            )
        )
    yield Progress(0.97, "Drawing")
    yield DemoResult(
        summary=_summary(metrics, shots, Counter(answers[1]).most_common(1)[0], pool[0].topic),
        table=Table(("Examples", "Right (%)", "95 % interval (%)", "Answers given", "Prompt (tokens)"), tuple(rows)),
        metrics=metrics,
        figure=charts.shots_chart(metrics, shots, 1 / len(TOPICS)),
        figure_alt="Share of messages sorted right, with 95 % intervals: "
        + ", ".join(f"{row[1]} % after {_examples(int(row[0]))} ({row[2]} %)" for row in rows)
        + f"; guessing gives {100 / len(TOPICS):.0f} %.",
        exhibits={
            f"Prompt with {_examples(count)}": labels.prefix(chosen) + labels.query(items[0].message)
            for count, chosen in examples.items()
        },
    )


def _examples(count: int) -> str:
    return "no example" if count == 0 else "1 example" if count == 1 else f"{count} examples"


def _summary(metrics: Mapping[str, float], shots: int, commonest: tuple[str, int], shown: str) -> str:
    zero, one, many = (f"{100 * metrics[f'accuracy_{key}']:.0f} %" for key in "01k")
    items = int(metrics["items"])
    apart = metrics["accuracy_k_low"] > metrics["accuracy_0_high"]
    worse = metrics["accuracy_k_high"] < metrics["accuracy_0_low"]
    if apart:
        verdict = "so few-shot prompting clearly helped here"
    elif worse:
        verdict = "so few-shot prompting clearly hurt here: a model this small can copy the examples' labels blindly"
    else:
        verdict = "but the intervals of zero-shot and few-shot overlap, so this run does not prove a difference"
    parts = [
        f"The same weights sorted {items} messages into {len(TOPICS)} topics: {zero} right zero-shot, {one} one-shot and "
        f"{many} with {shots} examples, {verdict} (guessing gives {100 / len(TOPICS):.0f} %)."
    ]
    topic, count = commonest
    if metrics["accuracy_1"] < metrics["accuracy_0"] and topic == shown and count > items / 2:
        parts.append(
            f"One-shot was worse than zero-shot, because a small model copies: its only example is about {shown}, and it "
            f"answered {shown} for {count} of {items} messages."
        )
    parts.append("Which examples stand in the prompt, and in which order, moves these numbers too: try another order.")
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
            "how topics are written: as words, or as letters that the instruction explains",
            choices=("words", "letters"),
            spoken=((r"\bletters?\b", "letters"), (r"\bword labels?\b|\blabels? as words\b", "words")),
        ),
    ),
    run=run,
    words=r"\b(?:zero|one|few|two|three|four|five|six|seven|eight|\d+)[- ]?shots?\b|\bin[- ]context learning\b|"
    r"\bexamples? in (?:the|a) prompt\b",
)
