"""How learners put it: patterns of words by which `tutor.intent` tells wishes apart. Each table says what it is for."""

from __future__ import annotations

import re


def any_of(*alternatives: str) -> re.Pattern[str]:
    """A pattern that finds any of the alternatives, whatever the case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


def words_of(*lines: str) -> frozenset[str]:
    """All words of the lines."""
    return frozenset(word for line in lines for word in line.split())


# A message that asks for words, or for what is made of them, wants no run.
_NO_WORDS = r"^(?!.*\b(?:explain\w*|describe|define|summar\w+|tell (?:me|us)|facts?|formula|tables?|sources?|references?|definition|pros|videos?|examples? of)\b)"

# What may stand before a command: "ok now please prune 70%".
LEAD = any_of(
    r"^(?:(?:pl(?:ea)?[sz]e?|now|ok(?:ay)?|right(?=,)|lovely(?=[.!,])|fine(?=[,.])|so|then|next|also|and|well|hey|hi|yo|hmm+|great|cool|thanks?|(?:can|could|would|will) (?:you|u)|kindly|"
    r"let'?s|lets|let us|be so (?:kind|good|nice) (?:as )?to|go (?:ahead|on)(?: and| then)?|come on|how about we|what do you say we|shall we|i(?:'?d| would) like (?:you )?to|i (?:want|wanna|need)(?: you)?(?: to)?|try to|just|again|instead)\b[\s,.!:]*)+"
)
# "Can I see RAG as a form of memory?" and "can I try it on my laptop?" want no run here.
_ELSEWHERE = (
    r"(?! [^.?!]{0,50}\bas (?:an?|the|being)\b(?! (?:chart|plot|curve|picture|race|demo|table))|[^.?!]*\bon (?:my|our) (?:\w+ )?"
    r"(?:laptop|phone|pc|computer|mac\w*|machine|gpus?|card|desktop|tablet|device|server)s?\b)"
)
# Asks to see something, which may still be words. Who "would like to see fewer mistakes" is somebody else.
SHOW = any_of(
    r"\bshow (?:me|us)\b",
    r"\blet(?: me|'?s| us|s) (?:see|watch|try|run|do|test|find out|check|measure|count|compare|play with)\b",
    r"\bchance (?:of (?:seeing|watching|training|trying)|to (?:see|watch|run|train|try)|(?:(?:that )?(?:i|we) (?:can|could) (?:see|watch)))\b",
    rf"\b(?:can|could|may|might|shall) (?:i|we|you|u|(?:the|my|our) (?:class|students|pupils|kids|team)) (?:\w+ly |please |just )?(?:see|watch|try|test|demo|show|race|pit|time|clock|compute|have a look at)\b{_ELSEWHERE}",
    r"\b(?:can|could|will|would) (?:we|you) (?:please |kindly )?(?:run|compare|measure|simulate|plot|launch|start|show|train)\b",
    r"\bdraw (?:me |us )?(?:the|a|my|its) (?:roof[- ]?line|curve|chart|plot|bars?|distribution)\b",
    r"\b(?:i|we)(?: \w+ly| just| also| do)* (?:want|wanna|need|wish (?:i|we) could) (?:to )?(?:see|try|watch)",
    r"\b(?:i|we)(?:['’]?d| would)(?: \w+ly| so| just)* (?:like|love|luv|enjoy|rather|want|need) (?:to )?(?:see|try|watch)",
    r"(?:^|[.,;:!?]+\s*)(?:(?:ok(?:ay)?|so|hey|hi|well|now|really|just)\W+)*(?:would|['’]?d)? ?(?:love|luv|like|want|wanna|need|rather) (?:to )?(?:see|try|watch)",
    r"\bwould be (?:\w+ ){0,2}to (?:see|watch|try)\b",
    r"\bdemo(?:nstrate)?\b|\bexperiment\b|\bvisuali[sz]e\b|\bsimulate\b|\bplot\b|\bsee it\b|\bdo it\b",
    r"\btry (?:it|out|this|that|with)\b|\btest (?:it|this) out\b|\bwhat happens (?:if|when|with|to|at)\b",
    r"^(?:compare|run|plot|measure|try|start|test|watch|show (?:how|an?|it|both|\d+))\b|^do (?:it|that|this)\b",
)
# Asks for a run and for nothing else, whatever words stand around it.
LIVE = any_of(
    r"\blive\b(?=\W*$|\W*(?:demo|run|experiment|test|on (?:this|your|a real)|how|what|with|without|for|please|and|at)\b|\s*[,.:;!?])",
    r"\ba live (?!chat|score|stream|event|show|broadcast)\w+",
    r"\b(?:show|see|watch|try|compare)\b.{0,60}\blive\b(?! (?:chat|score|football|stream|music|news|sport|tv)\w*)",
    r"(?<!what's )(?<!what is )(?<!what was )\b(?:a|the|this|that|your|\w+ing|\w+ion|shot|cache|lora|moe|rag) (?:live )?(?:demo|experiment)\b(?! (?:app|account|version|day)\w*| in the \w+ paper)",
    r"^(?:live )?(?:demo|experiment)\b(?=\W*(?:$|please|with|of|on|for|it)\b|\W*$)|\bdemo[,:]",
    r"\bin action\b|\b(?:see|watch)\b.{0,40}\bat work\b|(?<!\bis that )(?<!\bis this )(?<!\bis it )(?<!^that )(?<!^this )\bfor real\b|(?<!figures )(?<!numbers )\b(?:on|to|with|from|in) (?:a|the|this) real model\b|\bon (?:this|your|the) (?:machine|computer)\b",
    r"\b(?:can|could|would|will) (?:you|u) (?:please |kindly )?demo(?:nstrate)?\b(?! (?:why|how|that|what)\b)|\bby (?:running|measuring|trying) (?:it|that|this)\b|\bon the real thing\b|\bhere and now\b|\bin front of (?:me|us|(?:my|our) eyes)\b|\b(?:my own|our own|under (?:my|our)|before (?:my|our|their)) eyes\b|\b(?:see|watch|try|test) (?:(?:it|that|this) )?for (?:myself|ourselves)\b",
    r"\bwhile (?:i|we|they|you) watch\b|^(?:can|could|may|might) (?:i|we) (?:\w+ly |please |just )?watch\b(?! (?:an?|the|some|your) (?:\w+ )?(?:videos?|lectures?|talks?|films?|clips?|tutorials?)\b)|\bsee\b,? (?:rather than|not|instead of) (?:just |only )?(?:hear|read|be told|talk)\w*",
    r"\b(?:put|putting) (?:it|that|this) to the test\b|\b(?:so|then) (?:please |just )?(?:start|run|do|launch) it\W*$",
    # Eager, but for words, where those are asked for: "explain top-p this instant", "next topic: sampling. Let's go!"
    r"^(?!.*\b(?:explain\w*|describe|define|tell me|teach me|what(?! happens)|why|next|topics?|chapters?|lessons?|subjects?)\b)(?:.*\bthis (?:minute|instant|very moment)\b|.*(?<![.!?:;] )\blet'?s go+\W*$|(?:.*(?:[.,;!?]\s*|\b(?:just|please|and|to) ))?(?:have|give it) a go\b(?! (?:at|first)))",
    r"\b(?:can|could|shall|may|might) we (?:\w+ly |just |please )?(?:find out|(?:run|try|test|do|measure) (?:it|that|this))(?: (?:here|now|together|please))*\W*$",
    r"\b(?:show (?:me|us)|see|watch) what happens\b|(?<!when i )(?<!if i )\b(?:see|watch|start) the (?:live )?run\b(?![- ]?(?:time|length)|\s+(?:was|is|did))",
    r"(?:^|[.!?;,]\s*)(?:please |then |and |so )*(?:have|let) (?:the|this|your) (?:machine|computer|program) (?:compare|measure|compute|show|count|work|find|calculate)\b",
    r"\b(?:watch|let'?s see|let me see|(?:want to|wanna|need to|like to|love to|would rather|'?d rather) see) what\b.{0,50}\b(?:does|do|adds?)\b",
    r"\b(?:show (?:me|us)|see) what\b.{0,40}\d.{0,30}\b(?:does|do|costs?)\b",
    r"(?:[,.;?!]\s*|\b(?:and|then) )(?:please )?(?:run|measure|try|simulate|test|show|see|do)(?: (?:it|that|this|me|us))?\W*$",
    r"[.?!;:]\s*(?:please |go (?:on,? |ahead,? (?:and )?)?|just |so |now )*(?:run|rerun|train|calculate|measure|try|simulate|test|do|count|compute|time|clock|benchmark|plot) (?:it|that|this|them)\b(?! (?:mean|work|say)\b)",
    r"[.?!]\s+(?:please |then |so |now |just )*(?:run|measure|simulate|benchmark|compute|clock|prove it|test(?! me\b)|try(?! to\b| me\b| an? (?:analogy|metaphor)))\b[^?]*(?:$|\b(?:would|will|could|can) you\?+\W*$)",
    r"[.?!]\s+(?:please |then |so |now |just )*(?:(?:train|race|launch|fine-?tune) (?:it|one|them|both|me (?:one|the|a)|us (?:one|the|a))|(?:build|make|draw) (?:one|both)|"
    r"(?:build|make|draw) (?:me|us) (?:one|(?:an?|the) (?:(?!mental\b)[\w-]+ ){0,3}(?:network|model|mixture|moe|adapter|lora|curve|chart|plot|map|roofline|bars?))|go through the layers)\b[^?]*$",
    r"\blayers?\b.*[.?!]\s+(?:please |then |so |now |just )*go through (?:them|each)\b[^?]*$",
    r"^(?!.*\b(?:explain\w*|describe|define|tell (?:me|us)|want to tell)\b).*(?:[.,;!:?]\s*|\b(?:and|then) )(?:please )?(?:go+|start it|let it (?:run|talk|write|speak)|so do that|so start (?:it|the \w+))(?:[ ,]+go)*\W*$",
    # What is doubted or argued about is to be settled: "… I don't buy it, prove it", "… Kindly verify.", "train both and report back".
    r"(?:[.?!,;]\s+|\band )(?:so |please |kindly |now |then |just |go ahead and |i dare you,? )*(?:prove (?:it|that|this|me wrong|(?:him|her|them) (?:right|wrong))|verify(?: it| that| this)?|check (?:it|that) (?:with|by|on)\b[^?]*|settle (?:it|this|that)|report back|convince me)[^?\w]*$",
    r"[.?!;]\s+(?:so |please |now |then |just |go ahead and )*(?:time (?:the|both|it|them)|take (?:the |some |a few |real )?measurements|train (?:both|one|it|them)|fine-?tune (?:it|both|something|one)|"
    r"let (?:it|the model|them) (?:sit|answer|write|learn|try|generate|compete|practise|practice|guess|finish|continue)|ask (?:it|the model) (?!to (?:explain|tell))|count (?:the|its|how)|have a look inside)\b[^?]*$",
    r"\b(?:make|do) it (?:for me )?(?:with|on) (?:the|a|your) (?:real )?model\b|\bhave the model do it\b",
    r"^(?:do|start|make) (?:an?|the|another) .{0,40}\b(?:run|demo|experiment|test)\b|^(?:please )?give (?:me|us) (?:an?|the|another) (?:[\w-]+ ){0,4}run\b(?! ?-?down)",
    r"^(?:is it|would it be) possible (?:for (?:me|us) )?to (?:see|watch)\b",
    # To be shown rather than told, or to decide what was claimed: "don't explain, just do it", "train it and we'll see".
    rf"{_NO_WORDS}.*\bshow,? (?:don['’]?t|not) tell\W*$|(?:^|[.!?;,:] )(?:please )?(?:don['’]?t|no need to) (?:explain|tell|guess|lecture|talk)\b(?: \w+){{0,6}}(?:[,:;.]+|,? but| just) "
    r"(?:but |just |please )*(?:(?:do|run|try|test|measure) it|show (?:me|us|it))(?:\W*$|:)",
    r"\b(?:i|we) (?:just )?(?:want|need) (?:to see )?(?:curves|measured numbers|measurements),? (?:and )?not (?:opinions|words|promises|talk|theory)\W*$|\brather (?:look|watch) than (?:read|hear|be told)\b",
    r"(?:^|[.!;,] |\band )(?:please |so |now |then )*(?:prove|settle|decide) (?:it|that|this)\b (?:please )?(?:by|with) (?:an? )?(?:\w+ )?(?:experiment|run|trial)\b|(?:^|[.!?;,] )(?:please )?(?:do the (?:[\w-]+ ){1,4}|give me an )experiment\b(?! (?:from|in|by)\b)",
    rf"{_NO_WORDS}.*(?:[.!?;,]\s*(?:so )?off you go|\b(?:and|then) (?:we|i)(?:['’]ll| will| shall) (?:see|know)(?: (?:who|if|whether)\b[^.?]{{0,40}})?|\b(?:let|have) (?:me|us) watch(?: (?:it|that|this|them))?)\W*$",
    rf"{_NO_WORDS}.*\b(?:it['’]?d|it would|that would) (?:be (?:lovely|nice|great|fun)|please me|help me(?: a lot)?) (?:\w+ ){{0,3}}?to (?:actually |really |just )?(?:see|watch)\b(?! (?:why|how|what|whether)\b)",
    r"\bi['’]?d be (?:curious|glad|happy|grateful) (?:to have it measured|if you (?:ran|trained|measured|would (?:run|train|measure)))\b",
    r"^(?:can|could|may) (?:i|we) (?:\w+ly |please |just )?(?:see|watch|get|have) (?:an?|one|another) (?:[\w-]+ ){0,3}(?:run|test)(?:\W*$| (?:going|started|please|here|now|with|of|at|while)\b)",
    r"^(?:train|fine-?tune|quanti[sz]e|prune|run|sample|tokeni[sz]e|distil|test|sort|generate)\b[^?]*\b(?:right|just) now\b",
    r"\blet(?:'?s| us) (?:\w+ly |just )?(?:find out|test|measure|check)\b(?! (?:my|what i|(?:if|whether) i)\b)|^(?:can|could|may) (?:i|we|you) (?:\w+ly )?(?:see|watch|try|test|run|do|measure|compare|time|check)\b.*\b(?:here|now)\W*$",
)
# Begins a command for a run; "can you run a 70B model, or is that hopeless?" is none.
COMMAND = any_of(
    r"^(?:(?:speed|test|dry)?-?run|simulate|measure|benchmark|clock|race|take (?:one|a|the|your) (?:\w+ )?model|launch|kick off|fire up|spin up|time (?:a|an|the|it|both|\d+|generation)|do (?:an?|the) .{0,40}\b(?:run|demo|experiment|test))\b"
)
# Asks for words beyond doubt, also where it names a run: these stand above every wish for one.
WORDS = any_of(
    r"\b(?:do not|don'?t|no need to|without|instead of) (?:run|start|show|measur|simulat|runn)\w*\b|\bnot (?:the|an?) (?:experiment|demo|run)\b",
    r"\b(?:in|only|just) (?:plain |simple |your own )?words\b|\bin (?:theory|principle|plain \w+)\b|\bon paper\b|\bby hand\b|\bwithout (?:any |the )?(?:charts?|jargon|maths?)\b",
    r"\b(?:run|walk|talk|take|lead|guide) (?:me|us) (?:\w+ )?(?:through|thru)\b|\b(?:true or (?:false|not)|right or wrong|yes or no|fact or (?:fiction|myth))\b|\bis (?:it|that|this) (?:so|true|correct)\?+\W*$|\brun\b.{1,60}\b(?:past|by) (?:me|us)\b",
    r"(?<!enough )\b(?:arithmetic|maths?|reasoning|arguments?|formula|theory|logic|intuition) (?:behind|for|of|against)\b",
    r"\b(?:most |many |other )?(?:people|companies|labs|practitioners|experts) (?:\w+ly |mostly )?(?:recommend|use|take|choose|pick|prefer|go for|go with|suggest|deploy)\b",
    r"\btry (?:to|and) (?:explain|tell|put|say|describe|name|sum|make me)\b|\bexplain\w* .{0,60}\bwith(?: an?)? example\b",
    r"\bin (?:one|a few|\d+(?: ?(?:-|to|or) ?\d+)?) (?:\w+ )?(?:sentences?|words|lines?)\b|(?<!tokens )\bin an? (?:\w+ )?(?:sentence|line)\b|\bas if i (?:were|was)\b|^(?:(?:can|could) you |please |let'?s )?run through\b(?!.*\b(?:stages|pretraining|pipeline)\b)|\bsee (?:if|whether) i(?:'ve| have)? (?:got|get|understand|understood)\b|\bshow your (?:working|calculation|sum)s?\b",
    # "…, right?" wants to be told; "count how often it's right?" does not.
    r"(?<!\bit's )(?<!\bit’s )(?<!\bits )(?<!\bare )(?<!\bgets )\b(?:right|correct)\s*\?\W*$|\b\w+n't (?:it|they|that|you)\s*\?\W*$",
    # A remark of one clause, and what leads on to another topic.
    r"^\d[\d.]* ?(?:%|[a-z]+) (?:broke|breaks|ruined|ruins|destroyed|killed|kills|lost|loses|hurt|hurts|worked|failed|fails)\b[^,;:.?!]*[.!]?$",
    # A run that is over is talked of: "I ran the LoRA demo with rank 4 …. Is …?"
    r"^(?:i|we)(?: just| have|['’]ve)* (?:ran|run|did|tried|watched|saw|seen) (?:the|your) (?:[\w-]+ ){0,4}(?:demo|experiment|run)\b(?!.*\b(?:again|now|(?:can|could|will|would) (?:you|we|i)|run|try)\b).*\?\W*$",
    r"^(?:the|your) (?:[\w-]+ ){1,4}(?:demo|experiment|run) (?:says?|said|shows|showed|tells|told|claims|claimed|gave|found|wrote)\b(?!.*\b(?:again|now|(?:can|could|will|would) (?:you|we|i)|run|try)\b).*\?\W*$",
    r"\btell me,? (?:please )?(?:and )?(?:do not|don['’]?t) (?:run|start|do|train|simulate|show|measure|try)\b",
    r"\bmodels? (?:needs?|wants?|likes?|loves?) to see\b|^(?:the )?next (?:topic|chapter|lesson|subject)\b(?!.*\b(?:demo|live|run|experiment)\b)",
    r"\b(?:in|for) production\b|\bno (?:live )?(?:experiments?|demos?|runs?)\b(?! (?:yet|so far))|(?:^|[.!,;])\s*(?:just |only )?(?:one|two|three) (?:short )?(?:sentences?|words?|lines?)(?=\s*(?:[.!,;]|please\b|$))",
)
# What a run is to tell, named behind the order: "measure this computer: how fast does it calculate?"
COLON = re.compile(
    r"^[^.?!:]{8,60}: (?:how|what|which)\b(?!.*\b(?:should|shall|better|prefer|recommend)\b)", re.IGNORECASE
)
# What follows from a supposition: "if 70% are zero, then the file shrinks?"
_THEREFORE = (
    r"\bthen,? (?!(?:and|again|or|please|just|only|with|at|to|let|do|run|show|use|take|try|make|set|give|go)\b)\w"
)
# A question in a later clause: "half the weights are zero. Is the file half as large?"
ASKS_THEN = any_of(
    r"[,.;:!?]\s+(?:and |so |but )?(?:is|are|does|do(?! (?:it|that|this)\b)|did|was|were|has|have|will|would|should|isn'?t|aren'?t|doesn'?t|don'?t)\b(?! you\b)[^.?!]*\?\W*$",
    r"^so\b.*\b(?:is|are|was|were|has|have|does|do|means?)\b.*\?\W*$",
    rf"^(?:(?:and|but|so|ok(?:ay)?|well|then)[\s,]+)*(?:if|suppose|supposing|assume|imagine)\b.*{_THEREFORE}",
    r"[,.;:!?]\s+(?:and |so |but )?(?:what(?! happens\b)|which|who|where|why|when|how)\b[^.?!]*\?\W*$",
)
# Asks for words, also after "show me".
EXPLAINS = any_of(
    r"\b(?:differences?|expl?a?[il]*n\w*|why|meaning|mean|definition|define|analog(?:y|ies)|metaphors?|comparison|basics|pros|cons|list|summary|idea|downsides?|advantages?|drawbacks?|limits)\b|\b(?:the|main|which) (?:\w+ )?steps\b",
    r"\bwhat(?! happens\b| do you say (?:we|to|if)\b)|\bhow (?:do|does|did|to|is|are|can|could|would|should|come|\w+ (?:decides?|works?|chooses?|picks?|finds?|gets?|makes?|knows?|helps?|learns?|sees?))\b",
    r"\b(?:an?|one|worked|another|simple|short|some|more|my own) examples?\b(?! in)|\bsources?\b|\bpassages?\b|\bpapers?\b",
    r"\b(?:some|any|the|more) (?:numbers|figures|facts|details|benchmarks|tricks|tips)\b",
    r"\b(?:is it|does|should|where|when|who|my own|worth)\b",
    r"\bwhich (?:one|of)\b|\b(?:evidence|proof|stud(?:y|ies))\b|\bin (?:simple|plain|short|other) (?:\w+ )?(?:sentences?|words?|terms|lines?)\b",
    r"(?<!test )(?<!measure )(?<!check )(?<!clock )(?<!find out )(?<!watch )\bhow (?:many|much)\b",
    r"\btell (?:me|us) (?:(?:some(?:thing)?|a bit|a little) )?(?:more )?about\b",
    r"\bshow (?:me|us) (?:which(?! (?:\w+ )?layers? (?:\w+ )?(?:minds?|suffers?|hurts?|cares?|breaks?|copes?|takes? it|bears?|feels?|loses?|is|are|react\w*)\b)|who|when|where|whether)\b|\b(?:roughly|usually|in general)\b",
)
# An order to do something, which beside a value of an experiment asks for a run: "train a mixture of 16 experts".
ORDER = any_of(
    r"^(?:train|re-?train|fine-?tune|squeeze|compress|shrink|round|launch|start|do|make|use|take|compare|cut|drop|sample|generate|draw|plot|run|"
    r"let (?:it|an?|the)|give it|put|turn|switch|set|time|clock|race|pit|ask (?:it|the)|feed|test|try|measure|build|throw|remove|apply|leave|swap|exchange|replace|flip|mix|route|send)\b"
)
# Says what comes of it, and orders nothing: "Round the weights and you lose accuracy."
SUMS_UP = any_of(
    r"\band (?:then )?(?:you|it|they|we(?! (?:will |can )?(?:see|watch|look|compare)\b)|your|the (?:model|weights|file|quality|accuracy))\b(?!\W*$)"
)
PROPOSES = any_of(r"^(?:(?:so|and|ok(?:ay)?|well|then|now)[\s,]+)*(?:how about we|what do you say we|shall we)\b")
MAY_SEE = any_of(rf"\b(?:can|could|may) (?:i|we) (?:see|watch|try)\b{_ELSEWHERE}")
# A choice between two ways is a question, whatever verb it begins with.
CHOICE = any_of(r"\bor\b.*\?")
# With nothing but values beside it, courtesy makes a request: "4 bits please".
PLEASE = any_of(r"\bpl(?:ea)?[sz]e?\b|\bgo\W*$")
QUESTION = any_of(
    r"^(?:and |but |so |ok(?:ay)?,? )?(?:(?:at|in|on|for|to|by|from|with|of) (?=(?:which|what|whose)\b))?(?:what(?! do you say (?:we|to|if)\b)|whats|why|y(?= (?:is|are|do|does|did|would|can|not)\b)|how(?! about we\b)|when|which|who|where|"
    r"is(?! it possible (?:for (?:me|us) )?to (?:see|watch)\b)(?! there (?:any |a )?(?:chance|way) (?:of |to |(?:that )?(?:i|we|you) (?:can|could) )(?:see|watch|show|run|try|train|measur)\w*)|are|does|did|can (?:a|an|the|i(?! (?:\w+ly |please |just )?(?:see|watch|try|have|get)\b"
    rf"{_ELSEWHERE}"
    r")|one|it|my)|should|"
    r"do(?! (?:it|that|this)\b)(?:(?= (?:i|you|we|they|people|any|all|both|these|those|most|\w{3,}s)\b)|(?=.*\?\W*$))|"
    r"would(?! (?:you|be (?:\w+ ){0,2}(?:to|if)|love|luv|like|rather|it be (?:\w+ ){0,2}(?:possible|ok(?:ay)?|alright|too much))\b)|will (?:a|an|the|it|i)|could (?:a|i|it|one)|has|have(?! (?:the|your|an?) (?:\w+ )?model (?:answer|write|predict|generate|try|say|continue|do|solve|sort)\b)|am|was|were|isn'?t|aren'?t|doesn'?t|don'?t(?= (?:i|you|we|they|people|\w{3,}s)\b|.*\?\W*$)|wouldn'?t|(?:can'?t|won'?t|couldn'?t|shouldn'?t|didn'?t|hasn'?t|haven'?t)(?! (?:you|we|i)\b))\b"
)
_AND = r"^(?:(?:and|but|so|ok(?:ay)?|h+m+|then|also)[\s,.…]+)*"
_IT, _VALUE = "(?:it|that|this|they|one)", r"[\d.]+ ?%?(?: \w+)?"
# A question by its first word that continues an experiment: "what about 2 bits?", "what does it get with 4?", "what would 32 do?"
ABOUT = any_of(
    rf"{_AND}(?:what|how) (?:about|abt|bout|of|if (?:we|i|you))\b",
    rf"{_AND}what if\b(?=.*(?:\d|\b(?:instead|only|nobody|no one|never|without|skip\w*|off|out|reversed|shuffled)\b))",
    rf"{_AND}what(?:['’]?s| is) (?:it|that) like (?:at|with|for)\b|{_AND}(?:what|how) would\b(?=.*\d.*\blook\b)|{_AND}what happens (?:with|at|if)\b",
    rf"{_AND}what (?:would|will|does) (?:happen|change|come out) (?:with|at|for) {_VALUE}\W*$",
    rf"{_AND}(?:what|how)\W+(?:pray\W+)?(?:does|do|would|will) {_IT}\b(?: (?:get|give|do|look|look like|become|turn out|come out|fare|behave|go|sound|say))? (?:without|(?:with|at) (?=[^,;.?!]*\d)) ?[^,;.?!]{{1,30}}\W*$",
    rf"{_AND}(?:what|how)\W+(?:pray\W+)?(?:does|do|would|will) {_VALUE} (?:do|give|get|bring|look|look like|yield|change|make|be|be like)\W*$",
)
# Supposes another value: "hm, and if the labels were letters?". "If …, does it …?" asks.
SUPPOSES = any_of(
    r"^(?:(?:h+m+|oh|and|but|so|ok(?:ay)?|alright|right|well|then|now|also|thanks?)\b[\s,.!…]*)*(?:if|suppose|supposing|say(?=,? (?:(?:to|at|with|only|just|about|around|like) )*\.?\d)|imagine|assume|were (?:it|one|we|they)|had (?:nobody|no one|one|we|they|it))\b"
    rf"(?!.*{_THEREFORE})"
    r"(?!.*[.?!]\s+\w)(?!.*[,;:] ?(?:and |then |so |but )*(?:does|do|did|is|are|will|would(?! you (?:mind|please)\b)|can|could|must|might|may|shall|what|how|why|which|who|when|should|has|have|am)\b)"
)
# A number of something that no setting counts: "suppose I have 8 GB", "give me 3 reasons".
COUNTED = any_of(
    r"(?<![\w.])\d+(?:\.\d+)?%? ?(?!(?:then|now|next|instead|please|pls|plz|not|maybe|perhaps|rather|say|again|too|also|so|tho(?:ugh)?|of|for|at|in|on|to|by|with|from|or|and|as|if|vs|versus|against|"
    r"this|only|just|percent|ish|is|are|was|were|enough|suffices?|would|wouldn|might|could|should|will|seems|sounds|works|does|did|do|it|me|us|everything|all|looks?|gives?|brings?)\b)[^\W\d_]"
)
# States something: "so 4 bits is enough for attention".
STATES = any_of(
    r"\b(?:is|are|was|were|seems?|means?|looks?|makes?|needs?)\b|\bi (?:think|thought|guess\w*|expect\w*|suppose\w*|believe\w*|see|know|knew)\b"
)
# A lead that takes up what ran last: "now with 2 bits".
AGAIN = any_of(
    r"^(?:(?:(?:no\W+)?i (?:said|meant|wanted|asked for|told you)|and|now|ok(?:ay)?|again|then|also|pl(?:ea)?[sz]e?|so|but|what about|how about|what if (?:we|i|you)|try|same|repeat|"
    r"run|do|redo|rerun|make|use|set|give it|leave|raise|lower|keep|what if|with|at|for|to|in|it|that|this|only|just|compare|instead|let'?s|lets|go back|back|change|"
    r"switch|turn|the same|once more|one more time|show me|can (?:you|we)|could (?:you|we))\b[\s,]*)+"
)
# Says anywhere that what ran last is to change: "8 shots instead".
CHANGES = any_of(
    r"\b(?:instead|this time|rather than|same|as before|unchanged|keep|once more|one more time|as well|too|back o(?:n|ff)|as (?:it|they) w(?:as|ere)|(?:everything|all) else|the rest)\b|\bnext to each other\b|^(?:swap|exchange|replace|flip)\b"
)
# A change without a subject that does something: "only the attention layers", "full fat 32 bit floats now".
BARE = any_of(
    r"^(?!.*\b(?:people|everyone|everybody|most|many|companies|labs|they|he|she|works?|uses|used)\b)(?:it )?(?:with|without|rather|at|on|in|for|to|from|by|over|under|using|only|just|not|wh?at if|each|every|all|whole|full|half|twice|double|another|other|new|different|more|fewer|less|no(?! one\b))\b",
    r"^(?:add|ask|boost|bring|bump|change|compare|crank|cut|do|double|draw|drop|feed|fetch|flip|generate|give|go|halve|heat|hire|keep|leave|let|limit|lower|make|max|measure|mix|move|pick|"
    r"prune|pull|pump|push|put|quanti[sz]e|raise|redo|reduce|remove|repeat|replace|restrict|round|run|sample|send|set|show|shrink|shuffle|skip|slash|spare|squeeze|start|stick|swap|switch|take|throw|"
    r"tokeni[sz]e|train|triple|try|turn|use|write)\b",
    r"^\w+(?:er|est|ier)\b [\w ]{1,20}[,:]|[,:;] (?:so |then |please )*(?:let|give|make|try|use|take)\b|\b(?:now|then|please|pls)\W*$",
    r"\b(?:i|we)(?:['’]d| would) (?:rather|like|love|prefer)\b|^(?:my|our) \w+ would (?:go for|try|prefer)\b|\bmore like\b",
    r"^(?:(?:\d[\d.:%]*|bits?|percent|shots?|experts?|examples?|steps?|tokens?|rows?|users?|notes?|and|or|then|vs|versus|against|with|too)(?:[\s,;]+|\W*$))+$",
)
BESIDE = any_of(
    r"\bcompare (?:it|that|this)?\s?(?:with|to|against)\b|\b(?:beside|besides|next to|alongside|along with) (?:it|that|this|them)\b"
)
# Of runs that are over: "compare the two runs", "put both results side by side".
COMPARES_RUNS = any_of(
    r"\b(?:compare|contrast)(?: (?:the|these|those|both|all|my|your|last|previous|two|three|of|them|runs|results|experiments|outcomes|please|for me|side by side|(?:with|to) each other|now))+\W*$",
    r"\b(?:put|show|set) (?:me )?(?:(?:the|both|these|those|my|last|two) )*(?:runs|results|outcomes) (?:side by side|next to each other|beside each other)\b",
)
SAME_TEXT = any_of(r"\bsame (?:prompt|text|sentence|words|beginning)\b")  # that of the turn before
SEED = any_of(
    r"\b(?:an)?other (?:random )?seeds?\b|\b(?:different|new|second|more) (?:random )?seeds?\b|\bseeds? *(?:of|to|=|is)? *[1-9]\d*\b|\bchange (?:the|that|your) seed\b"
)
POINTS_AT = any_of(r"\bthe [\d.,]{3,}\W*\?")  # "and the 545681?" asks about a number that came out
BACK = any_of(r"\bback to\b")
REPEAT = any_of(r"\b(?:again|repeat|redo|rerun|once more|one more time)\b")
# Changes what ran last and nothing else, so that it begins no run: "double it", "half as long please".
RELATIVE = any_of(
    r"^(?:(?:and|now|please|pls|ok(?:ay)?)\W+)*(?:(?:double|halve|triple) (?:it|that|this)|(?:set|put|turn) (?:it|that|this) (?:up |down )?to [\d.]+|(?:\d+|one) (?:more|less|fewer)|"
    r"(?:half|twice|\d+ times) as (?:long|many|much))(?:\W+(?:please|pls|now|then))*\W*$"
)
# A sentence of only these words, of which one is in STARTS, points to the set in play: "show me live", "demo please".
POINTS = words_of(
    "a ahead and can could demo do experiment for give go here i if in action it just let lets live ll me model now ok okay on play",
    "please pls real run s see show start test that the then this to try us want watch we with would like you your yes",
)
STARTS = words_of("live demo experiment run see watch try show start test do play")

# Words of the experiments that are mended where they are misspelt: "quantze", "shuffel".
SPELLINGS = words_of(
    "quantize quantized quantization prune pruning pruned sparsity sparsify structured unstructured experiment temperature sampling",
    "nucleus tokenizer tokenize tokens experts mixture routing retrieval retrieve attention shuffle shuffled reverse reversed",
    "letters policy distill distillation pretraining hardware bandwidth roofline benchmark perplexity percent adapter",
    "finetune finetuning examples prompting reinforcement chunks overlap passages caching decoding balance balancing",
    "simulate visualize compare measure layers",
)
# Short names of settings, which are mended only where two letters changed places: "30 stpes", "rnak 2".
_SHORT_NAMES = words_of("alpha bits heads rank rows shots steps width")
SWAPPED = {
    f"{name[:i]}{name[i + 1]}{name[i]}{name[i + 2 :]}": name for name in _SHORT_NAMES for i in range(1, len(name) - 1)
}
