"""Concept files: one Markdown file a confusion set, read into the values of passages.py.

The format is described in docs/concept-files.md. Every error names the file, the line and the fix, as
`path:line: what is wrong; what to do`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from knowledge.passages import KINDS, Ask, Concept, Knowledge, Passage, QuizItem, Side, Source
from knowledge.pictures import read_diagram
from tutor.errors import KnowledgeError

CONCEPTS = Path(__file__).parent / "concepts"
PHRASINGS = CONCEPTS.parent / "phrasings"


def load_knowledge(folders: Iterable[Path] = (CONCEPTS,)) -> Knowledge:
    """Read every `*.md` in the folders; a damaged file becomes a problem line, the rest still load."""
    concepts: dict[str, Concept] = {}
    problems: list[str] = []
    for folder in folders:
        if not folder.is_dir():
            problems.append(f"{folder}:1: no such folder; correct TUTOR_KNOWLEDGE or create it")
            continue
        for path in sorted(folder.glob("*.md")):
            try:
                concept = load_concept(path)
                if concept.id in concepts:
                    first = concepts[concept.id].path
                    raise _wrong(path, 1, f"id {concept.id!r} is taken by {first}", "choose another id")
            except KnowledgeError as error:
                problems.append(str(error))
            else:
                concepts[concept.id] = concept
    return Knowledge(tuple(concepts.values()), tuple(problems))


def load_concept(path: Path) -> Concept:
    """Read one concept file; raises KnowledgeError naming file, line and fix."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise _wrong(path, line, "the file is not UTF-8 text", "save it with UTF-8 encoding") from error
    except OSError as error:
        raise _wrong(path, 1, f"cannot be read ({error.strerror})", "check the file's permissions") from error
    lines = text.replace("\r\n", "\n").split("\n")
    if "\x00" in text:
        raise _wrong(path, 1, "the file holds binary data", "replace it by a Markdown file")
    if lines[0].strip() != "---" or "---" not in (line.strip() for line in lines[1:]):
        raise _wrong(path, 1, "no front matter", "begin the file with --- lines around its YAML fields")
    end = next(i for i, line in enumerate(lines[1:], 1) if line.strip() == "---")
    front = _Fields(path, 2, "\n".join(lines[1:end]), "the front matter")
    sides = tuple(_side(front, row) for row in front.rows("sides", at_least=1))
    sources = tuple(_source(front, row) for row in front.rows("sources", at_least=1))
    concept_id = front.text("id")
    if not re.fullmatch(r"[a-z0-9-]+", concept_id):
        raise front.wrong("id", f"id {concept_id!r} has other characters", "use a-z, 0-9 and hyphens")
    passages: list[Passage] = []
    quiz: list[QuizItem] = []
    phrasings = _phrasings(path.parent.parent / "phrasings" / f"{path.stem}.txt")
    for title, first, body in _sections(lines, end + 1):
        if title.lower() == "quiz":
            quiz.extend(_quiz(path, first, body))
            continue
        passage = _passage(path, concept_id, title, first, body, sides, sources, phrasings.pop(slug(title), ()))
        if any(passage.id == other.id for other in passages):
            raise _wrong(path, first, f"a second passage titled {title!r}", "give it a title of its own")
        passages.append(passage)
    if phrasings:
        raise _wrong(path, 1, f"phrasings for {sorted(phrasings)}, which are no passages", "rename their '# ' lines")
    if not passages:
        raise _wrong(path, end + 1, "no passages", "add '## Title' sections after the front matter")
    diagram = front.text("diagram", "")
    if diagram:
        try:
            read_diagram(path.parent.parent / "diagrams" / diagram, path.parent / diagram)
        except KnowledgeError as error:
            raise front.wrong("diagram", str(error), "repair the picture or drop the field") from error
    return Concept(
        id=concept_id,
        title=front.text("title"),
        question=front.text("question"),
        sides=sides,
        terms=front.texts("terms"),
        prerequisites=front.texts("prerequisites"),
        related=front.texts("related"),
        demos=front.texts("demos"),
        diagram=diagram,
        diagram_alt=front.text("diagram_alt", ""),
        sources=sources,
        passages=tuple(passages),
        quiz=tuple(quiz),
        path=path,
    )


