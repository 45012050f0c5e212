"""Which experiment a wish for a run means that names none, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demos import DEMOS
from tests.tutor.judges import doubt
from tutor.events import Exchange
from tutor.intent import route
from tutor.requests.manner import Judged


def _meant(**likely: float) -> Callable[[str], Judged]:
    """A judge to whom all is a wish for a run, of one of these."""
    return lambda text: Judged({"run": 0.9, "question": 0.1}, likely)


def test_a_wish_on_a_set_runs_an_experiment_of_the_set() -> None:
    """Protects: "can I see that happen?" while the talk is of bi-encoders starts no experiment on prompts, unless that is surely meant; of the set's own, the one that was spoken of."""
    said = "I'd love to see that happen right here"
    unsure, sure = _meant(few_shot=0.8, quantize=0.1), _meant(few_shot=0.97)
    encoders = route(said, (), DEMOS, "bi-encoder-vs-cross-encoder", unsure).demo
    assert encoders is not None and encoders.name == "rag"
    prompts = route(said, (), DEMOS, "bi-encoder-vs-cross-encoder", sure).demo
    assert prompts is not None and prompts.name == "few_shot"
    talked = (Exchange("what does quantization do?", "It rounds [1]."),)
    rounded = route(said, talked, DEMOS, "pruning-vs-quantization", _meant(prune=0.6, quantize=0.3)).demo
    assert rounded is not None and rounded.name == "quantize"


@pytest.mark.parametrize(
    ("said", "concept"),
    [
        ("I'd love to see that happen right here", "agent-vs-workflow"),
        ("Which experiments can you run on perplexity at all?", "perplexity-vs-benchmarks"),
        ("do you have any experiments on open weights?", "open-weights-vs-open-source"),
    ],
)
def test_where_there_is_no_experiment_the_list_is_told(said: str, concept: str) -> None:
    """Protects: a wish that nothing can fulfil is told so, and who asks what there is reads it."""
    routed = route(said, (), DEMOS, concept, _meant(few_shot=0.8) if "love" in said else doubt)
    assert routed.intent == "smalltalk" and routed.reason == "experiments"


@pytest.mark.parametrize(
    "said", ["In which experiments did DPO beat PPO?", "What did the experiments in the GQA paper find?"]
)
def test_experiments_of_papers_are_asked_about(said: str) -> None:
    """Protects: a question about research is answered from the notes."""
    assert route(said, (), DEMOS, None, doubt).intent == "ask"


def test_a_number_is_no_experiment_of_a_set_that_has_none() -> None:
    """Protects: a text's length in a talk of encoders and decoders does not set the KV cache's text."""
    text, other = "try it with a text of 64 tokens please", "encoder-vs-decoder"

    def judge(text: str) -> Judged:
        return Judged({"run": 0.9}, {"kv_cache": 0.5})

    assert route(text, (), DEMOS, other, judge).demo is None
    assert route(text, (), DEMOS, "prefill-vs-decode", judge).demo is not None
