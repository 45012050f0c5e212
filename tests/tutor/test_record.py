"""The JSON contract of `ask`, and reading a file of questions."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tutor.chat import Tutor
from tutor.errors import TutorError
from tutor.events import Exchange
from tutor.record import read_batch, record

KEYS = [
    "id",
    "question",
    "query",
    "intent",
    "abstained",
    "answer",
    "sources",
    "sentences",
    "demo",
    "followups",
    "timings",
]
SOURCE = {"n", "id", "concept", "title", "text", "score", "cited"}
SENTENCE = {"text", "sources", "support", "score"}
TIMINGS = {"first_token_s", "total_s", "prompt_tokens", "new_tokens"}


@pytest.mark.parametrize(
    ("question", "intent", "abstained"),
    [
        ("What are cats?", "ask", False),
        ("Zebra migration in Kenya?", "ask", True),
        ("quiz me", "quiz", False),
        ("hello", "smalltalk", False),
        ("", "refuse", True),
        ("show me quantization with 3 bits", "demo", False),
    ],
)
def test_every_turn_has_the_contracts_fields(tutor: Tutor, question: str, intent: str, abstained: bool) -> None:
    """The fields are exactly the contract's, whatever was asked, and survive JSON."""
    found = json.loads(json.dumps(record(tutor, 7, question, (), run_demos=False)))
    assert list(found) == KEYS
    assert (found["id"], found["question"], found["intent"], found["abstained"]) == (7, question, intent, abstained)
    assert set(found["timings"]) == TIMINGS and found["answer"].strip()
    assert all(set(source) == SOURCE for source in found["sources"])
    assert all(set(sentence) == SENTENCE for sentence in found["sentences"])


def test_sources_and_sentences_agree(tutor: Tutor) -> None:
    """A source is cited exactly if a sentence rests on it, numbers count from 1, the concept is the set's title."""
    found = record(tutor, None, "What are cats?", (), run_demos=False)
    assert [source["n"] for source in found["sources"]] == list(range(1, len(found["sources"]) + 1))
    cited = {n for sentence in found["sentences"] for n in sentence["sources"]}
    assert cited and cited == {source["n"] for source in found["sources"] if source["cited"]}
    assert (
        found["sources"][0]["concept"] == "Cats vs dogs" and found["sources"][0]["id"] == "cats-vs-dogs#what-cats-are"
    )
    assert found["answer"] == " ".join(sentence["text"] for sentence in found["sentences"])


def test_a_demo_that_is_not_run_has_no_metrics(tutor: Tutor) -> None:
    """--no-demos routes only: name and parameters, metrics null; other turns have null."""
    demo = record(tutor, None, "show me quantization with 3 bits", (), run_demos=False)["demo"]
    assert set(demo) == {"name", "params", "metrics"}
    assert demo["name"] == "quantize" and demo["params"]["bits"] == 3 and demo["metrics"] is None
    assert record(tutor, None, "What are cats?", (), run_demos=False)["demo"] is None


def batch(tmp_path: Path, *lines: str) -> str:
    """A file of these lines."""
    path = tmp_path / "batch.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_a_batch_gives_its_questions_in_order(tmp_path: Path) -> None:
    """Ids and histories arrive as written; empty lines and missing fields are no mistake."""
    lines = [
        '{"id": "a", "question": "Why?", "history": [["u", "t"], ["v", "w"]]}',
        "",
        '{"question": "x", "history": null}',
    ]
    assert list(read_batch(batch(tmp_path, *lines))) == [
        ("a", "Why?", (Exchange("u", "t"), Exchange("v", "w"))),
        (None, "x", ()),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        '"text"',
        "{}",
        '{"question": "x", "history": [["only one"]]}',
        '{"question": "x", "history": [1]}',
        pytest.param('{"question": null}'),
    ],
)
def test_a_broken_line_is_named_after_the_good_ones(tmp_path: Path, line: str) -> None:
    """Lines before it are answered; the broken one is named by file and number in one line."""
    rows = read_batch(batch(tmp_path, '{"question": "x"}', line, '{"question": "y"}'))
    assert next(rows)[1] == "x"
    with pytest.raises(TutorError, match=r"batch\.jsonl:2: ") as caught:
        next(rows)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_text_are_named(tmp_path: Path) -> None:
    """Bytes, folders and missing files give a TutorError with the name."""
    (tmp_path / "b.jsonl").write_bytes(b'{"question": "caf\xe9"}\n')
    for name in ("b.jsonl", "gone.jsonl", "."):
        with pytest.raises(TutorError, match="JSON lines"):
            list(read_batch(str(tmp_path / name)))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions can be piped in."""
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": 1, "question": "x"}\n'))
    assert list(read_batch("-")) == [(1, "x", ())]
