"""Yes/no questions: is this one, and which of the two words may open its answer?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.embedder import Embedder
from knowledge.mentions import Mentions
from knowledge.passages import Ask, Polarity
from knowledge.search import Hit, Search
from tutor.requests.parts import without_echo, without_topic
from tutor.verdict.closed import ANY_WH, REQUEST, STATES, asks_yes_or_no
from tutor.verdict.doubted import doubts
from tutor.verdict.hearsay import JUDGED_FIRST, VERDICT, is_hearsay

_AUXILIARY = r"(?:is|are|was|were|does|do|did|can|could|will|would|should|shall|has|have|had|must|might|may|am)"
_LEAD = r"^(?:(?:so|and|but|ok(?:ay)?|wait|hmm?|then|also|well|hey|please)\b[\s,]*)*(?:if\b[^,]{3,60},\s*)?"
_ASKS = re.compile(
    rf"{_LEAD}{_AUXILIARY}(?:n'?t)?\b(?!\s+(?:you|u)\s+(?:explain|tell|give|show|name|describe))", re.IGNORECASE
)
_TAG = re.compile(
    rf"(?:[,;]\s*|\s)(?:right|correct|true|yes|no|yeah|or not|{_AUXILIARY}n'?t (?:it|they|i|you|we|that|this|one|he|she|there))\s*\?+\s*$"
    rf"|\s(?:is|are|was|were|does|do|did|can|will|would|has|have)n'?t (?:it|they|that|this|he|she|there)\s*$"
    # Without "n't" only behind a comma: "which part decides, and how does it do it?" asks for words.
    rf"|[,;]\s*{_AUXILIARY} (?:it|they|i|you|we|that|this|one|he|she|there)\s*\?+\s*$"
    r"|\b(?:is it true|is that true|true or (?:false|not)|is it correct|am i right)\b|\b(?:it is|is it|is this|is that|it'?s|that) so\s*\?+\s*$|^(?:i (?:heard|read|thought|think|believe|guess) (?:that )?(?!the (?:term|word)))",
    re.IGNORECASE,
)
_WH_END = re.compile(
    r"(?:^|[.!?]\s+|,\s*(?:so|and|but)\s+)(?:what|why|how|which|who|where|when)\b[^.!?]*\?*\s*$", re.IGNORECASE
)
# A conclusion that waits to be confirmed, though it ends with a full stop: "…, so basically we've built an agent."; "so I can …" tells a purpose.
_CONCLUDES = re.compile(
    r"(?:^|[,;.!]\s+)(?:and |then )?[Ss]o,? (?!that\b|[Ii] can\b)(?:basically |really |i guess |then |now )?(?:i|i'?m|we|we'?(?:ve|re)|you|it|it'?s|they|that|this|the|my|our|an?|[A-Z]\w*)\b[^?]*$"
)
# "…, so how does it learn?", "Once it is trained, what can be done?": a clause that asks for words, with none before it that an auxiliary begins.
_JOINT = r"(?:(?:so|and|but|ok(?:ay)?|then|well)[,\s]+)*"
_ASKS_FOR_WORDS = re.compile(
    rf"(?:(?:^|[.!:]\s+){_JOINT}(?:which|whose|whom?|whereabouts|(?:when|where) (?={_AUXILIARY}\b)|(?:what|how)(?! (?:about|if)\b)|whats|why)"
    rf"|,\s*{_JOINT}(?:(?:what|how)(?! (?:about|if)\b)|whats|why))\b[^.!?]*\?+\s*$",
    re.IGNORECASE,
)
_ASKED_BEFORE = re.compile(rf"(?:^|[.!?;:,]\s*){_JOINT}{_AUXILIARY}(?:n'?t)?\b", re.IGNORECASE)
_EXPLAINS = re.compile(
    r"\b(?:explain\w*|describe)\b|\b(?:know|tell|show|understand|learn)\b.{0,30}\b(?:what|how|why)\b", re.IGNORECASE
)
_NEGATION = re.compile(r"\b(?:not|never|no longer|without|cannot|nothing|none|no)\b|n'?t\b", re.IGNORECASE)
_LEADING_DENIAL = re.compile(rf"({_LEAD})({_AUXILIARY}|ca|wo)(?:n'?t|'t)\b", re.IGNORECASE)
_PERSON = r"(?:it|they|i|you|we|that|this|one|he|she|there)"
# What a claim ends with that says nothing of it: "…, right?", "…, doesn't it?"; somebody may give a reason behind it.
_ASKED_BACK = re.compile(
    rf"(?:\s*[,;.–-]+\s*(?:or )?(?:right|correct|true|yes|yeah|no|huh|eh|or not|or|am i right|(?:is|isn'?t) that (?:right|correct|true|so)|{_AUXILIARY} {_PERSON})"
    rf"|[,;]?\s+(?:i (?:guess|suppose|assume)|(?:{_AUXILIARY}|wo|ca)n'?t {_PERSON}))\s*(?:\?+|\.*$)",
    re.IGNORECASE,
)
# A wish for words in a question's form: "could somebody describe …?", "is there some everyday comparison?"
_WISHES = re.compile(
    rf"{_LEAD}(?:(?:can|could|would|will) (?:you|u|some(?:one|body)|any(?:one|body)) (?:please |just |maybe |quickly )?"
    r"(?:explain|describe|tell|give|show|name|walk|take|work|compare|list|draw|put|sum|summari[sz]e|outline|define|clarify|distinguish|contrast|help)\b"
    r"|(?:can|could|may) (?:i|we) (?:please )?(?:see|get|have) (?:an?|one|some) (?!idea)(?:\w+ ){0,2}(?:example|case|picture|number|figure|analogy|comparison)"
    r"|(?:(?:do|have) you (?:have |got |know )?(?:of )?|(?:is|are) there |got |any )(?:an? |some |any )?(?:[\w-]+ ){0,2}(?:picture|example|analogy|comparison|metaphor|image|rule of thumb)s?\b)",
    re.IGNORECASE,
)
# "Pull them apart for me, would you?"
_WISHES_BACK = re.compile(
    r",\s*(?:please,?\s*)?(?:would|will|could|can) (?:you|u)(?:,? please)?\s*\?+\s*$", re.IGNORECASE
)
_WITHOUT_DENIAL = {"ca": "can", "wo": "will"}
_HEARD = re.compile(
    rf"^(?:so |and |but )?(?:is it (?:really )?(?:true|correct|right)|i (?:have )?(?:heard|read|thought|think|believe)|{VERDICT})\s*[:,–—-]? ?(?:that )?",
    re.IGNORECASE,
)
# "Should I go for PPO, DPO or GRPO?" wants one of them named, and so does "should it learn from a teacher or from its own tries?"; "can it run on a laptop or on a phone?" does not.
_CHOICE = re.compile(
    rf"(?:^|[.!?,]\s+){_JOINT}(?:{_AUXILIARY}\b[^.?!]*?\w, [^.?!,]+,? or [^.?!,]+"
    rf"|(?:should|shall)\b[^.?!]*?\b(from|with|on|by|in|to|for|as)\b [^.?!,]{{2,70}},? or \1 [^.?!]+)\?",
    re.IGNORECASE,
)
# "7 x 4.9 / 8 = 4.3 GB, right?" is reckoned, which no note's sentence settles.
_RECKONS = re.compile(
    r"\d\s*(?:[-+*/x×÷·]|times|divided by|minus|plus)\s*\d[^?]*=\s*(?:about |ca\.? |~|≈)?\d", re.IGNORECASE
)
_IN_WORDS = re.compile(rf"\b(?:what|whats|why|how|which|where|who|when(?= {_AUXILIARY}\b))\b", re.IGNORECASE)
_WHY_END = re.compile(r"(?:^|[.!?]\s+)(?:(?:so|and|but)\s+)?why\b[^.!?]*\?*\s*$", re.IGNORECASE)
_CLAUSE = re.compile(r"[.?!;,:]\s+")
_WHICHEVER = re.compile(r"\b(?:whether|either|true that)\b", re.IGNORECASE)
_OR = re.compile(r"\bor\b(?! not\b)", re.IGNORECASE)
_WHY = re.compile(r"why: ", re.IGNORECASE)
"""Before what was asked last, where a mere "why?" is made standalone (tutor/followup.py)."""
_SURE = 0.93  # cosine from which an author's question counts as the same question


def is_yes_no(query: str, embedder: Embedder) -> bool:
    """Whether the question can be answered by Yes or No: the rules' word is one hint of a fitted model, its sense by the published `embedder` another."""
    bare, ruled = without_topic(query), by_rule(query)
    if (
        _WHY.match(query)
        or _WISHES.match(bare)
        or _WISHES_BACK.search(bare)
        or _RECKONS.search(bare)
        or doubts(bare)
        or (not ruled and _CHOICE.search(bare))
        or (not ruled and _ASKS_FOR_WORDS.search(bare) and not _ASKED_BEFORE.search(bare))
    ):
        return False
    return is_hearsay(query) or asks_yes_or_no(query, ruled, embedder)


