"""Figures of the answers themselves, against committed key points, for the items that carry them.

Citation precision and recall are as in ALCE (Gao et al. 2023, arXiv:2305.14627), with "the cited passage holds this sentence word for word"
in the place of an entailment model, or, for a freely worded sentence, its support as tutor/grounding.py finds it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from statistics import mean

from knowledge.sentences import without_citations
from tutor.chat import Tutor
from tutor.evaluation.finding import Finding, share
from tutor.evaluation.items import Item
from tutor.events import Answered


def evaluate_answers(items: Sequence[Item], tutor: Tutor) -> Finding:
    """Ask every item with key points; each displayed sentence is looked up in the passages."""
    place = {
        sentence: f"{passage.id}:{i}"
        for passage in tutor.knowledge.passages
        for i, sentence in enumerate(passage.sentences)
    }
    finding = Finding()
    supported = complete = concise = both = 0
    points_made: list[float] = []
    fitting: list[float] = []
    lengths: list[int] = []
    polar = polar_right = polar_said = unwanted = 0
    cites: Counter[str] = Counter()
    words: list[int] = []
    asked = [item for item in items if item.must]
    for item in asked:
        answered = _ask(item, tutor)
        said = [place.get(_plain(sentence.text), "") for sentence in answered.sentences if sentence.sources]
        lengths.append(len(said))
        words.append(len(_plain(answered.text).split()))
        cites += _citations(answered, tutor)
        supported += bool(said) and all(said)
        wanted = frozenset().union(*item.must) | item.ok
        made = [bool(point & set(said)) for point in item.must]
        points_made.append(mean(made))
        fits = [reference in wanted for reference in said]
        fitting.append(mean(fits) if fits else 0.0)
        complete += all(made)
        concise += bool(fits) and all(fits)
        both += all(made) and all(fits)
        faults: list[str] = []
        opening = answered.text.split(".")[0].strip().lower()
        if item.polarity:
            polar += 1
            polar_said += opening in ("yes", "no")
            polar_right += opening == item.polarity
            if opening != item.polarity:
                faults.append(f"wants {item.polarity}")
        elif opening in ("yes", "no"):
            unwanted += 1
            faults.append(f"wants no {opening}")
        if not (all(made) and fits and all(fits)):
            missing = [sorted(point)[0] for point, hit in zip(item.must, made, strict=True) if not hit]
            needless = [reference for reference in said if reference not in wanted]
            faults.append(f"lacks {missing}, needless {needless}")
        if faults:
            finding.failures.append(f"{item.id} answer: {item.question!r}: {', '.join(faults)}, said {answered.text!r}")
    finding.figures |= {
        "answer_items": len(asked),
        "answers_supported": share(supported, len(asked)),
        "answers_complete": share(complete, len(asked)),
        "answers_without_needless_sentence": share(concise, len(asked)),
        "answers_complete_and_concise": share(both, len(asked)),
        "key_points_made": round(mean(points_made), 4),
        "sentences_fitting": round(mean(fitting), 4),
        "sentences_an_answer": round(mean(lengths), 2),
        "words_an_answer": round(mean(words), 1),
        "citation_recall": share(cites["held"], cites["sentences"]),
        "citation_precision": share(cites["right"], cites["citations"]),
        "numeric_fidelity": share(cites["numbers_held"], cites["numbers"]),
        "confusable_pairs_right": share(cites["sides_held"], cites["sides"]),
        "yes_no_right": share(polar_right, polar),
        "yes_no_said": share(polar_said, polar),
        "yes_no_right_where_said": share(polar_right, polar_said),
        "yes_no_items": polar,
        "yes_no_unwanted": share(unwanted, len(asked) - polar),
    }
    return finding


def _ask(item: Item, tutor: Tutor) -> Answered:
    last = [event for event in tutor.turn(item.question, item.history, run_demos=False) if isinstance(event, Answered)]
    return last[-1]


def _citations(answered: Answered, tutor: Tutor) -> Counter[str]:
    """Sentences and their citations, how many of them hold, and how many numbers and named sides stand in what is cited."""
    passages = {source.n: source.hit.passage for source in answered.sources}
    mentions = tutor.search.mentions
    counts: Counter[str] = Counter()
    for sentence in answered.sentences:
        plain = _plain(sentence.text)
        if plain.rstrip(".").lower() in ("yes", "no"):
            continue
        cited = [passages[n] for n in sentence.sources if isinstance(n, int) and n in passages]
        holding = [passage for passage in cited if plain in passage.sentences]
        counts["sentences"] += 1
        counts["held"] += bool(holding)
        counts["citations"] += len(cited)
        counts["right"] += len(holding)
        text = " ".join(passage.text for passage in cited)
        for number in re.findall(r"\d+(?:[.,]\d+)*", plain):
            counts["numbers"] += 1
            counts["numbers_held"] += number in text
        if named := mentions.sides(plain):
            # Never A's property given to B: a sentence that stands in the note word for word, or whose sides that note is about.
            about = {side for passage in cited for side in (*passage.about, *mentions.sides(passage.text))}
            counts["sides"] += 1
            counts["sides_held"] += bool(holding) or set(named) <= about
    return counts


def _plain(text: str) -> str:
    """The sentence without its citation."""
    return without_citations(text)
