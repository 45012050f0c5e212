"""The report card (`make report`): every figure on the reported part, and every failure, in docs/report-card.md.

Its head names the knowledge and the adapter that were measured, so that a test can tell when it is out of date.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from knowledge.classifier import FITTED as CLASSIFIER
from knowledge.concept_files import CONCEPTS, PHRASINGS
from knowledge.coverage import ELSEWHERE
from knowledge.coverage import FITTED as COVERAGE
from knowledge.dialogue import DIALOGUE
from knowledge.embedder import TUNED
from tutor.chat import Tutor
from tutor.choosing.causal_classifier import CHANGE as CLASSIFYING
from tutor.choosing.encoder_classifier import OUTPUT
from tutor.choosing.several import FITTED as SEVERAL
from tutor.choosing.unspoken import FITTED as UNSPOKEN
from tutor.choosing.weighing import FITTED as CHOICE
from tutor.context.elliptic import FITTED as ELLIPTIC
from tutor.context.leaning import FITTED as LEANING
from tutor.distill.examples import FOLDER as EXAMPLES
from tutor.engines.adapter import ADAPTER
from tutor.engines.large_encoder import CHANGE as ENCODING
from tutor.engines.local import LocalEngine
from tutor.engines.weights import ensure_tutor_model
from tutor.evaluation import comparison, read_answers
from tutor.evaluation.answering import evaluate_answers
from tutor.evaluation.finding import Finding, evaluate_finding
from tutor.evaluation.injection import evaluate_check, keep_check, kept_check
from tutor.evaluation.items import FOLDER as EXAM
from tutor.evaluation.items import Half, load_items
from tutor.judging import FITTED as JUDGING
from tutor.judging import load_judge
from tutor.open import open_tutor
from tutor.requests.manner import FITTED as MANNER
from tutor.settings import Settings
from tutor.verdict.agreement import FITTED as AGREEMENT
from tutor.verdict.causal_reader import CHANGE as READING
from tutor.verdict.closed import FITTED as CLOSED
from tutor.verdict.reader import FITTED as READER

log = logging.getLogger(__name__)

REPORT = Path(__file__).parents[2] / "docs" / "report-card.md"


_TUNING_EVERY = 24  # of the items that were tuned on: there a figure only shows how much worse the others do, and to look all of them up takes longer than all else


def measured_state() -> str:
    """Sixteen hex digits that change with whatever answers rest on, notes, ways to ask, teacher examples, every fitted file, and with the exam."""
    digest = hashlib.sha256()
    exam = (
        *sorted(EXAM.glob("fresh-*.jsonl")),
        *sorted(EXAM.glob("written/fresh*.jsonl")),
        *sorted(EXAM.glob("reading/*.jsonl")),
    )
    written = (*sorted(CONCEPTS.glob("*.md")), *sorted(PHRASINGS.glob("*.txt")), ELSEWHERE, *exam)
    fitted = (
        *TUNED,
        DIALOGUE,
        CLASSIFIER,
        COVERAGE,
        READER,
        AGREEMENT,
        CHOICE,
        JUDGING,
        CLOSED,
        MANNER,
        LEANING,
        SEVERAL,
        UNSPOKEN,
        ELLIPTIC,
        ADAPTER / "adapter_model.safetensors",
        READING / "adapter_model.safetensors",
        CLASSIFYING / "adapter_model.safetensors",
        ENCODING / "adapter_model.safetensors",
        ENCODING / OUTPUT,
    )
    for path in (*written, *sorted(EXAMPLES.glob("*.jsonl")), *fitted):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def evaluate(tutor: Tutor, half: Half, answers: bool = True) -> Finding:
    """The figures of one part of the labelled set; `answers` also asks the model."""
    items = [item for item in load_items() if item.half == half]
    if half == "tune":
        items = items[::_TUNING_EVERY]
    assert tutor.manner is not None  # which every tutor has that was opened
    finding = evaluate_finding(items, tutor.search, tutor.taught, tutor.manner)
    return merged(finding, evaluate_answers(items, tutor)) if answers else finding


def measure_check(tutor: Tutor) -> Finding:
    """How the check of freely written sentences does, measured anew."""
    model = LocalEngine.load(ensure_tutor_model(Settings.from_environ().cache, adapter=None), "as published")
    assert tutor.readers is not None
    return evaluate_check(tutor.search, load_judge(model, tutor.readers))


def checked(tutor: Tutor) -> tuple[Finding, str]:
    """The check's figures as they are kept, or measured anew where what they rest on changed; and the day they were measured."""
    kept = kept_check()
    if kept is None:
        keep_check(measure_check(tutor))
        kept = kept_check()
    assert kept is not None
    return kept


