"""The texts that the tokens experiment takes, and how learners give them."""

from __future__ import annotations

from dataclasses import dataclass

from demos.base import Param, Value
from demos.levels import COUNT
from demos.quotes import LONE_QUOTED, after_colon, first_of_two, second_of_two
from demos.token_pieces import split_words

MOST_WORDS = 8  # in the map of cosines

_WORD = (
    r"(?!(?:and|also|too|demo|demonstration|experiment|tell|show|see|measure|then|let|give|print|plot|which|what|how|compare|compute)\b"
    r"|(?:please|pl[sz]|thanks|thx)\W*$|(?<=\w, )now\W+please\W*$)[\"“]?[\w'’-]+[\"”]?"  # "…, hammer, please" ends with no word of the list
)
_LISTED = rf"{_WORD}(?:(?:,? and |, ?){_WORD})+"
# A list that is not announced as words must hold none that are numbers: "with 20, 50 and 80 instead".
# Nor may it name what other experiments are about: "ok now pruning, quantization and LoRA" goes on to those.
_TOPICS = (
    r"(?:the )?(?:q?-?lora|adapters?|fine-?tun\w+|rag|retrieval|prun\w+|spars\w+|quanti[sz]\w+|rounding|ptq|qat|sampling|decoding|greedy|temperature|nucleus|top[- ]?[kp]|min[- ]?p|"
    r"moes?|mixtures?|experts?|rout(?:er|ing)|(?:zero|one|few)[- ]?shot|prompting|kv[- ]?cach\w+|prefill|grpo|dpo|ppo|rlhf|rlvr|rl|sft|distil\w+|pre-?training|mid-?training|"
    r"hardware|roofline|gpus?|tpus?|cpus?|attention|mlps?|perplexity|tokens?|tokeni[sz]\w+|embeddings?)\b"
)
_PLAIN = rf"(?!\d|(?:{COUNT})\b|{_TOPICS}){_WORD}"
_NEXT = rf"(?:(?:,? and |, ?){_PLAIN})"
_OTHERS = rf"{_PLAIN}{_NEXT}+"

_CUT = r"tokens?|tokeni[sz]\w*|count|cut|split|chop|pieces"
_COMPARED = r"embed\w*|cosines?|vectors?|how close|similar\w*|near(?:er|est)?|far apart"  # asks about meanings: its quotations are words
_VERSUS = r"(?:vs\.?|versus|and (?:of|for|in)|compared (?:to|with)|against)"
_ONE_WORD = r"(?!(?:the|a|an|this|that|my|words?|characters?|embeddings?)\b)[^\W\d_][\w'’-]*"


@dataclass(frozen=True)
class WordList(Param):
    """Words, however they were listed: "tea, coffee and rice" becomes "tea, coffee, rice"."""

    def parse(self, value: Value) -> str:
        text = str(value)
        words = split_words(text, len(text))[0]
        # "violin, cello, hammer, now": not the fourth word, but when.
        impatient = len(words) > 3 and words[-1].lower() == "now" and " and " not in text
        return ", ".join(words[:-1] if impatient else words)


