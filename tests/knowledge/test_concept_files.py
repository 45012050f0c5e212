"""Concept files are read into values, and every damaged one is named with file, line and fix."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from knowledge.concept_files import CONCEPTS, load_concept, load_knowledge, slug
from knowledge.passages import Knowledge
from tests.pets import CATS, PICTURE
from tutor.errors import KnowledgeError

GOOD = "cats-vs-dogs.md"


def spoil(folder: Path, old: str, new: str) -> Path:
    """The cats file with one text replaced."""
    assert old in CATS
    path = folder / GOOD
    path.write_text(CATS.replace(old, new, 1), encoding="utf-8")
    return path


def test_reads_every_field(knowledge: Knowledge) -> None:
    """A concept file's fields, passages and quiz arrive as the author wrote them."""
    concept = knowledge.by_id["cats-vs-dogs"]
    assert [side.names for side in concept.sides] == [("cats", "cat", "felines"), ("dogs", "dog", "Watch-Dogs")]
    assert [p.id.split("#")[1] for p in concept.passages] == [
        "what-cats-are",
        "what-dogs-are",
        "cats-and-dogs-side-by-side",
        "cats-are-small-dogs",
    ]
    dogs = concept.passages[1]
    assert (dogs.kind, dogs.about, dogs.sources) == ("definition", ("dogs",), ("ark",))
    assert [(ask.text, ask.polarity) for ask in dogs.asks[-2:]] == [
        ("Do dogs bark loudly at every single postman in the whole long street?", "yes"),
        ("Are dogs loud?", "yes"),
    ]
    assert dogs.sentences == ("Dogs bark loudly at every postman.", "Dogs fetch sticks from cold water.")
    assert concept.passages[3].claim == "Cats are just small dogs."
    assert [(item.answer, item.choices[item.answer]) for item in concept.quiz] == [(1, "Dogs"), (0, "The cat")]
    assert CATS.splitlines()[dogs.line - 1] == "## What dogs are"


def test_two_passages_keep_their_set(knowledge: Knowledge) -> None:
    """Passages of all sets stand in one tuple, each with its own set's id."""
    assert len(knowledge.passages) == 6
    assert {passage.concept for passage in knowledge.passages} == set(knowledge.by_id)


def test_the_shipped_files_all_load() -> None:
    """No shipped concept file is left out."""
    shipped = load_knowledge()
    assert shipped.problems == ()
    assert len(shipped.concepts) == len(list(CONCEPTS.glob("*.md"))) > 10


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("sources: [ark]", "sources: []", "sources: []", "names no source"),
        ("sources: [ark]", "sources: [atlantis]", "sources: [atlantis]", "'atlantis' is not in the front matter"),
        ("about: [cats]", "about: [horses]", "about: [horses]", "'horses' is not in the front matter"),
        ("kind: definition", "kind: poem", "kind: poem", "kind 'poem' is unknown"),
        ("title: Cats vs dogs", "title: [Cats", "", "is not YAML"),
        ("title: Cats vs dogs", "title: cats: dogs", "title: cats: dogs", "is not YAML"),
        ("title: Cats vs dogs", "title: {a: b}", "title: {a: b}", "'title' is not text"),
        ("id: cats-vs-dogs", "id: Cats & Dogs", "id: Cats & Dogs", "has other characters"),
        ("id: cats-vs-dogs", "name: cats", "name: cats", "has no 'id'"),
        ('url: "https://example.org/ark"', 'url: "javascript:alert(1)"', "sources:", "source url"),
        ("claim: Cats are just small dogs.\n", "", "kind: misconception", "lacks claim or why"),
        ("- [x] Dogs", "- [ ] Dogs", "### Who barks?", "0 right ones"),
        ("## What dogs are", "## What cats are", "!## What cats are", "a second passage titled"),
        ("Cats purr softly on warm cushions. Cats sleep 16 hours a day.", "", "## What cats are", "has no text"),
        (
            "asks: [the family of a cat]\nasks_no:\n  - Are cats small dogs?\n",
            "",
            "kind: misconception",
            "answers no question",
        ),
        ("---\nid:", "id:", "id:", "no front matter"),
        ("title: Cats vs dogs", "title: Cats \x00 dogs", "---", "binary"),
    ],
)
def test_a_damaged_file_is_named_with_line_and_fix(
    concept_folder: Path, old: str, new: str, at: str, says: str
) -> None:
    """`at` begins the line that is named ("!" the second such line): each mistake gives `path:line: what; fix`; others load."""
    path = spoil(concept_folder, old, new)
    with pytest.raises(KnowledgeError) as caught:
        load_concept(path)
    message = str(caught.value)
    located = re.match(re.escape(str(path)) + r":(\d+): (.+); (.+)", message, re.DOTALL)
    assert located and says in message
    lines = path.read_text(encoding="utf-8").split("\n")
    places = [number for number, text in enumerate(lines, 1) if text.startswith(at.lstrip("!"))]
    assert int(located[1]) == (places[1] if at.startswith("!") else places[0]) or not at
    loaded = load_knowledge((concept_folder,))
    assert [concept.id for concept in loaded.concepts] == ["tea-vs-coffee"]
    assert loaded.problems == (message,)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (CATS.replace("Cats purr", "Cats pürr").encode("latin-1"), "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8"),
        (b"---\nid: a\n---\n\x00\x00\x00", "binary"),
        (b"", "no front matter"),
        (b"---\n---\n", "no 'name: value' lines"),
    ],
    ids=["latin-1", "png", "nulls", "empty", "bare"],
)
def test_a_file_that_is_no_text_is_a_problem_line(concept_folder: Path, data: bytes, says: str) -> None:
    """Bytes that are no concept file are reported, never raised out of load_knowledge."""
    (concept_folder / GOOD).write_bytes(data)
    loaded = load_knowledge((concept_folder,))
    assert [concept.id for concept in loaded.concepts] == ["tea-vs-coffee"]
    assert len(loaded.problems) == 1 and says in loaded.problems[0] and GOOD in loaded.problems[0]


