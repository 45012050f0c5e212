"""What a learner asks of a report beside its numbers: what a word in it means, whether a value is much, whether a guess came true, what a bigger model would show."""

from __future__ import annotations

import re
from collections.abc import Sequence

from demos.base import Demo
from demos.terms import TERMS, Term
from knowledge.sentences import split_sentences, without_citations
from tutor.events import Exchange
from tutor.experiments.predictions import UNSURE_WHICH, VERDICT
from tutor.experiments.runs import Run, listed
from tutor.experiments.telling import row_told

_MEANING = re.compile(
    r"\b(?:what(?:'?s|s| is| are| was| were| does| do| did| mean| means| about)?|mean(?:s|ing)?|explain|define|how (?:do|can|should|must) (?:i|we|one) (?:read|understand|interpret)|(?:get|understand|know)(?: \w+){0,3})\b",
    re.IGNORECASE,
)
_WEIGHS = re.compile(
    r"\b(?:a lot|much|high|low|large|small|big|good|bad|normal|ok(?:ay)?|great|terrible|tiny|huge)\b", re.IGNORECASE
)
_IS = re.compile(r"\b(?:is|are|was|were|isn'?t|aren'?t)\b", re.IGNORECASE)
_HERE = re.compile(
    r"\b(?:there|here|that|this|those|these|it|columns?|rows?|table|chart|figure|results?|run|experiment|report|word)\b",
    re.IGNORECASE,
)
_GUESS = re.compile(
    r"\b(?:was|were|is|am|did|so|and)\b[^.?!]{0,20}\b(?:i|my (?:guess|prediction|expectation|bet|answer|tip|assumption))\b(?: (?:\w+ ){0,2}?)?\W*(?:right|correct|wrong|true|ok(?:ay)?|come true|guess(?:ed)? (?:right|it|correctly|wrong))\b"
    r"|\b(?:what (?:about|was|of)|how (?:about|good was)) my (?:guess|prediction|bet|tip)\b",
    re.IGNORECASE,
)
_LONGEST_GUESS = 12  # words of such a question; a longer one asks something else
_BIGGER = re.compile(
    r"\b(?:bigger|larger|huge|real|other|another|different|stronger|\d+ ?b(?:illion)?) (?:\w+ ){0,2}?(?:models?|llms?|networks?)\b|\bcarr(?:y|ies) over\b|\b(?:our|my|an?|the) \d+ ?b\b(?! (?:tokens|texts))",
    re.IGNORECASE,
)
_WOULD = re.compile(
    r"\b(?:would|will|does|do|is|can|could|same|also|too|hold|holds|true|carr(?:y|ies)|survive|show|suffer|behave|like)\b",
    re.IGNORECASE,
)
_SIZED = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*")


def meaning_of(question: str, run: Run, named: bool) -> tuple[str, ...]:
    """What a term of the report means and how its values are read, if the question asks that of one that stands there; none if the notes tell of it (`named`) and the question does not point at the run."""
    if named and not _HERE.search(question):
        return ()
    weighs = _WEIGHS.search(question) is not None and _IS.search(question) is not None
    if not weighs and not _MEANING.search(question):
        return ()
    term = next((term for term in TERMS if _asked(term.words, question) and _stands(term, run)), None)
    if term is not None:
        return tuple(filter(None, (term.means, term.reads, _shown(term, run))))
    return _weighed(question, run) if weighs else ()


def guess_told(history: Sequence[Exchange], demos: Sequence[Demo], question: str) -> tuple[str, ...]:
    """What came of the learner's guess, if that is asked: the verdict of the last run that had one, or, where it was not clear, which choice came true."""
    if not _GUESS.search(question) or len(question.split()) > _LONGEST_GUESS:
        return ()
    ran = next((exchange for exchange in reversed(history) if exchange.run is not None), None)
    if ran is None or ran.run is None:
        return ()
    said = split_sentences(without_citations(ran.tutor.split("\n\n")[0]))
    if verdict := next((sentence for sentence in said if VERDICT.match(sentence)), ""):
        return (verdict,)
    prediction = next((demo.prediction for demo in demos if demo.name == ran.run.name), None)
    if prediction is None or UNSURE_WHICH not in ran.tutor:
        return ()
    true = prediction.outcome(ran.run.metrics).strip().rstrip(".")
    return (f"It was not clear which of the choices you meant; measured: “{true}”.",)


def of_bigger(question: str, run: Run, demos: Sequence[Demo]) -> str:
    """What was measured on, if the question asks whether another model would show the same; or empty."""
    if not _BIGGER.search(question) or not _WOULD.search(question):
        return ""
    measured = next((demo.measured for demo in demos if demo.name == run.name), "")
    return (
        f"This was measured on {measured} alone, so the run does not say what a bigger model does." if measured else ""
    )


def _weighed(question: str, run: Run) -> tuple[str, ...]:
    """How to read a value that the question quotes: by the term in whose column or row it stands, or nearest which."""
    for number in _SIZED.findall(question):
        exact = re.compile(rf"(?<![\d.,]){re.escape(number)}(?!\d|[.,]\d)")
        for row in run.table.rows:
            for column, cell in zip(run.table.columns, row, strict=True):
                if exact.search(cell) and (term := _of(f"{column} {row[0]}")):
                    return (
                        f"In the table, {column} of {row[0]} is {cell}.",
                        *filter(None, (term.reads or term.means,)),
                    )
        for sentence in split_sentences(run.summary):
            if (found := exact.search(sentence)) and (
                term := _of(sentence[max(0, found.start() - 40) : found.end() + 20])
            ):
                return (sentence, term.reads or term.means)
    return ()


def _shown(term: Term, run: Run) -> str:
    """The row of the table, or the sentence, that has a value of the term."""
    row = next((row for row in run.table.rows if _asked(term.words, row[0])), None)
    if row is not None:
        return row_told(run.table.columns, row)
    return next((s for s in split_sentences(run.summary) if _asked(term.words, s) and _SIZED.search(s)), "")


def _of(text: str) -> Term | None:
    return next((term for term in TERMS if not term.stands and _asked(term.words, text)), None)


def _asked(words: str, text: str) -> bool:
    return re.search(rf"(?<!\w)(?:{words})(?!\w)", text, re.IGNORECASE) is not None


def _stands(term: Term, run: Run) -> bool:
    """Whether the report uses the term: in its summary, its table or the names of its settings."""
    heads = " ".join((*run.table.columns, *(row[0] for row in run.table.rows)))
    return _asked(term.stands or term.words, f"{run.summary} {heads} {listed(run.params)}")