def slug(title: str) -> str:
    """`What quantization is` → `what-quantization-is`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _wrong(path: Path, line: int, what: str, fix: str) -> KnowledgeError:
    return KnowledgeError(f"{path}:{line}: {what}; {fix}")


# libyaml reads the shipped notes in a tenth of a second where Python takes one; a build of PyYAML may lack it.
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Fields:
    """YAML fields that know their lines, so that an error can name one."""

    def __init__(self, path: Path, first: int, text: str, where: str) -> None:
        self.path, self.first, self.where = path, first, where
        try:
            node = yaml.compose(text, Loader=_YAML)
            value: Any = yaml.load(text, Loader=_YAML)
        except yaml.MarkedYAMLError as error:
            line = first + (error.problem_mark.line if error.problem_mark else 0)
            raise _wrong(path, line, f"{where} is not YAML ({error.problem})", "quote values with a colon") from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise _wrong(path, first, f"{where} is not YAML ({error})", "remove special characters") from error
        if not isinstance(value, dict) or not isinstance(node, yaml.MappingNode):
            raise _wrong(path, first, f"{where} has no 'name: value' lines", "see docs/concept-files.md")
        self.values = value
        self.lines = {key.value: first + key.start_mark.line for key, _ in node.value}

    def wrong(self, name: str, what: str, fix: str) -> KnowledgeError:
        return _wrong(self.path, self.lines.get(name, self.first), what, fix)

    def text(self, name: str, default: str | None = None) -> str:
        value = self.values.get(name, default)
        if value is None or (isinstance(value, str) and not value.strip() and default is None):
            raise self.wrong(name, f"{self.where} has no {name!r}", f"add a line '{name}: …'")
        if not isinstance(value, (str, int, float)):
            raise self.wrong(name, f"{name!r} is not text", f"write it as '{name}: some text'")
        return str(value).strip()

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name) or []
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(item, (str, int, float)) for item in value):
            raise self.wrong(name, f"{name!r} is not a list of texts", "write one '- text' a line, quoted")
        return tuple(str(item).strip() for item in value)

    def rows(self, name: str, at_least: int) -> Sequence[dict[str, Any]]:
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.wrong(name, f"{name!r} is not a list of fields", "see docs/concept-files.md")
        if len(value) < at_least:
            raise self.wrong(name, f"{self.where} has no {name!r}", f"list at least {at_least}")
        return value


def _side(front: _Fields, row: dict[str, Any]) -> Side:
    if not row.get("id") or not row.get("name"):
        raise front.wrong("sides", f"a side without id or name: {row!r}", "give each side both")
    aliases = row.get("aliases") or []
    if not isinstance(aliases, list):
        aliases = [aliases]
    return Side(str(row["id"]), str(row["name"]), tuple(str(alias) for alias in aliases))


def _source(front: _Fields, row: dict[str, Any]) -> Source:
    if not all(row.get(name) for name in ("key", "title", "url")):
        raise front.wrong("sources", f"a source without key, title or url: {row!r}", "give each source all three")
    if not re.match(r"https?://", str(row["url"])):
        raise front.wrong("sources", f"source url {row['url']!r}", "begin it with https://")
    return Source(str(row["key"]), str(row["title"]), str(row["url"]))


def _sections(lines: list[str], start: int) -> Iterable[tuple[str, int, list[str]]]:
    """Yield (title, number of the title's line, body lines) of each `## ` section."""
    heads = [i for i in range(start, len(lines)) if lines[i].startswith("## ")]
    for head, after in zip(heads, [*heads[1:], len(lines)], strict=True):
        yield lines[head][3:].strip(), head + 1, lines[head + 1 : after]


def _passage(
    path: Path,
    concept: str,
    title: str,
    line: int,
    body: list[str],
    sides: tuple[Side, ...],
    sources: tuple[Source, ...],
    phrasings: tuple[str, ...],
) -> Passage:
    gap = next((i for i, text in enumerate(body) if not text.strip()), len(body))
    fields = _Fields(path, line + 1, "\n".join(body[:gap]), f"passage {title!r}")
    text = " ".join(" ".join(body[gap:]).split())
    if not text:
        raise _wrong(path, line, f"passage {title!r} has no text", "write it after a blank line")
    kind = fields.text("kind")
    if kind not in KINDS:
        raise fields.wrong("kind", f"kind {kind!r} is unknown", f"use one of {', '.join(KINDS)}")
    cited = fields.texts("sources")
    if not cited:
        raise fields.wrong("sources", f"passage {title!r} names no source", "add 'sources: [key]'")
    for name, known in (("sources", [s.key for s in sources]), ("about", [s.id for s in sides])):
        for value in fields.texts(name):
            if value not in known:
                raise fields.wrong(name, f"{name} {value!r} is not in the front matter", f"use one of {known}")
    asks = [
        *(Ask(text) for text in fields.texts("asks")),
        *(Ask(text, "yes") for text in fields.texts("asks_yes")),
        *(Ask(text, "no") for text in fields.texts("asks_no")),
    ]
    if not asks:
        raise fields.wrong("asks", f"passage {title!r} answers no question", "add 'asks:' with questions")
    if kind == "misconception" and not (fields.text("claim", "") and fields.text("why", "")):
        raise fields.wrong("claim", f"misconception {title!r} lacks claim or why", "add both lines")
    return Passage(
        id=f"{concept}#{slug(title)}",
        concept=concept,
        title=title,
        kind=kind,
        about=fields.texts("about"),
        text=text,
        asks=tuple(asks),
        sources=cited,
        claim=fields.text("claim", ""),
        why=fields.text("why", ""),
        line=line,
        phrasings=phrasings,
    )


def _phrasings(path: Path) -> dict[str, tuple[str, ...]]:
    """Lines under `# passage-slug` heads; an absent file is none."""
    found: dict[str, list[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    except UnicodeDecodeError as error:
        raise _wrong(path, 1, "the file is not UTF-8 text", "save it with UTF-8 encoding") from error
    head = ""
    for number, line in enumerate(lines, 1):
        if line.startswith("# "):
            head = line[2:].strip()
        elif line.strip():
            if not head:
                raise _wrong(path, number, "a question before the first '# passage' line", "put it below one")
            found.setdefault(head, []).append(line.strip())
    return {head: tuple(texts) for head, texts in found.items()}


def _quiz(path: Path, line: int, body: list[str]) -> Iterable[QuizItem]:
    """Read `### question`, `- [ ] choice`, `- [x] right choice`, `> because` blocks."""
    heads = [i for i, text in enumerate(body) if text.startswith("### ")]
    for head, after in zip(heads, [*heads[1:], len(body)], strict=True):
        block = [text.strip() for text in body[head + 1 : after]]
        choices = [text for text in block if re.match(r"- \[[ xX]\] ", text)]
        right = [i for i, text in enumerate(choices) if text[3] in "xX"]
        because = " ".join(text[1:].strip() for text in block if text.startswith(">"))
        if len(choices) < 2 or len(right) != 1 or not because:
            raise _wrong(
                path,
                line + head + 1,
                f"quiz question with {len(choices)} choices, {len(right)} right ones"
                + ("" if because else ", no explanation"),
                "write '- [ ] choice' lines, one '- [x]', and a '> because' line",
            )
        yield QuizItem(body[head][4:].strip(), tuple(text[6:].strip() for text in choices), right[0], because)
