"""A student alone (distillation), and the same student as its teacher's draft model (speculative decoding).

A small decoder learns English letter by letter; a much smaller one is distilled from it (student.py). Then both write on from the same beginnings: the teacher
alone, the teacher with the student's guesses (drafting.py), and the student alone. Another student, which had no teacher, drafts for comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from demos import letters, speculative_words
from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress
from demos.drafting import Written, throw, write, write_with_drafts
from demos.finetuning import READ_WINDOWS, Rates, train
from demos.levels import TO
from demos.measure import Span
from demos.seeding import generator
from demos.speculative_chart import speculative_chart
from demos.speculative_words import FEW, SAME, STUDENTS
from demos.student import read_by_teacher, teach_student

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

TEACHER, TEACHER_STEPS, TEACHER_RATES = (160, 4), 200, Rates(4e-3, warm_up=10)  # width and layers
STUDENT, STUDENT_STEPS, STUDENT_RATES = (48, 1), 200, Rates(1e-2, warm_up=10)
WINDOWS = 900  # of text that students learn from
TEXTS, START, COUNT = 6, 24, 96  # texts, letters given of each, letters written of each
_SETS = "speculative-decoding-vs-distillation"


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    import torch

    ahead, temperature = int(settings["ahead"]), float(settings["temperature"])
    passages = yield from letters.read_passages(Span(0.0, 0.03))
    task = letters.task_of(passages)
    longest = max(letters.WINDOW, START + COUNT)
    teacher = letters.decoder(generator(lab.seed, 1), *TEACHER, longest)
    note = "Training the teacher on English"
    yield from train(
        teacher, task.training, generator(lab.seed, 2), TEACHER_RATES, TEACHER_STEPS, Span(0.03, 0.6), note
    )
    windows = letters.draw_windows(task.training, WINDOWS, generator(lab.seed, 4))
    targets = yield from read_by_teacher(
        teacher, windows, Span(0.6, 0.7), "The teacher reads what its student learns from"
    )
    students: dict[str, Module] = {}
    for (name, wanted), span in zip(
        {"distilled": targets, "untaught": None}.items(), Span(0.7, 0.82).split(1, 1), strict=True
    ):
        students[name] = letters.decoder(generator(lab.seed, 3), *STUDENT, longest)
        note = "Distilling a student" if wanted is not None else "Training a student without a teacher"
        yield from teach_student(
            students[name], windows, wanted, generator(lab.seed, 5), STUDENT_RATES, STUDENT_STEPS, span, note
        )

    starts = _starts(task.held_out)
    dice = throw(TEXTS, longest + 1, temperature, generator(lab.seed, 6))
    student = students["distilled"]
    spans = Span(0.82, 0.97).split(4, 3, 1, 3)
    alone = yield from write(teacher, starts, COUNT, dice, spans[0], "The teacher writes alone")
    drafted = yield from write_with_drafts(
        teacher, student, starts, COUNT, ahead, dice, spans[1], "The student guesses, the teacher checks"
    )
    quick = yield from write(student, starts, COUNT, dice, spans[2], "The student writes alone")
    other = yield from write_with_drafts(
        teacher, students["untaught"], starts, COUNT, ahead, dice, spans[3], "The untaught student guesses"
    )
    held_out = letters.spread_windows(task.held_out, READ_WINDOWS)
    with torch.no_grad():
        losses = {
            name: float(letters.letter_loss(model, held_out))
            for name, model in (("teacher", teacher), ("student", student))
        }
    weights = {
        name: sum(p.numel() for p in model.parameters()) for name, model in (("teacher", teacher), ("student", student))
    }
    written = TEXTS * COUNT
    metrics: dict[str, float] = {
        "ahead": ahead,
        "temperature": temperature,
        "letters": written,
        "passes": drafted.passes,
        "passes_untaught": other.passes,
        "kept_share": drafted.kept / max(1, drafted.guessed),
        "kept_share_untaught": other.kept / max(1, other.guessed),
        "same_drafted": _same(alone, drafted),
        "same_student": _same(alone, quick),
        "rate_teacher": written / alone.seconds,
        "rate_drafted": written / drafted.seconds,
        "rate_student": written / quick.seconds,
        **{f"loss_{name}": loss for name, loss in losses.items()},
        **{f"weights_{name}": count for name, count in weights.items()},
        "weights_both": sum(weights.values()),
    }
    yield Progress(0.97, "Drawing")
    ways = {"Teacher alone": alone, "Teacher with drafts": drafted, "Student alone": quick}
    yield DemoResult(
        summary=speculative_words.summary(metrics),
        table=speculative_words.table(metrics),
        metrics=metrics,
        figure=speculative_chart(
            {name: written / way.seconds for name, way in ways.items()},
            {name: _same(alone, way) for name, way in ways.items()},
        ),
        figure_alt=speculative_words.alt(metrics),
        exhibits={name: "\n".join(_shown(starts, way)) for name, way in ways.items()},
    )


def _starts(text: Tensor) -> list[Tensor]:
    """The beginnings [START] of texts that none was trained on."""
    apart = (len(text) - START) // TEXTS
    return [text[i * apart : i * apart + START] for i in range(TEXTS)]


def _same(one: Written, other: Written) -> float:
    """The share of places at which both have the same letter."""
    return sum(int((a == b).sum()) for a, b in zip(one.texts, other.texts, strict=True)) / sum(map(len, one.texts))


def _shown(starts: Sequence[Tensor], way: Written) -> list[str]:
    return [
        f"{letters.spelled(start)}|{letters.spelled(text)}".replace("\n", " ")
        for start, text in zip(starts, way.texts, strict=True)
    ]


_FEW = r"(\d+|one|two|three|four|five|six|seven|eight)"
_SPECULATIVE = r"(?:speculative (?:decoding|sampling)|speculation|assisted (?:generation|decoding)|draft(?:[- ]models?| tokens?| letters?)|drafters?)"
SPECULATIVE = Demo(
    name="speculative",
    title="A student alone (distillation), and as its teacher's draft (speculative decoding)",
    concepts=(_SETS, "pruning-vs-quantization"),
    because={
        "quality": (f"{_SETS}#speculative-decoding-does-not-lower-quality", 0),
        "speed": (f"{_SETS}#why-checking-is-cheaper-than-writing", 0),
    },
    params=(
        Param(
            "ahead",
            4,
            "letters that the student guesses before the teacher checks",
            1,
            8,
            spoken=(
                rf"\b{_FEW} (?:letters?|tokens?|guesses) (?:ahead|at (?:a time|once)|per (?:check|pass)|each time|in advance)\b",
                rf"\b(?:draft|guess)(?:s|ing|es)?(?: of| up to| only| just)? {_FEW} (?:letters?|tokens?|ahead|at (?:a time|once))\b",
                rf"\b{_FEW} draft(?:ed)? (?:letters?|tokens?|guesses)\b",
                rf"\bdrafts? of {_FEW}\b(?! ?%)|\b{_FEW}[- ](?:letter|token) drafts?\b",
                rf"\bahead{TO}(\d+)\b",
            ),
            loose=(
                rf"\b{_FEW} (?:letters?|tokens?|guesses)\b",
                rf"\b(?:draft|guess|look|propose|try)\w*(?: of| up to| only| just| with)? {_FEW}\b(?! ?%)",
            ),
        ),
        Param(
            "temperature",
            0.7,
            "how evenly letters are drawn; 0 takes the likeliest",
            0.0,
            2.0,
            spoken=(
                rf"\btemp(?:erature)?{TO}(\d+(?:\.\d+)?|\.\d+)(?![\d.]*\d)",
                (r"\bgreed(?:y|ily)\b|\b(?:always )?the likeliest (?:letter|token)\b", 0.0),
            ),
        ),
    ),
    run=run,
    words=rf"\b{_SPECULATIVE}\b(?:.{{0,30}}\btemperature\b)?|\bdistil\w*(?: (?:a|the|some) (?:small(?:er)?|tiny|little) (?:model|student|network))\b|\b(?:guess(?:es|ing)?|draft(?:s|ing)?) and (?:check|verify)\w*\b",
    verbs=r"distil+ (?:a|the|some) (?:small(?:er)?|tiny|little)? ?(?:model|student|network)\b",
    prediction=Prediction(
        question="A small student guesses the next letters, and its teacher checks them all at once and keeps those that it would have written. Beside what the teacher writes alone, what becomes of the text?",
        choices=(SAME, FEW, STUDENTS),
        outcome=speculative_words.outcome,
        gaps={
            FEW: f"{_SETS}#speculative-decoding-does-not-lower-quality",
            STUDENTS: f"{_SETS}#speculative-decoding-does-not-lower-quality",
        },
    ),
    say="show me speculative decoding live",
    measured="a small teacher and its student, trained for this run,",
)