def by_rule(query: str) -> bool:
    """Whether a question's form asks for Yes or No; a choice ("A or B?") and a request ("can you explain …") do not."""
    if is_hearsay(query):
        return True
    query = without_topic(query)
    if _TAG.search(query) and not _WHY_END.search(query):  # "why is 8 slower and 4 not, no?"
        return True
    if re.search(r"\bor\b(?! not)", query):
        return False
    if query.endswith("?") and STATES.search(query) and not ANY_WH.search(query) and not REQUEST.search(query):
        return True  # a statement with a question mark: "I zeroed half of the weights, so the file is half as big?"
    if _CONCLUDES.search(query) and STATES.search(query) and not _EXPLAINS.search(query) and not REQUEST.search(query):
        return True
    return bool(_ASKS.search(query)) and not _WH_END.search(query)


def is_tagged(query: str) -> bool:
    """Whether something is said to be confirmed: "…, right?"."""
    return _TAG.search(without_topic(query)) is not None


def between_sides(query: str, mentions: Mentions) -> bool:
    """Whether it asks which of two sides: "is it on-policy or off-policy?" wants neither Yes nor No."""
    for clause in _CLAUSE.split(without_topic(query)):
        for found in _OR.finditer(clause):
            before = clause[: found.start()]
            one, other = mentions.sides(before), mentions.sides(clause[found.end() :])
            if one and other and one != other and not _WHICHEVER.search(before):
                return True
    return False


