"""Answers made of the passages' own sentences: which may come next, as a grammar for constrained decoding.

    answer   = [opening] sentence{1,5}
    opening  = "Yes." | "No."          only for a yes/no question, see tutor/polarity.py, and only where it is no guess
    sentence = a sentence of a retrieved passage, with its citation

The model chooses; it cannot invent. What it may choose is narrowed to what a good answer can hold: no sentence twice, no
near-repetition, none that stands before one already taken from its passage, unless the question asks for several things.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.aspects import aspect_of
from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from knowledge.passages import Polarity, Reference
from knowledge.search import Hit, embed_read
from knowledge.sentences import cited
from tutor.agreement import load_agreement
from tutor.engines.base import Branch
from tutor.polarity import by_rule, claim_of, contradicts
from tutor.runs import Mark, RunNote, mark_of
from tutor.several import asks_several
from tutor.taught import NO_VOTES, SILENCE, Votes
from tutor.weighing import UNSURE, Weighing, load_weighing
from tutor.whole import sentences_told_whole
from tutor.wish import Wish

LONGEST_ANSWER = 5  # sentences
_REPEATS = 0.90  # cosine from which a sentence repeats another
_LATER_IN_NOTE = 0.15  # of a vote, by which a sentence of an untaught note counts less than the one before it
_IN_STEPS = re.compile(
    r"\bsteps?\b|\bstages?\b|one after (?:the other|another)|under the hood|walk me|in order\b|\beach (?:of|one)\b|\ball (?:of|the|three|four)\b|\bthree\b|\bfour\b"
    r"|\bhow (?:does|do|is|are)\b.*\b(?:works?|made|built|trained|computed|done)\b",
    re.IGNORECASE,
)


class Reading(Protocol):
    """What tells whether a sentence means Yes or No to a question: nats, by each of two (tutor/readers.py)."""

    def log_odds(self, question: str, sentence: str, context: str = "") -> tuple[float, float]: ...


@dataclass(frozen=True)
class Piece:
    """One thing that the answer may hold; `mark` cites its note, `n` is the note's place among the notes that were found,
    and `position` the sentence's place in it."""

    kind: Literal["opening", "sentence", "end"]
    text: str
    n: int = 0
    position: int = 0
    sentence: str = ""
    mark: Mark = 0


