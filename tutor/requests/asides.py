"""How learners put what is neither a question nor a wish for an experiment: a quiz, small talk, orders to the tutor about itself."""

from __future__ import annotations

import re

from tutor.requests.manner import Manners
from tutor.requests.patterns import any_of

QUIZ = any_of(
    r"(?<!failed the )(?<!failed my )(?<!failed a )(?<!passed the )(?<!passed my )\bquizz?(?:es)?\b(?! (?:the|your|this|it)\b)|\btest me\b|\btest my (?:[\w-]+ ){0,3}(?:know\w*|understanding|skills?|memory)\b|\bask me (?:a |some |another )?(?:questions?|something)\b",
    r"(?:\banother|(?<!for the )(?<!with the )(?<!to the )(?<!in the )\bnext) (?:quiz )?question\b|(?:^|[.!]\s*)(?:please )?(?:check|examine|grill) me(?: please)?\W*$|\bflash ?cards?\b|\bcheck (?:my (?:knowledge|understanding)(?![^:?]{0,20}:)|what i know|(?:if|whether) i (?:got|get|know|understood))\b|\bexamine me\b|\bi(?:'?d| would)? (?:want|like|need|love) to (?:be|get) (?:examined|tested|quizzed)\b|\byou ask,? (?:and )?i(?:'ll)? answer\b",
    r"(?:^|[.,;!]\s*|\b(?:please|and|but|just|rather) )(?:instead )?ask me about (?:it|that|this|them)\b(?! in\b)",
    r"\b(?:make|give|set|write|build)(?: me| us)? (?:an? |one |some )?(?:\w+ )?multiple[- ]choice\b(?! (?:\w+ )?(?:benchmark|exam|eval|data)\w*)",
    r"(?:^|[,.;!]\s*|\b(?:but|and) )(?:please )?(?:don'?t|do not) (?:tell|show|reveal|give)(?: me)? the (?:answers?|solutions?)\b",
    r"(?:\bask me\b|^(?:[\w-]+ ){0,4}questions?\b).*\bwithout (?:telling|showing|revealing|giving)(?: me)? the (?:answers?|solutions?)\b",
    r"^(?:some |a )?multiple[- ]choice\b(?!.*\?)|\blet'?s see (?:if|whether) i know\b",
)
# At the end of a message that asks nothing: "what has Llama to do with it. Forget it, quiz me on PPO".
QUIZ_LAST = any_of(
    r"^[^?]*(?:^|[.!;,:]\s*)(?:(?:ok(?:ay)?|so|and|but|now|then|just|rather|please|pls|forget (?:it|that)|never ?mind|instead|can you|could you)\W+)*quiz me(?: (?:on|about) [^?.!]{1,60}(?<!after)(?<!later)(?<!afterwards)| (?:now|please|pls|again|instead))?\W*$"
)
QUIZ_TOPIC = any_of(
    r"\bquiz(?:zes)? (?:show|night|master|app|website)\b|\bwhat is a quiz\b",
    # Somebody else's, of which the answer is wanted.
    r"\b(?:got|had|saw|failed|missed|wrong)\b.*\b(?:in|from) (?:the|your|that|this) quiz\b",
    r"\bquiz(?: question)? (?:from|in|of|at) (?:my|our|the|an?) (?:\w+ )?(?:lecture|course|exam|class|book|school|teacher|university|website|prof(?:essor)?s?|boss|colleagues?|friends?)\b|\bquiz (?:question )?for you\b[^.?!]*[:,]",
    r"\bbut (?:first|before (?:that|you do)),? (?:please )?(?:tell me|explain)(?! (?:how many|whether)\b)",
    r"^(?!(?:please )?(?:make|give|write|build)\b).*\bflash ?cards?\b.*\b(?:front|back)\b(?! ?-?prop)",
)

