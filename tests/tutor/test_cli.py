"""The command line: results on stdout, one line and exit status 2 for a user's mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tutor.open
from knowledge.search import Search
from tutor.__main__ import main
from tutor.chat import Tutor


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tutor: Tutor, tmp_path: Path) -> None:
    """The commands open the tiny tutor; the environment sets nothing but the cache."""
    for name in ("MODEL", "ENGINE", "ENDPOINT", "API_KEY", "KNOWLEDGE"):
        monkeypatch.delenv(f"TUTOR_{name}", raising=False)
    monkeypatch.setenv("TUTOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tutor.open.open_tutor", lambda settings: tutor)
    monkeypatch.setattr("tutor.open.open_search", lambda settings: tutor.search)
    assert tutor.search and hasattr(tutor, "turn")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    try:
        status = main(arguments)
    except SystemExit as error:
        status = int(error.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def test_ask_prints_the_answer_and_its_sources(capsys: pytest.CaptureFixture[str]) -> None:
    """Plain output is the text and the cited passages."""
    status, out, _ = run(capsys, "ask", "What are cats?")
    assert status == 0 and "[1]." in out and "[1] What cats are (cats-vs-dogs#what-cats-are)" in out


def test_ask_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """stdout holds the contract's object and nothing else."""
    status, out, _ = run(capsys, "ask", "What are cats?", "--json")
    assert status == 0 and out.count("\n") == 1
    assert list(json.loads(out)) == [
        *(
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
        )
    ]


def test_batch_answers_in_order(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One object a line, same order, histories used."""
    path = tmp_path / "b.jsonl"
    rows = [{"id": i, "question": q} for i, q in enumerate(("What is tea?", "hello", "show me 3 bits live"))]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    status, out, _ = run(capsys, "ask", "--batch", str(path), "--no-demos")
    answers = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and [answer["id"] for answer in answers] == [0, 1, 2]
    assert [answer["intent"] for answer in answers] == ["ask", "smalltalk", "demo"]


def test_a_broken_line_ends_the_batch_after_the_good_ones(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What was answered is printed, the mistake is one line with its number, the status 2."""
    path = tmp_path / "b.jsonl"
    path.write_text('{"id": 1, "question": "hello"}\n{"question": \n')
    status, out, err = run(capsys, "ask", "--batch", str(path))
    assert status == 2 and len(out.splitlines()) == 1 and json.loads(out)["id"] == 1
    assert err.count("\n") == 1 and "b.jsonl:2:" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", "x", "--batch", "y"),
        ("ask", "--batch", "/nowhere/b.jsonl"),
        ("ask", "x", "--loud"),
        ("retrieve", "x", "-k", "0"),
        ("demo", "nonsense"),
        ("demo", "quantize", "--bits", "99"),
        ("demo", "quantize", "--bits", "four"),
        ("demo", "quantize", "--bits"),
        ("demo", "quantize", "--colour", "red"),
        ("demo", "quantize", "4"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    """Nothing on stdout, one line on stderr, exit status 2."""
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "") and err.startswith("tutor: ") and err.count("\n") == 1


@pytest.mark.parametrize("arguments", [("nonsense",), ("retrieve", "x", "-k", "many"), ("retrieve",), ()])
def test_mistakes_that_argparse_finds_are_one_line_too(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    """The contract of one clear line holds for every mistake."""
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1


def test_a_wrong_setting_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the environment is a user's mistake as well."""
    monkeypatch.setenv("TUTOR_ENGINE", "cloud")
    status, out, err = run(capsys, "ask", "x")
    assert (status, out) == (2, "") and err.count("\n") == 1 and "TUTOR_ENGINE" in err


def test_retrieve_json(capsys: pytest.CaptureFixture[str]) -> None:
    """k hits with the fields of a source, best first."""
    status, out, _ = run(capsys, "retrieve", "What are cats?", "-k", "2", "--json")
    found = json.loads(out)
    assert status == 0 and found["query"] == "What are cats?" and found["covered"] is True
    assert [hit["n"] for hit in found["hits"]] == [1, 2]
    assert set(found["hits"][0]) == {"n", "id", "concept", "title", "text", "score"}
    assert found["hits"][0]["id"] == "cats-vs-dogs#what-cats-are"


def test_demos_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Every experiment with each of its settings."""
    from demos import DEMOS

    status, out, _ = run(capsys, "demo", "--list")
    assert status == 0
    for demo in DEMOS:
        assert demo.name in out and all(f"--{param.name} " in out for param in demo.params)


def test_demo_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The contract's fields, parameters parsed, progress on stderr, the figure saved."""
    from demos.base import Demo, DemoResult, Param, Progress, Table

    def steps(lab: object, params: dict[str, object]) -> object:
        yield Progress(0.5, "half")
        yield DemoResult("Done.", Table(("a",), (("1",),)), {"m": 1.5}, figure=b"png")

    fake = Demo("fake", "A fake", (), (Param("bits", 4, "bits", 2, 8),), steps)  # type: ignore[arg-type]
    monkeypatch.setattr("tutor.__main__.find_demo", lambda name: fake)
    status, out, err = run(capsys, "demo", "fake", "--bits=3", "--seed", "5", "--json")
    found = json.loads(out)
    assert status == 0 and "half" in err
    assert list(found) == ["name", "params", "seed", "summary", "metrics", "table", "figure"]
    assert (found["name"], found["params"], found["seed"], found["metrics"]) == ("fake", {"bits": 3}, 5, {"m": 1.5})
    assert Path(found["figure"]).read_bytes() == b"png" and Path(found["figure"]).is_relative_to(tmp_path)


def test_index_check_reports_and_exits_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, concept_folder: Path
) -> None:
    """Problems are printed one a line, and the status tells CI."""
    monkeypatch.setattr("tutor.settings.CONCEPTS", concept_folder)
    status, out, _ = run(capsys, "index", "--check")
    assert status == 1 and all(str(concept_folder) in line for line in out.splitlines()) and out


def test_index_counts(capsys: pytest.CaptureFixture[str], search: Search) -> None:
    """Building the index says what was indexed."""
    status, out, _ = run(capsys, "index")
    assert status == 0 and "6 passages of 2 sets" in out


@pytest.mark.parametrize("command", ["ask", "retrieve", "demo", "eval", "index", "weights"])
def test_the_contracts_commands_exist(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Every command answers --help (bench is still to come)."""
    status, out, _ = run(capsys, command, "--help")
    assert status == 0 and "usage" in out


def test_open_is_what_the_commands_use() -> None:
    """The names that these tests replace are the ones that the commands import."""
    assert callable(tutor.open.open_tutor) and callable(tutor.open.open_search)