class Composition:
    """The grammar of one answer: `pieces` are what it may hold, and a branch's key is its piece's place."""

    def __init__(
        self,
        query: str,
        hits: Sequence[Hit],
        embedder: Embedder,
        openings: Sequence[Polarity],
        votes: Votes = NO_VOTES,
        tuned: Embedder | None = None,
        weighing: Weighing | None = None,
        readers: Reading | None = None,
        mentions: Mentions | None = None,
        told: Collection[Reference] = (),
        vector: NDArray[np.float32] | None = None,
        context: str = "",
        wish: Wish | None = None,
    ) -> None:
        """`tuned` is the embedder that retrieval uses, if it is another one than `embedder`, which tells repetitions; `mentions` finds sides,
        `told` are sentences that the answer before has said, `readers` tell Yes from No, and `vector` is a follow-up as `tuned`'s space has it, and
        `context` as the second reader gets it; of the kind that is the `wish` a note is told whole."""
        sentences = [
            Piece("sentence", cited(sentence, mark), place, position, sentence, mark)
            for mark, place, hit in _marked(hits)
            for position, sentence in enumerate(hit.passage.sentences)
        ]
        self._hits = [hit for hit in hits for _ in hit.passage.sentences]
        self._references: list[Reference] = [
            (hit.passage.id, i) for hit in hits for i, _ in enumerate(hit.passage.sentences)
        ]
        self._told, self._notes_told = frozenset(told), frozenset(name for name, _ in told)
        self._votes, self._weighing, self._readers = votes, weighing or load_weighing(), readers
        self._query, self._context = query, context
        self.pieces: list[Piece] = list(sentences)
        self._openings = range(len(self.pieces), len(self.pieces) + len(openings))
        self.pieces += [Piece("opening", opening.capitalize() + ".") for opening in openings]
        self._end = len(self.pieces)
        self.pieces.append(Piece("end", ""))
        vectors = embedder.embed([query, *(piece.sentence for piece in sentences)])
        self._alike: NDArray[np.float32] = vectors[1:] @ vectors[1:].T
        self._near: NDArray[np.float32] = vectors[1:] @ vectors[0]
        tuned_vectors = tuned.embed([query, *(piece.sentence for piece in sentences)]) if tuned else vectors
        self._tuned: NDArray[np.float32] = tuned_vectors[1:] @ (tuned_vectors[0] if vector is None else vector)
        before = [key for key, reference in enumerate(self._references) if reference in self._told]
        self._near_told: NDArray[np.float32] = self._alike[:, before].max(1) if before else 0 * self._near
        self._parts = [part.first for part in votes.parts]
        self.of_several = len(self._parts) > 1
        self._parts_words = [part.words for part in votes.parts]
        self._parts_learned = [part.learned for part in votes.parts]
        near = embed_read([(part.query, part.vector) for part in votes.parts], tuned or embedder)
        self._tuned_parts: NDArray[np.float32] = tuned_vectors[1:] @ near.T
        self._sides = [frozenset(mentions.sides(piece.sentence)) for piece in sentences] if mentions else []
        self._asked_sides = frozenset(mentions.sides(query)) if mentions else frozenset()
        self._several = asks_several(query, mentions) if mentions else 0.0
        self._contrast = float(aspect_of(query) == "contrast")
        self._best = max((hit.fused for hit in hits), default=0.0)
        # A question about a run is answered with what was measured, which no model need choose, then with why.
        leads = {hit.label: hit.lead for hit in hits if isinstance(hit, RunNote) and hit.lead}
        self._leading = [key for key, piece in enumerate(sentences) if leads.get(str(piece.mark)) == piece.sentence]
        whole = sentences_told_whole(wish, query, hits, mentions) if wish and mentions and not self._leading else []
        self._leading += [self._references.index(sentence) for sentence in whole if sentence not in self._told]
        self._whole = bool(self._leading and whole)
        self._explains = (
            bool(leads) and re.search(r"\b(?:why|how come|reasons?|causes?)\b", query, re.IGNORECASE) is not None
        )

    def allowed(self, chosen: tuple[Branch, ...]) -> list[Branch]:
        """The branches that may follow the chosen ones; none once the answer is over."""
        taken = [branch.key for branch in chosen]
        if self._end in taken:
            return []
        if self._openings and not taken and (openings := self._opening_branches()):
            return openings
        said = [key for key in taken if self.pieces[key].kind == "sentence"]
        if len(said) == LONGEST_ANSWER:
            return []
        keys = [key for key in range(self._openings.start) if self._adds(key, said)]
        if unsaid := [key for key in self._leading if key not in said]:
            return [Branch(self.pieces[unsaid[0]].text, unsaid[0])]
        if self._whole:
            return [Branch("", self._end)]
        reasons = [key for key in keys if isinstance(self.pieces[key].mark, int)]
        unexplained = self._explains and bool(reasons) and all(key in self._leading for key in said)
        opening = next((self.pieces[key].text for key in taken if self.pieces[key].kind == "opening"), "")
        branches = self._sentences(reasons if unexplained else keys, said, "" if said else opening)
        if said and not unexplained and not self._lists_on(said):
            weights = self._weighing.end_of_several if self.of_several else self._weighing.end
            branches.append(Branch("", self._end, Weighing.total(weights, self.end_hints(said))))
        return _balanced(branches)

    def _opening_branches(self) -> list[Branch]:
        """Yes and No with what speaks for each; none where neither is sure enough, and the sentence has to say it."""
        if len(self._openings) == 1:
            return [Branch(self.pieces[self._openings.start].text, self._openings.start)]
        lead = Weighing.total(self._weighing.opening, self.opening_hints()) + self._weighing.yes
        if abs(lead) < UNSURE:
            return []
        biases = {"Yes.": lead, "No.": 0.0}
        return [Branch(self.pieces[key].text, key, biases[self.pieces[key].text]) for key in self._openings]

    def opening_hints(self) -> tuple[float, ...]:
        """What is known of Yes against No (OPENING), asked by that part of the question that wants it."""
        part = next((part for part in self._votes.parts if by_rule(part.query)), None)
        votes = (part or self._votes).polarity
        read, words = (0.0, 0.0), 0.0
        if self._readers is not None and self._openings.start:
            first = self._sentences(range(self._openings.start), (), "")
            likeliest = max(first, key=lambda branch: branch.bias)
            claim = claim_of(part.query if part else self._query)
            read = self._readers.log_odds(claim, likeliest.text, "" if part else self._context)
            words = load_agreement().log_odds(claim, likeliest.text)
        return (votes.get("yes", SILENCE) - votes.get("no", SILENCE), *read, words)

    def _sentences(self, keys: Sequence[int], said: Sequence[int], opening: str) -> list[Branch]:
        hints = {key: self.later_hints(key, said) if said else self.first_hints(key, opening) for key in keys}
        later = self._weighing.later_of_several if self.of_several else self._weighing.later
        weights = later if said else self._weighing.first
        return [Branch(self.pieces[key].sentence, key, Weighing.total(weights, hints[key])) for key in keys]

    def first_hints(self, key: int, opening: str) -> tuple[float, ...]:
        """What is known of a sentence that might come first (tutor/weighing.py: FIRST)."""
        opposes = opening == "Yes." and contradicts("yes", self._query, self.pieces[key].sentence)
        return (
            *self._hints(key, self._vote(self._votes.first, key)),
            *(float(opposes), self._was_told(key), float(self._near_told[key])),
            float(self._references[key][0] in self._notes_told),
            *self._part_hints(key, ()),
        )

    def later_hints(self, key: int, said: Sequence[int]) -> tuple[float, ...]:
        """What is known of a sentence that might follow others (LATER)."""
        last, piece = self.pieces[said[-1]], self.pieces[key]
        same = last.mark == piece.mark
        after, _ = self._votes.after(self._said(said))
        new_side = float(bool(self._sides_left(said) & self._sides[key])) if self._sides else 0.0
        return (
            *self._hints(key, self._vote(after, key)),
            float(same),
            float(same and piece.position == last.position + 1),
            self._was_told(key),
            *self._part_hints(key, said),
            *(new_side, self._contrast * new_side),
            self._vote(self._votes.held, key),
            float(max(self._alike[key, other] for other in said)),
        )

    def end_hints(self, said: Sequence[int]) -> tuple[float, ...]:
        """What is known of ending after these (END)."""
        _, end = self._votes.after(self._said(said))
        so_many = (float(len(said) == 1), float(len(said) == 2), float(len(said) > 2))
        unsaid = [key for key in range(self._openings.start) if key not in said]
        return (
            *(end, *so_many),
            float(max(0, len(self._votes.parts) - len(said))),
            float(len(self._sides_left(said))),
            float(_IN_STEPS.search(self._query) is not None),
            *(self._several * n for n in so_many),
            self._contrast * float(bool(self._sides_left(said))),
            max((self._part_hints(key, said)[0] for key in unsaid), default=0.0),
            max((self._vote(self._votes.held, key) for key in unsaid), default=SILENCE),
            max((self._vote(self._votes.learned, key) for key in unsaid), default=SILENCE),
            self._vote(self._votes.first, said[0]),
        )

    def _lists_on(self, said: Sequence[int]) -> bool:
        """Whether the answer is in the midst of a list: of three or more sides asked about, its note told one a sentence and tells another next."""
        following = said[-1] + 1
        if len(self._asked_sides) < 3 or len(said) < 2 or following >= self._openings.start:
            return False
        keys = (*said[-2:], following)
        named = [self._asked_sides & self._sides[key] for key in keys]
        in_a_row = keys[0] + 1 == keys[1] and len({self.pieces[key].mark for key in keys}) == 1
        return in_a_row and all(len(sides) == 1 for sides in named) and len(set(named)) == len(named)

    def _was_told(self, key: int) -> float:
        return float(self._references[key] in self._told)

    def _part_hints(self, key: int, said: Sequence[int]) -> tuple[float, float, float, float]:
        """How near the sentence is to that part of the question for which it does most beyond what is said: votes, and cosine."""
        if not self._parts:
            return 0.0, 0.0, 0.0, 0.0
        votes, words, learned = (
            max(self._beyond([self._vote(part, k) for k in (key, *said)]) for part in parts)
            for parts in (self._parts, self._parts_words, self._parts_learned)
        )
        cosines = (self._beyond([float(part[k]) for k in (key, *said)]) for part in self._tuned_parts.T)
        return votes, words, learned, max(cosines)

    @staticmethod
    def _beyond(values: Sequence[float]) -> float:
        return values[0] - max(values[1:], default=0.0)

    def _sides_left(self, said: Sequence[int]) -> frozenset[str]:
        """The sides that the question names and no sentence has named yet."""
        return self._asked_sides.difference(*(self._sides[key] for key in said)) if self._sides else frozenset()

    def _hints(self, key: int, vote: float) -> tuple[float, ...]:
        behind = self._best - self._hits[key].fused
        words, learned = (self._vote(votes, key) for votes in (self._votes.words, self._votes.learned))
        n = float(self.pieces[key].n)
        return (float(self._near[key]), float(self._tuned[key]), vote, words, learned, n, behind)

    def _said(self, said: Sequence[int]) -> tuple[Reference, ...]:
        return tuple(self._references[key] for key in said)

    def _vote(self, votes: Mapping[Reference, float], key: int) -> float:
        name, place = self._references[key]
        if name in self._votes.passages:
            return votes.get((name, place), SILENCE)
        # Nobody taught a class's own notes: there the nearest of the passage's own questions votes, first for its first sentence.
        return self._hits[key].score - _LATER_IN_NOTE * place

    def _adds(self, key: int, said: Sequence[int]) -> bool:
        piece = self.pieces[key]
        for other in said:
            before = self.pieces[other]
            if key == other or (self._alike[key, other] > _REPEATS and not self._tells_of_another_side(key, other)):
                return False
            if before.mark == piece.mark and before.position > piece.position and not self._goes_back(key, said):
                return False
        return True

    def _tells_of_another_side(self, key: int, other: int) -> bool:
        """ "A one-shot prompt gives one example." does not repeat what is said of a few-shot prompt in the same words."""
        return (
            bool(self._sides)
            and len(self._sides[key]) == len(self._sides[other]) == 1
            and self._sides[key] != self._sides[other]
        )

    def _goes_back(self, key: int, said: Sequence[int]) -> bool:
        """Whether a sentence may follow a later one of its note: the order is the learner's where several things are asked."""
        return bool(self._parts) or bool(self._sides and self._sides_left(said) & self._sides[key])


def _balanced(branches: list[Branch]) -> list[Branch]:
    """The same choice with the best bias at 0: where branches part, only differences count."""
    best = max((branch.bias for branch in branches), default=0.0)
    return [Branch(branch.text, branch.key, branch.bias - best) for branch in branches]


def _marked(hits: Sequence[Hit]) -> list[tuple[Mark, int, Hit]]:
    """The notes with their marks and places; a run says itself where it counts."""
    return [(mark_of(n, hit), hit.place if isinstance(hit, RunNote) else n, hit) for n, hit in enumerate(hits, 1)]
