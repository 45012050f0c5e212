"""The settings of the mixture of experts, and how learners say them."""

from __future__ import annotations

from demos.base import Param

_SEVERAL = "two|three|four|five|six|seven|eight|nine|ten"
_COUNT = f"one|{_SEVERAL}"
# "Every token through two", "let each token visit two of them", "route the tokens to 2 experts each".
_VISITS = (
    r"\btokens? (?:(?:is|are|be|being|gets?|should|must|can|could|may|able|allowed|to|always|only|just|now) )*"
    r"(?:(?:goes|go|going|sent|routed|passes|passing|travels?|handed|given) )?(?:to|through|thru|via|past|pass(?:es|ing)?|visit\w*|hits?|sees?|uses?|asks?|consults?|gets?|picks?|reach\w*)"
)
_BALANCING = r"(?:load[- ])?balanc\w+(?: (?:thing|loss|term|part|bit|stuff))?"
# "Don't drop balancing" keeps it.
_KEPT = (
    r"\b(?:do not|don['’]?t|never) (?:disable|drop|remove|kill|ditch|scrap|lose|skip|stop|omit|switch|turn|shut|leave|take|cut|put)(?! on\b) "
    rf"(?:[\w-]+ ){{0,3}}?{_BALANCING}\b(?! (?:on|back)\b)"
)

PARAMS = (
    Param(
        "experts",
        8,
        "feed-forward blocks in the mixture",
        2,
        16,
        spoken=(
            rf"(?<!top[- ])(?<!tokens to )(?<!token to )(?<!token through )(?<!tokens through )\b(?<!\.)(\d+|{_SEVERAL})[- ](?:experts?|specialists)\b(?! (?:a|per|for (?:each|every)|active|at a time)\b)",
            r"\bexperts? (?:up |down )?to (\d+)\b",
            (r"\b(?:pair|couple) of (?:experts|specialists)\b", 2),
            (r"\btrio of (?:experts|specialists)\b", 3),
        ),
        loose=(
            rf"\b(\d+|{_SEVERAL}) (?:\w+ ){{0,2}}?(?:blocks|networks|sub[- ]?(?:blocks|networks)|parts|feed[- ]?forwards?|mlps?|specialists|experts)\b(?! (?:a|per|for (?:each|every)|active|at a time)\b)|(?<![\w.])(\d\d?)E\b",
            r"\bexperts?\b[^.;\d]{0,20}?\b(\d|1[0-6])\b(?! ?(?:steps|seconds?|minutes?|tokens?|times|%|percent))",
        ),
    ),
    Param(
        "active",
        1,
        "experts that each token passes",
        1,
        2,
        spoken=(
            rf"\b(\d+|{_COUNT}) (?:(?:of (?:them|these|which) |are |is |be |being )*active\b|of (?:the )?(?:\d+|{_COUNT}) experts\b)",
            rf"\b(\d+|{_COUNT}) (?:experts? |of (?:them|'?em|those) )?(?:a|per|for (?:each|every)) token\b|\b(\d+|{_COUNT}) experts? (?:active|at a time|at once)\b",
            rf"{_VISITS}(?: (?:the|its|only|just|best|top|exactly|to|through))* (\d+|{_COUNT})\b(?! tokens)",
            rf"\btop[- ](\d+|{_COUNT})[- ](?:rout\w+|experts?|gating)\b|\bactive *= *(\d+)|\btop-(\d+)\b(?![- ]?[kp])|\bexperts?\b[^.?!]{{0,12}}\btop ([12])\b(?![- ]?[kp])",
        ),
        loose=(
            r"\btop ([12])\b(?![- ]?[kp])",
            r"\b([12]|one|two) of (?:them|'?em|these|those|all) (?:\w+ )?(?:awake|at work|working|busy|on duty|chosen|used)\b",
            (
                r"\b(?:both|two|2) (?:\w+ ){0,2}(?:per|for (?:each|every)|a|each) (?:\w+ )?(?:tokens?|words?)\b|\bactive\b\D{0,20}\b2\b",
                2,
            ),
            (
                r"\b(?:just|only|a single|exactly) (?:one )?(?:\w+ ){0,2}(?:per|for (?:each|every)|a) (?:token|word)\b|\bactive\b\D{0,20}\b1\b",
                1,
            ),
        ),
    ),
    Param(
        "balance",
        "on",
        "load balancing: a part of the training loss that rewards equally busy experts",
        choices=("on", "off"),
        spoken=(
            (_KEPT, "on"),
            (
                rf"\b(?:without|no|with no) (?:(?:the|any|that|this|its) )?{_BALANCING}|\bunbalanced\b|\b(?:router|routing) collapse\b"
                rf"|\b(?:switch|turn|shut|leave|take|cut|put) (?:[\w-]+ ){{0,3}}{_BALANCING} (?:(?:of|between|among|for) (?:the |all )?(?:experts|router) )?(?:off|out|away)\b"
                rf"|\b{_BALANCING}(?: \w+){{0,2}} (?:off|out|away|gone|disabled|removed|dropped|missing)\b"
                rf"|\b(?:turn|switch|shut) off .{{0,12}}balanc\w+|\b(?:disabl\w+|drop\w*|remov\w+|kill|ditch|scrap|lose|skip|stop|omit|do not|don'?t) (?:the |that |this |any |its )?{_BALANCING}",
                "off",
            ),
            (
                rf"\b(?:with|load) (?:the |load[- ])?balanc\w+|\b{_BALANCING}(?: \w+)? (?:on|back|enabled|restored|again)\b"
                rf"|\b(?:re-?)?(?:enabl\w+|restor\w+|activat\w+|add\w*|bring\w* back|put back|turn\w* (?:back )?on|switch\w* (?:back )?on) (?:the |that |this |its )?{_BALANCING}",
                "on",
            ),
        ),
        loose=(
            (r"\b(?:switch|turn|put|bring) (?:it|that) (?:back )?on\b|\bback on\b", "on"),
            (r"\b(?:switch|turn|shut|leave) (?:it|that) off\b", "off"),
            (
                r"\b(?:without|no|nobody|remov\w+|drop\w*|(?:turn|switch|take|leav)\w* (?:off|out|away))\b[^.;?]{0,35}\b(?:fair\w*|equal(?:ly)?|even(?:ly)?)\b",
                "off",
            ),
        ),
    ),
)
