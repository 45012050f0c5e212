"""How the RAG experiment words what it measured: its summary, full answers to read, and which prediction came true."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from demos.notes_search import Fact
from demos.shots import sign_test
from demos.words import paragraphs

ALL = "All of them"
MORE = "More than without notes, but not all"
SAME = "No more than without notes"
CONDITIONS = {"none": "without notes", "retrieved": "with retrieved notes", "wrong": "with a wrong note"}

_ADMITS = re.compile(
    r"\b(?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t|not) (?:know|sure|certain|find|have (?:any |that |this |the )?information)\b|"
    r"\bno information\b|\bnot (?:been )?(?:mentioned|specified|stated|known|given|clear)\b|\bunknown\b",
    re.IGNORECASE,
)


def admits(answer: str) -> bool:
    """Whether the answer says that the model does not know."""
    return bool(_ADMITS.search(answer))


def outcome(metrics: Mapping[str, float | int]) -> str:
    """Which choice is true of the answers with retrieved notes."""
    if metrics["retrieved_right"] >= metrics["questions"]:
        return ALL
    return MORE if metrics["retrieved_right"] > metrics["none_right"] else SAME


def summary_of(metrics: Mapping[str, float]) -> str:
    """What was answered and found, with judgements that depend on the counts."""
    questions = int(metrics["questions"])
    return paragraphs(
        [
            f"The model was asked {questions} questions on made-up things that it cannot have learned: "
            f"{metrics['none_right']:.0f} answers were right without notes and {metrics['retrieved_right']:.0f} with the "
            f"{_notes(metrics['notes_given'])} that a search picked for each from {metrics['notes']:.0f}, {_helped(metrics)}.",
            _invented(metrics),
            _missed(metrics),
        ],
        [
            _wrong(metrics),
            _search(metrics),
            f"Nothing was trained; the price is a longer prompt, {metrics['retrieved_prompt_tokens']:.0f} instead of "
            f"{metrics['none_prompt_tokens']:.0f} tokens a question.",
        ],
    )


def _helped(metrics: Mapping[str, float]) -> str:
    gained, lost = int(metrics["gained"]), int(metrics["lost"])
    if sign_test(gained, lost) >= 0.05:
        return "so this run does not prove that reading helps"
    return (
        "so reading helped, by more than chance would"
        if gained > lost
        else "so the notes hurt, by more than chance would"
    )


def _invented(metrics: Mapping[str, float]) -> str:
    invented = int(metrics["questions"] - metrics["none_right"] - metrics["none_admitted"])
    admitted = int(metrics["none_admitted"])
    said = (
        "it never said that it did not know"
        if not admitted
        else f"it said in {_times(admitted, 'answer')} that it did not know"
    )
    return f"Without notes it made up {_times(invented, 'answer')} (hallucination), and {said}."


def _missed(metrics: Mapping[str, float]) -> str:
    """Where the answers with notes went wrong: in the search, or in reading."""
    hits, right = int(metrics["hits"]), int(metrics["right_after_hit"])
    misread = f"and the model answered {right} of these {hits} right"
    if right < hits:
        misread += ", so notes do not end made-up answers: a small model like this one often misreads them"
    return f"The right note was among those given for {hits} of {metrics['questions']:.0f} questions, {misread}."


def _wrong(metrics: Mapping[str, float]) -> str:
    right, repeated = int(metrics["wrong_right"]), int(metrics["wrong_repeated"])
    said = f"With one wrong note instead, {right} answers were right, and"
    if not repeated:
        return f"{said} none repeated what the wrong note says."
    return f"{said} {repeated} repeated what the wrong note says: an answer is only as good as what was found."


def _search(metrics: Mapping[str, float]) -> str:
    words, embedding, together = (int(metrics[f"first_{name}"]) for name in ("words", "embedding", "together"))
    verdict = "more exact" if together > embedding else "no more exact in this run"
    return (
        f"Of the ways to search, counting shared words (BM25) put the right note first for {words} questions, comparing the "
        f"model's own embeddings, made apart (a bi-encoder), for {embedding}, and reading each of four candidates together with "
        f"the question (a cross-encoder) for {together}: {verdict}, but at {1000 * metrics['rerank_s']:.0f} instead of "
        f"{1000 * metrics['search_s']:.0f} ms a question."
    )


def exhibits_of(
    facts: Sequence[Fact],
    own: Sequence[int],
    given: Mapping[str, Sequence[Sequence[int]]],
    answers: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """All answers to four questions, chosen by what happened: right with notes, misread, not found, misled."""
    rows = range(len(own))
    right = {name: [facts[own[i]].answered_by(answers[name][i]) for i in rows] for name in answers}
    found = [own[i] in given["retrieved"][i] for i in rows]
    kinds = {
        "The right note was found and read": [i for i in rows if found[i] and right["retrieved"][i]],
        "The right note was found and misread": [i for i in rows if found[i] and not right["retrieved"][i]],
        "The right note was not found": [i for i in rows if not found[i]],
        "A wrong note was repeated": [i for i in rows if facts[given["wrong"][i][0]].answered_by(answers["wrong"][i])],
    }
    shown: dict[str, str] = {}
    for caption, some in kinds.items():
        if some:
            i = some[0]
            fact = facts[own[i]]
            lines = [f"Question: {fact.question}", f"A right answer holds: {fact.answer}"]
            for name, label in CONDITIONS.items():
                notes = "".join(f"\n  note: {facts[j].note}" for j in given[name][i])
                lines.append(f"\n{label.capitalize()}:{notes}\n  answer: {answers[name][i]}")
            shown[caption] = "\n".join(lines)
    return shown


def _notes(count: float) -> str:
    return "one note" if count == 1 else f"{count:.0f} notes"


def _times(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
