"""The answer to a covered question, sentence by sentence: chosen from the notes, or written and checked against them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from knowledge.passages import Reference
from knowledge.search import Hit, Search
from tutor.choosing.composition import Composition, Reading
from tutor.choosing.taught import NO_VOTES, Votes
from tutor.choosing.wish import Wish
from tutor.context.lately import NOTHING_BEFORE, Lately
from tutor.engines.base import ChoosingEngine, Engine
from tutor.events import Checked, Delta
from tutor.experiments.runs import RunNote
from tutor.grounding import Grounding, all_sentences, complete_sentences
from tutor.judging import Judge
from tutor.prompts import NO_ANSWER, choice_prompt, written_prompt
from tutor.verdict.polarity import possible_openings

_LONGEST_WRITTEN = 220  # tokens
_END = "\n"


def stream_answer(
    engine: Engine,
    free: bool,
    query: str,
    hits: Sequence[Hit],
    search: Search,
    *,
    votes: Votes = NO_VOTES,
    judge: Judge | None = None,
    readers: Reading | None = None,
    told: Collection[Reference] = (),
    vector: NDArray[np.float32] | None = None,
    context: str = "",
    wish: Wish | None = None,
    lately: Lately = NOTHING_BEFORE,
) -> Iterator[Delta | Checked]:
    """Yield each sentence's text as Delta, then its Checked. Yields nothing if the notes do not answer.

    `told` are sentences that the answer before, which this question goes on from, has said; `vector` and `context` are what was made of both (tutor/followup.py);
    `wish` tells what kind of note is to be told whole; where a Yes or No was doubted `lately`, none is said.
    """
    if free or not isinstance(engine, ChoosingEngine):
        return _written(engine, query, hits, search, judge)
    return _chosen(engine, query, hits, search, votes, readers, told, vector, context, wish, lately)


def _chosen(
    engine: ChoosingEngine,
    query: str,
    hits: Sequence[Hit],
    search: Search,
    votes: Votes,
    readers: Reading | None,
    told: Collection[Reference],
    vector: NDArray[np.float32] | None,
    context: str,
    wish: Wish | None,
    lately: Lately,
) -> Iterator[Delta | Checked]:
    # What a run shows is not for the model to sum up in a Yes or No.
    about_a_run = any(isinstance(hit, RunNote) and hit.leads for hit in hits)
    openings = possible_openings(query, hits, search) if not (about_a_run or lately.doubted) else ()
    composition = Composition(
        query,
        hits,
        search.embedder,
        openings,
        votes=votes,
        tuned=search.tuned,
        readers=readers,
        mentions=search.mentions,
        told=told,
        vector=vector,
        context=context,
        wish=wish,
        lately=lately,
    )
    shown = ""
    for branch in engine.choose(choice_prompt(query, hits), composition.allowed):
        piece = composition.pieces[branch.key]
        if piece.kind == "end":
            return
        yield Delta((" " if shown else "") + piece.text)
        shown += piece.text
        sources = (piece.mark,) if piece.kind == "sentence" else ()
        yield Checked(piece.text, sources, "supported", 1.0)


def _written(
    engine: Engine, query: str, hits: Sequence[Hit], search: Search, judge: Judge | None
) -> Iterator[Delta | Checked]:
    grounding = Grounding(hits, search.embedder, search.mentions, judge)
    rest, shown = "", False
    for piece in chain(engine.write(written_prompt(query, hits), max_new_tokens=_LONGEST_WRITTEN), (_END,)):
        rest += piece
        if not shown and rest.startswith(NO_ANSWER):
            return
        finished, rest = complete_sentences(rest)
        if piece is _END:
            # What remains is whole sentences, and perhaps one cut off in its middle, which is dropped.
            finished += [last for last in all_sentences(rest) if last.endswith((".", "!", "?", "]"))]
        for sentence in finished:
            checked = grounding.check(sentence)
            if checked is not None:
                yield Delta((" " if shown else "") + checked.text)
                yield checked
                shown = True
