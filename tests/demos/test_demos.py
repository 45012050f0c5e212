from __future__ import annotations

import re
import subprocess
import sys

import pytest

from demos import DEMOS, find_demo
from demos.base import Demo
from knowledge.concept_files import load_knowledge
from tutor.errors import DemoError
from tutor.intent import route


@pytest.fixture(scope="module")
def passage_ids() -> frozenset[str]:
    return frozenset(passage.id for passage in load_knowledge().passages)


def test_importing_the_experiments_imports_nothing_heavy() -> None:
    """`demo --list` and routing answer at once; torch and matplotlib load when an experiment runs."""
    code = "import sys, demos; print({'torch', 'matplotlib', 'transformers'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    """A typo on the command line costs one line."""
    with pytest.raises(DemoError) as caught:
        find_demo("prunning")
    assert all(name in str(caught.value) for name in ("quantize", "prune", "few_shot"))
    assert find_demo("prune").name == "prune"


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_defaults_are_allowed_and_patterns_compile(demo: object) -> None:
    """Each default lies in its own range, and each pattern for a learner's words is a regular expression."""
    found = find_demo(demo.name)  # type: ignore[attr-defined]
    assert found.settings({}) == {param.name: param.default for param in found.params}
    for pattern in (found.words, found.verbs):
        re.compile(pattern)
    for param in found.params:
        for spoken in (*param.spoken, *param.loose):
            re.compile(spoken if isinstance(spoken, str) else spoken[0])


@pytest.mark.parametrize("demo", [demo for demo in DEMOS if demo.prediction], ids=lambda demo: demo.name)
def test_predictions_are_short_and_their_gaps_are_passages(demo: Demo, passage_ids: frozenset[str]) -> None:
    """A wrong choice leads to a passage that exists, and a question offers two to four choices."""
    prediction = demo.prediction
    assert prediction is not None and prediction.question.endswith("?")
    assert 2 <= len(prediction.choices) <= 4 and len(set(prediction.choices)) == len(prediction.choices)
    assert set(prediction.gaps) <= set(prediction.choices)
    assert set(prediction.gaps.values()) <= passage_ids


@pytest.mark.parametrize(
    ("said", "name", "settings"),
    [
        ("show me 4 bits", "quantize", {"bits": 4}),
        ("quantize to two bits", "quantize", {"bits": 2}),
        ("show me int8 per channel", "quantize", {"bits": 8, "group-size": 0}),
        ("quantize only the attention layers to 3 bits in groups of 128", "quantize", {"bits": 3, "group-size": 128}),
        ("prune 70%", "prune", {"sparsity": 0.7, "structure": "unstructured"}),
        ("show me 2:4 sparsity", "prune", {"structure": "2:4"}),
        ("show me semi-structured pruning", "prune", {"structure": "2:4"}),
        ("run structured pruning of 30 percent", "prune", {"sparsity": 0.3, "structure": "rows"}),
        ("compare 8, 4 and 2 bits", "quantize", {"compare": "8,4,2"}),
        ("compare 50, 70 and 90 percent pruning", "prune", {"compare": "0.5,0.7,0.9"}),
        ("run INT8 against INT4 quantization", "quantize", {"compare": "8,4"}),
        (
            "run structured pruning by rows, 15 pct. versus 30 pct.",
            "prune",
            {"structure": "rows", "compare": "0.15,0.3"},
        ),
        ("quantize to 3 bits layer by layer", "quantize", {"bits": 3, "sensitivity": "yes"}),
        ("run few-shot in 3 orders", "few_shot", {"orders": 3}),
        ("show me few-shot with 6 shots", "few_shot", {"shots": 6}),
        ("run few shot shuffled with letters", "few_shot", {"order": "shuffled", "labels": "letters"}),
    ],
)
def test_learners_words_reach_the_settings(said: str, name: str, settings: dict[str, int | float | str]) -> None:
    """What is said in the chat is what runs."""
    call = route(said, (), DEMOS).demo
    assert call is not None and call.name == name
    assert {key: call.params[key] for key in settings} == settings


def test_what_explains_a_measure_is_a_sentence_of_the_notes() -> None:
    """Protects "why did it get worse?": a reason that an experiment names is there to be said, about one of its sets, and for a measure that is asked for or for bigger models."""
    lengths = {passage.id: len(passage.sentences) for passage in load_knowledge().passages}
    named = [(demo, kind, reason) for demo in DEMOS for kind, reason in demo.because.items()]
    assert {kind for _, kind, _ in named} == {"size", "speed", "quality", "bigger"}
    for demo, _, (passage, place) in named:
        assert 0 <= place < lengths.get(passage, 0), (demo.name, passage)
        assert passage.partition("#")[0] in demo.concepts