def asks_in_words_too(query: str) -> bool:
    """Whether something in it may ask for words: "Is it getting cut off, and how do I make it keep the name?" A Yes before such an answer must be surer."""
    return _IN_WORDS.search(query) is not None


def possible_openings(query: str, hits: Sequence[Hit], search: Search) -> tuple[Polarity, ...]:
    """The first words to choose from: none unless it is a yes/no question, one where an author settled it, else both."""
    if not is_yes_no(query, search.embedder) or between_sides(query, search.mentions):
        return ()
    settled = settled_polarity(query, hits, search.embedder, search.mentions)
    return (settled,) if settled else ("yes", "no")


def settled_polarity(query: str, hits: Sequence[Hit], embedder: Embedder, mentions: Mentions) -> Polarity | None:
    """Yes or No, if an author settled it: a question with a polarity says the same, names the same sides and is as negated.

    Short of that votes, readers and words decide (tutor/choosing/composition.py).
    """
    if not is_yes_no(query, embedder):
        return None
    asks = [ask for hit in hits for ask in hit.passage.asks if ask.polarity]
    # What is often believed wrongly is asked with a No to follow: "Is it true that quantization removes weights?"
    asks += [Ask(hit.passage.claim, "no") for hit in hits if hit.passage.claim]
    if not asks:
        return None
    query = _HEARD.sub("", claim_of(query)).rstrip("?!. ")
    vectors = embedder.embed([query, *(ask.text.rstrip("?!. ") for ask in asks)])
    scores = vectors[1:] @ vectors[0]
    wanted = sorted(mentions.sides(query))
    order = sorted(range(len(asks)), key=lambda i: -scores[i])
    best = next((i for i in order if sorted(mentions.sides(asks[i].text)) == wanted), None)
    if best is None or scores[best] < _SURE:
        return None
    return asks[best].polarity if _negated(query) == _negated(asks[best].text) else None


def claim_of(query: str) -> str:
    """What the question asks to be confirmed: "Isn't it …?" and "It …, doesn't it?" get the Yes or No of "Is it …?" and "It …?"."""

    def plainly(found: re.Match[str]) -> str:
        auxiliary = _WITHOUT_DENIAL.get(found[2].lower(), found[2])
        return found[1] + (auxiliary.capitalize() if found[2][:1].isupper() else auxiliary)

    claim = JUDGED_FIRST.sub("", without_echo(query))
    claim = claim if claim == query else claim.rstrip(" ?.!,;–-") + "?"
    claim = _ASKED_BACK.sub("?", _LEADING_DENIAL.sub(plainly, claim, count=1), count=1)
    return claim if len(claim.split()) > 2 else query


def contradicts(opening: Polarity, query: str, sentence: str) -> bool:
    """Whether the sentence reads as the opposite of the opening: "Is it always faster?" "Yes. It is not faster for …".

    After No a sentence may say what is so instead, so only Yes is judged.
    """
    return opening == "yes" and not _negated(query) and _negated(sentence)


def _negated(text: str) -> bool:
    """Whether the claim itself is negated; "doesn't …?" asks for the same claim as "does …?"."""
    return len(_NEGATION.findall(claim_of(text))) % 2 == 1
