"""What the readers learn from (tutor/distill/reader.py, causal_reader.py): a question or statement, the sentences that it rests on, and whether they say Yes.

Four sources: the teacher's yes/no questions, each with the sentence that she answered first, those of keyed.py with others that answer them too; the notes' own; statements that follow from sentences
of the notes, each with a twin that is wrong in one thing (tutor/distill/claims/); and the notes' sentences themselves, asked back as they stand and
with an error put in. Labelled evaluation items never take part, nor do the free wordings that the check is tuned and tried on (tutor/evaluation/written/).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge.mentions import Mentions
from knowledge.passages import Knowledge
from knowledge.sentences import split_sentences
from tutor.distill.examples import FOLDER, FREE, load_examples, read_behind
from tutor.distill.keyed import load_keyed
from tutor.evaluation.injection import inject
from tutor.verdict.polarity import claim_of

CLAIMS = Path(__file__).parent / "claims"
_FURTHER = 3  # sentences of a point beside its best one
_ASKED = 0.4  # of the statements, which are put as questions
# A plain claim twice, since tags are taken off before a question is read (tutor/verdict/polarity.py: claim_of).
_FORMS = ("{}?", "{}?", "so {}?", "is it true that {}?", "i thought that {}?", "am i right that {}?")


@dataclass(frozen=True)
class Pair:
    """A question or statement, the sentences that it is held against, and whether they say Yes."""

    question: str
    sentence: str
    yes: bool


def load_pairs(knowledge: Knowledge, seed: int = 0) -> list[Pair]:
    """All pairs; raises ValueError where a claim names a sentence that does not exist."""
    rng = random.Random(seed)
    return [
        *questions(knowledge),
        *keyed_questions(knowledge),
        *_claims(knowledge, rng),
        *_restated(knowledge, rng),
        *_written(knowledge),
    ]


def questions(knowledge: Knowledge) -> Iterator[Pair]:
    """The teacher's yes/no questions and the notes' own."""
    yield from taught_questions(knowledge)
    for passage in knowledge.passages:
        for ask in passage.asks:
            if ask.polarity:
                yield Pair(claim_of(ask.text), passage.sentences[0], ask.polarity == "yes")
        if passage.claim:
            yield Pair(f"{passage.claim}?", passage.sentences[0], False)


def taught_questions(knowledge: Knowledge, ids: tuple[str, ...] = ("",)) -> Iterator[Pair]:
    """The teacher's yes/no questions, or those whose name begins so."""
    passages = {passage.id: passage for passage in knowledge.passages}
    for example in load_examples(knowledge):
        if example.opening and example.id.startswith(ids):
            name, i = example.answer[0]
            yield Pair(claim_of(example.query), passages[name].sentences[i], example.opening == "yes")


def keyed_questions(knowledge: Knowledge) -> Iterator[Pair]:
    """The yes/no questions of keyed.py, each with some of the further sentences that make its first point; `taught_questions` has them with the best one."""
    passages, rng = {passage.id: passage for passage in knowledge.passages}, random.Random(0)
    for one in load_keyed():
        further = one.points[0][1:] if one.opening else ()
        for name, i in rng.sample(further, min(len(further), _FURTHER)):
            yield Pair(claim_of(one.standalone), passages[name].sentences[i], one.opening == "yes")


def follow_ups(knowledge: Knowledge, ids: tuple[str, ...] = ("",)) -> Iterator[Pair]:
    """The teacher's yes/no follow-ups, or those whose name begins so, behind what they go on from, for a reader of long texts; `load_pairs` has them asked in full."""
    passages = {passage.id: passage for passage in knowledge.passages}
    for path in sorted(FOLDER.glob("*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            if row["history"] and row["opening"] and row["id"].startswith(ids):
                name, _, place = row["answer"][0].rpartition(":")
                question = read_behind(row["question"], *row["history"][-1])
                yield Pair(question, passages[name].sentences[int(place)], row["opening"] == "yes")


def _claims(knowledge: Knowledge, rng: random.Random) -> Iterator[Pair]:
    passages = {passage.id: passage for passage in knowledge.passages}
    for path in sorted(CLAIMS.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            try:
                sentences = passages[row["passage"]].sentences
                ground = " ".join(sentences[i] for i in row["sentences"])
            except (KeyError, IndexError):
                raise ValueError(
                    f"{path}:{number}: the notes have no {row['passage']} with sentences {row['sentences']}"
                ) from None
            for claim, holds in ((row["true"], True), (row["false"], False)):
                asked = rng.random() < _ASKED
                yield Pair(_asked(claim, rng) if asked else claim, ground, holds)


def _restated(knowledge: Knowledge, rng: random.Random) -> Iterator[Pair]:
    mentions = Mentions(knowledge.concepts)
    for passage in knowledge.passages:
        for sentence in passage.sentences:
            yield Pair(_asked(sentence, rng), sentence, True)
            faulty = [text for _, text in inject(sentence, mentions)]
            if faulty:
                yield Pair(_asked(rng.choice(faulty), rng), sentence, False)


def _written(knowledge: Knowledge) -> Iterator[Pair]:
    """Free wordings of a teacher's answers, and the same with an error put in."""
    mentions, examples = Mentions(knowledge.concepts), {example.id: example for example in load_examples(knowledge)}
    passages = {passage.id: passage for passage in knowledge.passages}
    for row in map(json.loads, FREE.read_text(encoding="utf-8").splitlines()):
        ground = " ".join(passages[name].sentences[n] for name, n in examples[row["id"]].answer)
        for sentence in split_sentences(row["answer"]):
            if sentence.rstrip(".").lower() not in ("yes", "no"):
                yield Pair(sentence, ground, True)
                yield from (Pair(faulty, ground, False) for _, faulty in inject(sentence, mentions))


def _asked(statement: str, rng: random.Random) -> str:
    """The statement as a learner would ask it back."""
    words = statement.rstrip(".!")
    head = words.split(maxsplit=1)[0]
    if head[1:] == head[1:].lower() and rng.random() < 0.7:
        words = words[0].lower() + words[1:]
    return rng.choice(_FORMS).format(words)