def merged(*findings: Finding) -> Finding:
    """Their figures and failures in one."""
    return Finding(
        {name: figure for finding in findings for name, figure in finding.figures.items()},
        [line for finding in findings for line in finding.failures],
    )


def compared() -> str:
    """The comparison of ways to answer, as readers judged it."""
    rows = "".join(
        f"| {way} | {f['answers']} | {f['right']} | {f['right_on_held_out_sets']} | {f['false']} | {f['needless']} |\n"
        for way, f in comparison.figures().items()
    )
    return (
        "## Ways to answer, compared\n\n"
        "150 questions never trained on, the same notes for all, judged answer by answer by three readers who did not see the way "
        "(`tutor/evaluation/comparison/`; made by `python -m tutor.evaluation.comparison`). Right: answers what was asked, as a teacher would sign it. False: "
        "some sentence or opening is untrue. Freely worded training was measured before, on 17 questions: 4 to 5 right, about 10 with a false sentence "
        "(`python -m tutor.distill.train --free` repeats it).\n\n"
        "| Way | Answers | Right | Right, sets held out of training | With something false | With a needless sentence |\n|---|---|---|---|---|---|\n"
        f"{rows}\nWhat ships is the last: none of its sentences is untrue, as none is its own; what was judged false are openings, Yes for No. It was judged before teaching, tuned encoder and reader weighed in (tutor/choosing/weighing.py), so it compares ways to decode, not the tutor of today.\n\n"
    )


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tutor = open_tutor(Settings.from_environ())
    tune, report = evaluate(tutor, "tune", answers=False), evaluate(tutor, "report")
    check, made = checked(tutor)
    report = merged(report, check)
    report.figures |= read_answers.figures(read_answers.answers_of(tutor))
    card = json.loads((ADAPTER / "training-card.json").read_text())
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | {value} | {tune.figures.get(name, '')} |"
        for name, value in report.figures.items()
        if value is not None
    )
    failures = "\n".join(f"- {line}" for line in report.failures)
    REPORT.write_text(
        f"# Report card\n\nMade by `make report`. State: `{measured_state()}`.\n\n"
        "The reported part (`tutor/evaluation/fresh-*.jsonl`) is what eight learners typed who had not read the notes, first and second messages (docs/labelled-set.md), and, written by readers of the "
        f"notes, near misses, small talk and wishes for experiments; nothing was tuned on it. Rules, weights and thresholds were tuned on the rest (every {_TUNING_EVERY}th item of it is measured here), among it "
        "the reported parts of earlier versions, whose failures had been read. "
        "The check of freely written sentences is tried on free wordings by four readers of the notes (`written/fresh.jsonl`); the rivals that it "
        "compares with are made much as the injected errors are. "
        f"Timings are this run's and vary with the machine; the check was measured on {made}, with the notes that search found on that day.\n\n"
        "Recall@k: an answering passage is among the first k that the answer is chosen from; without the language model: among those that the search finds alone, whose time a query's is. Refusal precision: of what was refused, not covered; recall: of what is not covered, refused. Complete: each key point "
        "of the question is made by one of the sentences that two readers of the notes listed for it; read right, false and needless: what one or two more readers, who saw no key, made of "
        "question and answer (`tutor/evaluation/reading/`). Caught: shown to be wrong by the check of freely written sentences, with an error of that kind put in.\n\n"
        f"| Figure | Reported part | Tuning part |\n|---|---|---|\n{rows}\n\n"
        f"## The adapter\n\n{card['examples']} examples, {card['steps']} steps, {card['minutes']} minutes on {card['machine']}; "
        f"validation loss {card['validation_loss_before']} before and {card['validation_loss_after']} after. "
        f"Sets that it was not trained on: {', '.join(card['held_out_sets'])}.\n\n"
        f"{compared()}"
        f"## Failures on the reported part ({len(report.failures)})\n\n{failures}\n",
        encoding="utf-8",
    )
    log.info("%s", REPORT)


if __name__ == "__main__":
    main()