_PRAISE = (
    r"(?:ok(?:ay)?|great|perfect|cool|nice|awesome|got it|super|wow|good|alright|(?:that |it )?makes sense(?: now)?)"
)
# Beyond doubt by their words, the whole message.
GREETINGS: tuple[tuple[Manners, re.Pattern[str]], ...] = (
    (
        "hello",
        any_of(
            r"^(?:hi|hello|hey|hiya|good (?:morning|evening|afternoon|day)|greetings|howdy|yo)[\s,]*"
            r"(?:there|tutor|everyone|all)?[^\w]*$",
            r"^(?:hola|bonjour|salut|hallo|servus|moin|guten (?:tag|morgen|abend)|ciao|buon ?giorno|ol[áa]|namaste|merhaba|salaam?|привет|buen[oa]s (?:d[ií]as|tardes|noches))\b"
            r"(?: (?:a todos|zusammen|tout le monde|amigos?|tutor))?[^\w]*$",
            r"^(?:hi|hello|hey)\b[\s,!.]*(?:there[\s,!.]*)?i(?:'?m| am) new (?:here|to this)\b[^?]*$",
        ),
    ),
    (
        "thanks",
        any_of(
            rf"^(?:{_PRAISE}[\s,!.]*(?:that (?!makes sense))?)*(?:thanks?(?: you)?(?: so much| a lot| very much)?|thx|ty|cheers)?"
            r"(?: that (?:helped|helps|was helpful|makes sense))?[\s!.]*$"
        ),
    ),
    (
        "complaint",
        any_of(
            r"^(?:sorry,? |hm+,? |well,? |no,? )*(?:that|this|it|you|your (?:answer|reply|explanation))(?:'s| is| was|'re| are|'?ve been)?"
            r" (?:not|n't|isn'?t|wasn'?t|un)[ -]?(?:very |really |at all |particularly )*(?:helpful|useful|any help|any good)(?: at all)?(?: to me)?[^\w?]*$",
            r"^(?:(?:this|that|you|it)(?:'s| is| was|'re| are) )?(?:totally |completely |so |really )*(?:useless|rubbish|terrible|unhelpful|garbage)[^\w?]*$",
            r"^you(?:'re| are)? (?:just )?(?:keep repeating yourself|repeating yourself|not listening|not answering(?: me| my questions?)?)[^\w?]*$",
        ),
    ),
    (
        "bye",
        any_of(
            r"^(?:good)?(?:bye|night)(?: for now| bye)?[\s!.]*$",
            r"^(?:see you|cya|see ya)(?: later| soon| tomorrow)?[\s!.]*$",
        ),
    ),
)
SMALLTALK: tuple[tuple[Manners, re.Pattern[str]], ...] = (
    (
        "who",
        any_of(
            r"\bwho (?:are you\b(?! (?:calling|kidding|talking|to)\b)|(?:made|built|created) you\b)|\bam i (?:talking|chatting|speaking|writing) (?:to|with)(?=\W*$| (?:an? )?(?:real |actual )?(?:person|human|machine|computer|robot|(?:chat ?)?bot|ai|llm|(?:large )?language model|chatgpt|you|some(?:one|body))\b(?!.*\bor (?:an? )?(?:base|instruct|reasoning)\b))|\bwhat are you\b|\byour name\b|\bhow are you\b",
            r"\bare you (?:an? )?(?:ai|bot|human|robot|real|chatgpt|person|gpt|llm)\b",
            r"\bwhat model (?:are|do) you\b|\bwhich model (?:are you|do you (?:use|run))\b",
        ),
    ),
    (
        "help",
        any_of(
            r"^(?:help|help me|menu|start|topics?|what (?:can|do) you (?:do|know|teach|cover|help with)(?: (?!about\b).{0,20})?|"
            r"(?:what|which) (?:topics|subjects|concepts|sets) (?:can|do|are|could|should|does)\b.{0,40}|"
            r"what can i (?:ask|learn)(?: .{0,20})?|how do(?:es)? (?:you(?! \w+ (?:that|it|this)\b)|this|i use) .{0,20}|"
            r"list (?:the |all )?(?:topics|sets|concepts))[\s?!.]*$"
        ),
    ),
)
# What an answer can be given: told to a layman, or with a picture from life.
SIMPLER = any_of(
    r"\b(?:like|as if) (?:i'?m|i am|i was|i were) (?:a |an )?(?:five|5|[4-9]|1[0-2]|child|kid|baby|beginner|total beginner)\b|\beli5\b",
    r"\b(?:pictures?|comparisons?|analog(?:y|ies)|examples?|images?|metaphors?)\b.{0,20}\b(?:daily|everyday|real|normal|ordinary) life\b",
)
EXPERIMENT = r"\b(?:live )?(?:experiments?|demos?|demonstrations?)\b"
# Which experiments the tutor has; not those of papers and products.
EXPERIMENTS = any_of(
    r"^(?:\w+[,!]? ){0,3}?(?:what|which)(?: all| else| things?)? (?:can|could|do) (?:you|u|i|we) (?:(?:show|run|do|see|try)(?: me| us)? (?:live|in action|as an? (?:demo|experiment))|demonstrate|demo)(?: (?:me|us|here|for me))*\W*$",
    rf"\b(?:which|what)(?: (?:other|kinds? of|sort of))? {EXPERIMENT}(?: on [\w -]{{2,40}}?)? (?:can|could|do|would|are) (?:you|i|we|there)\b(?! (?:in|where|which|that)\b)",
    rf"\b(?:is|are) there (?:also )?(?:an?|any|other|one|some|no) (?:other )?{EXPERIMENT}(?: (?:on|for|about|of|with) [\w -]{{1,60}})?\W*(?:$|[?!]+ )",
    rf"\b(?:do|have) you (?:have |got |also )*(?:an?|any|other|no) (?:other )?{EXPERIMENT}(?: (?:on|for|about|of|with) [\w -]{{1,60}})?\W*$",
    rf"\b(?:you|u)(?: do not| don'?t)? (?:have|got) (?:no|any|an|a) (?:other )?{EXPERIMENT}\b",
    rf"{EXPERIMENT}\W.*\b(?:is|isn't) there (?:also )?(?:one|any|none) (?:on|for|about)\b|\blist (?:all |me )?(?:the |your )?{EXPERIMENT}\W*$",
)
# Orders that a learner may well give before a question: "act as if I knew nothing: …", "forget what I said about training. …".
ROLE = any_of(r"\bact as\b|\bpretend (?:to be|you)\b|\bjailbreak|\bforget (?:everything|all|what)\b")
# Tries to give the tutor orders about itself. A question about system prompts in general is none.
INJECTION = any_of(
    r"(?:^|[.!,:;>\n]\s*|\b(?:please|now|and|then|first|just|must|should|to)\s+)(?:ignore|disregard|forget|override|bypass)\b(?! (?:everything|all|what)(?: that)? (?:i\b|(?:he|she|they|people|(?:my|our) (?:\w+ )?\w+) (?:(?:have|has|had|ever|just|always) )?(?:told|tells?|said|says?|taught|explained|claims?|claimed)\b(?! you\b)))"
    r".{0,30}\b(?:instructions?|prompts?|rules?|previous|above|system|everything|guidelines)\b",
    r"\byour (?:\w+ )?(?:system |developer |hidden |initial )(?:prompt|instructions|message)\b",
    r"\b(?:print|reveal|show|repeat|tell|give|output|leak|display|dump|write|say)\b.{0,25}\b(?:the|this|its) (?:\w+ )?"
    r"(?:system|developer|hidden|initial) (?:prompt|instructions|message)\b",
    r"\byou are now\b|\bfrom now on,? you(?:'re| are)\b|^(?!\W*(?:(?:so|and|but) )?(?:do|does|did|can|could|will|would|why|how|what|which|when)\b(?![\s\S]*\b(?:you|u)\b))[\s\S]*\bact as\b(?! (?:my|an?) (?:(?:patient|good|friendly|study) )*(?:tutor|teacher|coach|buddy|partner)\b(?!.*\b(?:no|without|any) (?:\w+ )?(?:rules|limits|restrictions|filters)\b))|\bfrom now on\b,? (?:you |please |only |just |must |should |always )*(?:answer|reply|respond|speak|talk|say)\b"
    r"(?! (?:me )?(?:in (?:\d+|an?|one|two|three|at most|bullet|short|simple|plain|full|easy)|briefly|shortly|shorter|more (?:briefly|simply)|like i'?m)\b)|\bpretend (?:to be|you)\b|\bjailbreak\b|\bDAN\b",
    r"\brepeat (?:the|your|everything) .{0,20}(?:above|prompt|instructions)\b|\b(?:instructions|prompts?) (?:that )?(?:u|you) (?:got|were given|have been given|received) (?:at|in|before|from)\b",
    r"(?:^|[.,;!]\s*|\b(?:and|please|then|now|(?:can|could) you)\s+)(?:print|reveal|repeat|output|leak|dump)\b.{0,12}\byour (?:\w+ )?(?:prompt|instructions|rules|guidelines)\b",
    r"\breveal\b.{0,12}\brules (?:above|you)\b|\breveal\b.{0,30}\b(?:prompt|instructions|secret|key)\b|\b(?:api|secret) key\b.{0,20}\b(?:your|reveal|print)\b",
)
