"""A message that says first why, and then orders a run (tutor/intent.py)."""

from __future__ import annotations

import pytest

from demos import DEMOS
from tutor.events import Exchange
from tutor.intent import route
from tutor.requests.manner import Judged


def test_an_order_behind_what_leads_up_to_it_is_one() -> None:
    """Protects who says first why: what the last sentence wishes for by itself counts, with the settings that it states, unless all of it is surely a question or the end asks."""

    def judge(text: str) -> Judged:
        meant = {"run": 0.96, "question": 0.04} if text.startswith("Strip") else {"question": 0.9, "run": 0.1}
        return Judged(meant, {"prune": 0.9})

    def surely_asked(text: str) -> Judged:
        return Judged({"question": 0.99}) if text.startswith("80") else judge(text)

    text = "80 percent off is what the vendor claims. Strip out a quarter of the rows and tell me the damage."
    call = route(text, (), DEMOS, None, judge).demo
    assert call is not None and (call.name, call.params["sparsity"]) == ("prune", 0.25)
    assert route(text, (), DEMOS, None, surely_asked).intent == "ask"
    assert route(text[:-1] + "?", (), DEMOS, None, judge).intent == "ask"
    assert route("80 percent off is what the vendor claims. Strip it!", (), DEMOS, None, judge).intent == "ask"
    history = (Exchange(text, "…"),)
    again = route("now with 60 percent", history, DEMOS, None, judge).demo
    assert again is not None and (again.name, again.params["sparsity"]) == ("prune", 0.6)


@pytest.mark.parametrize(
    "text",
    [
        "No demo please, in words only. Strip out a quarter of the rows and tell me the damage.",
        "Many labs do extreme things, e.g. Strip out a quarter of all the weights.",
        'My boss wrote to us: "Costs must fall. Strip out a quarter of the rows and tell me the damage."',
    ],
)
def test_what_the_whole_rules_out_its_last_sentence_does_not_order(text: str) -> None:
    """Protects: words that forbid a run, an abbreviation, and what somebody else is quoted with."""
    judge = {True: Judged({"run": 0.96}, {"prune": 0.9}), False: Judged({"question": 0.9, "run": 0.1})}
    assert route(text, (), DEMOS, None, lambda said: judge[said.startswith("Strip")]).intent == "ask"