PARAMS = (
    Param(
        "text",
        "The otorhinolaryngologist paid 12345 euros for a Schmetterling 🦋 in Zürich.",
        "the text to cut into tokens, in any language",
        spoken=(
            first_of_two(_CUT, _COMPARED),
            rf"\btoken(?:s|i[sz]e)?(?: (?:of|for|in))? ({_ONE_WORD}) {_VERSUS} {_ONE_WORD}",
            r"\b(?:cut|split|break|chop|slice)(?: up)? (?:the|this) (?:word|name) ([^\W\d_][\w'’-]*)",
            rf"\b(?:tokens?|tokeni[sz]\w*|text|sentence|word|string|pieces|cut|split|chop)\b[^\"“”]{{0,40}}{LONE_QUOTED}",
            LONE_QUOTED,
            after_colon(r"tokens?|tokeni[sz]\w*|text|sentence|word|string|pieces|cut|split|chop"),
            r"^(?:and |now |what about |how about |try )*the word (\S+?)[.?!]*$",
            r"\b(?:and|now|also|same)(?: thing)? in \w+:\s+(\S.*?)\s*$",
            r"\btokeni[sz]e (?:the (?:word|text|sentence) )?(?!(?:my|this|the|a|an|it|some|text|your)\b)([^\"“”\n]{1,200}?)[.!?]?$",
        ),
        loose=(
            first_of_two(r"\w+", _COMPARED),
            # A word so long that somebody wonders about it, or a name: "chop up Donaudampfschiff for me", "my surname is …".
            r"\b(?:chop|cut|split|slice|break|tokeni[sz]e|dissect)\b(?: up| down)? ([^\W\d_]{14,})\b|\b(?:sur|first |last )?name is ((?-i:[A-Z])[^\W\d_]{2,})\b|^([^\W\d_]{14,})\b(?=\W*(?:[-=]+>|→|:|$))",
            r"\b(?:now|next|then|also|instead)(?: (?:do|try|take|use|cut|split))?(?: (?:it|that|this))?(?: with)?:\s+(\S.*?)\s*$|^(?:try|do|take|use)(?: (?:it|that|this))?(?: with)?:\s+(\S.*?)\s*$",
        ),
    ),
    Param(
        "beside",
        "",
        "another text to set beside it",
        spoken=(
            second_of_two(_CUT, _COMPARED),
            rf"\btoken(?:s|i[sz]e)?(?: (?:of|for|in))? {_ONE_WORD} {_VERSUS} ({_ONE_WORD})",
        ),
        loose=(second_of_two(r"\w+", _COMPARED),),
    ),
    WordList(
        "words",
        "king, queen, apple, pear, cat, dog",
        f"up to {MOST_WORDS} words whose embeddings are compared, with commas between them",
        spoken=(
            r"\b(?:words(?: are(?=:)| here)?|(?<!how )(?:my|these) words are|embeddings?(?: (?:of|for|between))?|embed|cosines?(?: (?:of|between))?|how (?:close|near|similar|far apart)(?: are)?)"
            rf":? ({_LISTED})",
            rf"\bhow (?:close|near|similar|far apart) do ({_PLAIN}{_NEXT}{{2,}})",
            # "nurse, doctor, banana: how near do these lie?"
            rf"^({_PLAIN}{_NEXT}{{2,}})\s?[:;.-](?=.*\b(?:these|those|they|them)\b)(?=.*\b(?:near|nearer|nearest|close|closer|closest|similar\w*|alike|far|apart|cosines?|distances?|embed\w*)\b)",
            rf"\b(?:swap|exchange|replace|change|trade) (?:\w+ ){{0,2}}?(?:words|them|those|these|it|'?em)\b[^:\"“”,.]{{0,20}}?\b(?:for|with|to|by|into) ({_OTHERS})",
            rf"\b(?:swap|exchange|replace|change|switch)\b[^:\"“”,.]{{0,30}}?\b(?:for|with|to|by|into) ({_OTHERS})(?=,? instead\b)",
            rf"^(?:(?:ok|and|then|now|next|again|please|do it|(?:the )?same)[ ,]+)*(?:now|next|with),? ({_PLAIN}{_NEXT}{{2,}})[.?!]*$",
            rf"\b(?:with|take|try|use) ({_OTHERS})(?=,? (?:instead|this time)\b)|\b(?:instead|this time)(?:[,:] | (?:with|take|try|use) )({_OTHERS})",
        ),
        # One list of words, in a message that is about nothing else: "next lot: bread, butter, hammer, nail".
        loose=(
            rf"(?:: ?|^are |\b(?:of|for|finds?|between|words|embeddings|try|take|use|compare|where do|how do|put) )({_PLAIN}(?:, ?{_PLAIN}){{2,}}(?:,? and {_PLAIN})?|{_PLAIN}(?:, ?{_PLAIN})+,? and {_PLAIN})(?=[.?!]*(?:\s|$))",
            rf"\bput ({_PLAIN}(?:, ?{_PLAIN}){{2,}}) next to each other\b|\bcomparison on ({_PLAIN}(?:, ?{_PLAIN}){{2,}})|[.?!] ({_PLAIN}(?:, ?{_PLAIN}){{4,}})(?=\W)",
        ),
    ),
)
