"""What the outputs of a reader tell (tutor/choosing/causal_classifier.py, tutor/choosing/encoder_classifier.py): one a sentence of the notes, and behind them for what is no sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.classifier import key_of
from knowledge.passages import Reference

NONE, END, YES, NO, NEITHER = BESIDE = range(5)
"""The keys of what is no sentence, and their places behind all sentences: nothing in the notes answers, and behind what is said the end, and what the answer begins with."""
_LEAST = 1e-30  # a share


@dataclass(frozen=True)
class Named:
    """What a text is taken to ask: the share of each sentence that was trained on, if it is answered at all, and the log-odds that none of those answers it."""

    shares: Mapping[Reference, float]
    none: float


@dataclass(frozen=True)
class Behind:
    """What comes behind sentences that are said: of all that was trained on, the share of each sentence, none for what is said, and of the `end`; and those of what such an answer begins with, where the rest is for neither."""

    shares: Mapping[Reference, float]
    end: float
    yes: float
    no: float


def known_by(keys: Sequence[int], texts: Mapping[Reference, str]) -> dict[Reference, int]:
    """The places of the sentences of the notes, `texts`, among the keys of those that were trained on; an edited one has none."""
    place = {key: i for i, key in enumerate(keys)}
    named = ((reference, key_of(sentence)) for reference, sentence in texts.items())
    return {reference: place[key] for reference, key in named if key in place}


def named_by(sentences: NDArray[np.float32], none: float, known: Mapping[Reference, int]) -> Named:
    """What the logits of all sentences and of none say of a text; `known` are the places of the sentences that are in the notes."""
    highest = float(sentences.max())
    together = highest + float(np.log(np.exp(sentences - highest).sum()))
    return Named(_shares(_softmax(sentences), known), none - together)


def behind_by(logits: NDArray[np.float32], known: Mapping[Reference, int], said: Sequence[Reference]) -> Behind:
    """What the logits of all sentences, and of BESIDE, say behind what is `said`."""
    beside = len(logits) - len(BESIDE)
    left = np.append(logits[:beside], logits[beside + END])
    left[[known[reference] for reference in said]] = -np.inf
    shares = _softmax(left)
    yes, no, _ = _softmax(logits[beside + YES :]).tolist()
    return Behind(_shares(shares, known), float(shares[-1]), yes, no)


def named_by_both(one: Named, other: Named) -> Named:
    """The mean of the log shares of the sentences that both know, and of the log-odds that nothing answers. What neither has left for these stays nobody's."""
    both = [reference for reference in one.shares if reference in other.shares]
    powers = np.sqrt([one.shares[reference] * other.shares[reference] for reference in both])
    others = [max(0.0, 1 - sum(shares[reference] for reference in both)) for shares in (one.shares, other.shares)]
    shares = (powers / max(float(powers.sum() + np.sqrt(others[0] * others[1])), _LEAST)).tolist()
    return Named(dict(zip(both, shares, strict=True)), (one.none + other.none) / 2)


def doubt_of(named: Named) -> tuple[float, float]:
    """Whether anything answers the text, as knowledge/coverage.py weighs it (READ). Raises ValueError where no sentence is known."""
    return named.none, float(np.log(max(named.shares.values()) + 1e-9))


def _shares(shares: NDArray[np.float32], known: Mapping[Reference, int]) -> dict[Reference, float]:
    return dict(zip(known, shares[list(known.values())].tolist(), strict=True))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)
