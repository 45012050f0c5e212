"""Answers made of the passages' own sentences: which may come next, as a grammar for constrained decoding.

    answer   = [opening] sentence{1,5}
    opening  = "Yes." | "No."          only for a yes/no question, see tutor/verdict/polarity.py, and only where it is no guess
    sentence = a sentence of a retrieved passage, with its citation

The model chooses; it cannot invent. What it may choose is narrowed to what a good answer can hold: no sentence twice, no
near-repetition, none that stands before one already taken from its passage, unless the question asks for several things.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from knowledge.passages import Polarity, Reference
from knowledge.search import Hit
from knowledge.sentences import cited
from tutor.choosing.evidence import Evidence, Piece
from tutor.choosing.taught import NO_VOTES, SILENCE, Votes
from tutor.choosing.weighing import Weighing, least_lead, load_weighing
from tutor.choosing.whole import sentences_told_whole
from tutor.choosing.wish import Wish
from tutor.context.lately import NOTHING_BEFORE, Lately
from tutor.engines.base import Branch
from tutor.experiments.runs import Mark, RunNote, mark_of
from tutor.requests.parts import without_echo
from tutor.verdict.agreement import load_agreement
from tutor.verdict.polarity import asks_in_words_too, by_rule, claim_of

LONGEST_ANSWER = 5  # sentences
_SURELY = 0.89  # the vote of a quarter of what might answer
_HARDLY = 0.4  # of half a thousandth
_REPEATS = 0.90  # cosine from which a sentence repeats another


class Reading(Protocol):
    """What tells whether a sentence means Yes or No to a question: nats, by each of two (tutor/verdict/readers.py)."""

    def log_odds(self, question: str, sentence: str, context: str = "") -> tuple[float, float]: ...


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
        lately: Lately = NOTHING_BEFORE,
    ) -> None:
        """`tuned` is the embedder that retrieval uses, if it is another one than `embedder`, which tells repetitions; `mentions` finds sides,
        `told` are sentences that the answer before has said, `readers` tell Yes from No, and `vector` is a follow-up as `tuned`'s space has it, and
        `context` as the causal readers get it; of the kind that is the `wish` a note is told whole.
        Whoever asks on and would get a sentence first that was said `lately`, other than to have it confirmed, is told something else."""
        sentences = [
            Piece("sentence", cited(sentence, mark), place, position, sentence, mark)
            for mark, place, hit in _marked(hits)
            for position, sentence in enumerate(hit.passage.sentences)
        ]
        notes = [hit for hit in hits for _ in hit.passage.sentences]
        self._kinds = [hit.passage.kind for hit in notes]
        self.evidence = Evidence(query, sentences, notes, embedder, votes, tuned, mentions, told, vector)
        self._votes, self._weighing, self._readers = votes, weighing or load_weighing(), readers
        self._query, self._context, self._turns = query, context, lately.turns
        self.pieces: list[Piece] = list(sentences)
        self._openings = range(len(self.pieces), len(self.pieces) + len(openings))
        self.pieces += [Piece("opening", opening.capitalize() + ".") for opening in openings]
        self._end = len(self.pieces)
        self.pieces.append(Piece("end", ""))
        # A question about a run is answered with what was measured, which no model need choose, then with why.
        leads = {hit.label: hit.leads for hit in hits if isinstance(hit, RunNote) and hit.leads}
        told_first = [(label, lead) for label, said in leads.items() for lead in said]
        places = {(str(piece.mark), piece.sentence): key for key, piece in enumerate(sentences)}
        self._leading = [places[lead] for lead in told_first if lead in places]
        # Whoever asks about a run has read all of it: what does not answer is not told again.
        self._recalls = bool(self._leading)
        reasons = [hit.reason for hit in hits if isinstance(hit, RunNote) and hit.leads and hit.reason not in told]
        explaining = [self.evidence.references.index(r) for r in reasons if r in self.evidence.references]
        self._leading += explaining
        whole = sentences_told_whole(wish, query, hits, mentions) if wish and mentions and not self._leading else []
        self._leading += [self.evidence.references.index(sentence) for sentence in whole if sentence not in told]
        self._dropped = self._said_before(lately.stale) if lately.stale and not self._leading else frozenset[int]()
        self._nothing_more = bool(self._leading and whole) or bool(explaining)
        self._explains = (
            bool(leads) and re.search(r"\b(?:why|how come|reasons?|causes?)\b", query, re.IGNORECASE) is not None
        )

    def _said_before(self, stale: Collection[Reference]) -> frozenset[int]:
        """The stale sentences, if one of them is the likeliest to begin with and others are left."""
        keys = frozenset(key for key, reference in enumerate(self.evidence.references) if reference in stale)
        others = len(keys) < len(self._first)
        return keys if others and self._first[0].key in keys else frozenset()

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
        opening = next((self.pieces[key].text for key in taken if self.pieces[key].kind == "opening"), "")
        dropped = frozenset[int]() if opening else self._dropped
        keys = [key for key in range(self._openings.start) if key not in dropped and self._adds(key, said)]
        if unsaid := [key for key in self._leading if key not in said]:
            return [Branch(self.pieces[unsaid[0]].text, unsaid[0])]
        explained = any(isinstance(self.pieces[key].mark, int) for key in said)
        if self._recalls:
            # Behind what was measured, one sentence of the notes will do: whatever explains it, or what surely answers.
            keys = [key for key in keys if self._explains or self._surely_answers(key)]
        if self._nothing_more or (self._recalls and (explained or not keys)):
            return [Branch("", self._end)]
        reasons = [key for key in keys if isinstance(self.pieces[key].mark, int)]
        unexplained = self._explains and bool(reasons) and not explained
        branches = self._sentences(reasons if unexplained else keys, said, "" if said else opening)
        if said and not unexplained and not self._lists_on(said):
            weights = self._weighing.end_of_several if self.evidence.of_several else self._weighing.end
            branches.append(Branch("", self._end, Weighing.total(weights, self.evidence.end_hints(said))))
        return _balanced(branches)

    def _surely_answers(self, key: int) -> bool:
        """Whether those who read the question give the sentence a quarter of all that might answer it."""
        return self._votes.read.get(self.evidence.references[key], SILENCE) >= _SURELY

    def _opening_branches(self) -> list[Branch]:
        """Yes and No with what speaks for each; none where neither is sure enough, and the sentence has to say it."""
        if len(self._openings) == 1:
            return [Branch(self.pieces[self._openings.start].text, self._openings.start)]
        if self._first and self._is_beside_the_claim(self._first[0].key):
            return []
        lead = Weighing.total(self._weighing.opening, self.opening_hints()) + self._weighing.yes
        if abs(lead) < least_lead(self.lead_of_first(), asks_in_words_too(self._query), self._turns):
            return []
        biases = {"Yes.": lead, "No.": 0.0}
        return [Branch(self.pieces[key].text, key, biases[self.pieces[key].text]) for key in self._openings]

    def _is_beside_the_claim(self, key: int) -> bool:
        """Whether the sentence says nothing of what is to be confirmed: a picture does not tell who says so right, nor does what answers only another part of the message."""
        if self._kinds[key] == "analogy" and without_echo(self._query) != self._query:
            return True
        part, reference = self._claiming_part, self.evidence.references[key]
        others = [other.read.get(reference, SILENCE) for other in self._votes.parts if other is not part]
        surely_another = max(others, default=SILENCE) >= _SURELY
        return part is not None and surely_another and part.read.get(reference, SILENCE) < _HARDLY

    @cached_property
    def _claiming_part(self) -> Votes | None:
        """The part of the message that wants Yes or No."""
        return next((part for part in self._votes.parts if by_rule(part.query)), None)

    @cached_property
    def _first(self) -> list[Branch]:
        """The sentences by how likely each begins the answer where no Yes or No stands before it."""
        return sorted(self._sentences(range(self._openings.start), (), ""), key=lambda branch: -branch.bias)

    def lead_of_first(self) -> float:
        """By how much the likeliest first sentence leads; without bound where there is no other."""
        return self._first[0].bias - self._first[1].bias if len(self._first) > 1 else np.inf

    def opening_hints(self) -> tuple[float, ...]:
        """What is known of Yes against No (OPENING), asked by that part of the question that wants it; only the language model reads the whole, as it learned to."""
        part = self._claiming_part
        votes = (part or self._votes).polarity
        read, words, reads_on = (0.0, 0.0), 0.0, 0.0
        if self._readers is not None and self._openings.start:
            likeliest = self._first[0]
            claim = claim_of(part.query if part else self._query)
            read = self._readers.log_odds(claim, likeliest.text, "" if part else self._context)
            words = load_agreement().log_odds(claim, likeliest.text)
            reads_on = self.evidence.opening_read(likeliest.key)
        return (votes.get("yes", SILENCE) - votes.get("no", SILENCE), *read, words, reads_on)

    def _sentences(self, keys: Sequence[int], said: Sequence[int], opening: str) -> list[Branch]:
        known = self.evidence
        hints = {key: known.later_hints(key, said) if said else known.first_hints(key, opening) for key in keys}
        later = self._weighing.later_of_several if known.of_several else self._weighing.later
        weights = later if said else self._weighing.first
        return [Branch(self.pieces[key].sentence, key, Weighing.total(weights, hints[key])) for key in keys]

    def _lists_on(self, said: Sequence[int]) -> bool:
        """Whether the answer is in the midst of a list: of three or more sides asked about, its note told one a sentence and tells another next."""
        following, asked = said[-1] + 1, self.evidence.asked_sides
        if len(asked) < 3 or len(said) < 2 or following >= self._openings.start:
            return False
        keys = (*said[-2:], following)
        named = [asked & self.evidence.sides[key] for key in keys]
        in_a_row = keys[0] + 1 == keys[1] and len({self.pieces[key].mark for key in keys}) == 1
        return in_a_row and all(len(sides) == 1 for sides in named) and len(set(named)) == len(named)

    def _adds(self, key: int, said: Sequence[int]) -> bool:
        piece = self.pieces[key]
        if isinstance(piece.mark, str) and (
            self._recalls or any(self.pieces[other].mark == piece.mark for other in said)
        ):
            return False
        for other in said:
            before = self.pieces[other]
            if key == other or (
                self.evidence.alike[key, other] > _REPEATS and not self._tells_of_another_side(key, other)
            ):
                return False
            if before.mark == piece.mark and before.position > piece.position and not self._goes_back(key, said):
                return False
        return True

    def _tells_of_another_side(self, key: int, other: int) -> bool:
        """ "A one-shot prompt gives one example." does not repeat what is said of a few-shot prompt in the same words."""
        sides = self.evidence.sides
        return bool(sides) and len(sides[key]) == len(sides[other]) == 1 and sides[key] != sides[other]

    def _goes_back(self, key: int, said: Sequence[int]) -> bool:
        """Whether a sentence may follow a later one of its note: the order is the learner's where several things are asked."""
        sides = self.evidence.sides
        return bool(self._votes.parts) or bool(sides and self.evidence.sides_left(said) & sides[key])


def _balanced(branches: list[Branch]) -> list[Branch]:
    """The same choice with the best bias at 0: where branches part, only differences count."""
    best = max((branch.bias for branch in branches), default=0.0)
    return [Branch(branch.text, branch.key, branch.bias - best) for branch in branches]


def _marked(hits: Sequence[Hit]) -> list[tuple[Mark, int, Hit]]:
    """The notes with their marks and places; a run says itself where it counts."""
    return [(mark_of(n, hit), hit.place if isinstance(hit, RunNote) else n, hit) for n, hit in enumerate(hits, 1)]