def test_the_line_of_the_first_bad_byte_is_named(concept_folder: Path) -> None:
    """A file in another encoding is reported at the line where it stops being UTF-8."""
    path = concept_folder / GOOD
    path.write_bytes(CATS.replace("Dogs fetch", "Dögs fetch").encode("latin-1"))
    expected = next(n for n, text in enumerate(CATS.splitlines(), 1) if "Dogs fetch" in text)
    with pytest.raises(KnowledgeError, match=f":{expected}: "):
        load_concept(path)


@pytest.mark.parametrize(
    "title",
    ["2020-13-45", "[" * 3000],
    ids=["impossible-date", "deep-nesting"],
)
def test_yaml_that_breaks_the_parser_is_a_problem_line(concept_folder: Path, title: str) -> None:
    """YAML whose values cannot be built is reported like any other damage."""
    spoil(concept_folder, "title: Cats vs dogs", f"title: {title}")
    loaded = load_knowledge((concept_folder,))
    assert [concept.id for concept in loaded.concepts] == ["tea-vs-coffee"] and len(loaded.problems) == 1


@pytest.mark.parametrize("aliases", ["cat", "5"])
def test_aliases_that_are_no_list_are_not_taken_apart(concept_folder: Path, aliases: str) -> None:
    """`aliases: cat` is one alias or a reported mistake, never the letters c, a and t; a number does not crash."""
    spoil(concept_folder, "aliases: [cat, felines]", f"aliases: {aliases}")
    loaded = load_knowledge((concept_folder,))
    if not loaded.problems:
        assert loaded.by_id["cats-vs-dogs"].sides[0].aliases == (aliases,)


def test_a_second_file_with_the_same_id_is_left_out(concept_folder: Path) -> None:
    """Two files with one id: the first stays, the second is reported with the first one's path."""
    (concept_folder / "copy.md").write_text(CATS, encoding="utf-8")
    loaded = load_knowledge((concept_folder,))
    assert [concept.path.name for concept in loaded.concepts] == [GOOD, "tea-vs-coffee.md"]
    assert "copy.md:1:" in loaded.problems[0] and GOOD in loaded.problems[0]


def test_a_missing_folder_is_a_problem_line(concept_folder: Path, tmp_path: Path) -> None:
    """A wrong TUTOR_KNOWLEDGE is reported and does not hide the other folders."""
    loaded = load_knowledge((tmp_path / "nowhere", concept_folder))
    assert len(loaded.concepts) == 2 and "TUTOR_KNOWLEDGE" in loaded.problems[0]


@pytest.mark.parametrize(
    "picture",
    [
        PICTURE.replace("<g>", "<g><script>alert(1)</script>"),
        PICTURE.replace("<g>", '<g onload="alert(1)">'),
        '<!DOCTYPE svg [<!ENTITY a "b">]>' + PICTURE,
        PICTURE[:-9],
    ],
    ids=["script", "onload", "doctype", "cut"],
)
def test_a_broken_picture_is_the_files_problem(concept_folder: Path, picture: str) -> None:
    """An unsafe or damaged picture is reported at the file's diagram line."""
    (concept_folder.parent / "diagrams" / "cats.svg").write_text(picture, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=rf"{GOOD}:12: .*cats\.svg"):
        load_concept(concept_folder / GOOD)


def test_phrasings_join_their_passage(concept_folder: Path) -> None:
    """Further phrasings are read from the file beside, for the passage that their head names."""
    folder = concept_folder.parent / "phrasings"
    folder.mkdir()
    (folder / "cats-vs-dogs.txt").write_text("# what-cats-are\nwho says meow\n", encoding="utf-8")
    concept = load_concept(concept_folder / GOOD)
    assert [passage.phrasings for passage in concept.passages] == [("who says meow",), (), (), ()]


@pytest.mark.parametrize("text", ["# no-such-passage\nwho says meow\n", "who says meow\n"])
def test_phrasings_of_no_passage_are_a_mistake(concept_folder: Path, text: str) -> None:
    """Phrasings that belong to nothing are not dropped in silence."""
    folder = concept_folder.parent / "phrasings"
    folder.mkdir()
    (folder / "cats-vs-dogs.txt").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError):
        load_concept(concept_folder / GOOD)


def test_windows_line_ends_read_the_same(concept_folder: Path, knowledge: Knowledge) -> None:
    """A file saved on Windows gives the same passages."""
    (concept_folder / GOOD).write_bytes(CATS.replace("\n", "\r\n").encode())
    again = load_knowledge((concept_folder,))
    assert [p.text for p in again.passages] == [p.text for p in knowledge.passages]


def test_slug_keeps_letters_and_digits() -> None:
    """Passage ids are stable, lower-case and free of punctuation."""
    assert slug("What LoRA's r=16 is?") == "what-lora-s-r-16-is"
