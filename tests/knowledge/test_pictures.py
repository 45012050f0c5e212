"""Pictures are inlined in the page, so only drawing passes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from knowledge.pictures import read_diagram
from tests.pets import PICTURE
from tutor.errors import KnowledgeError


def read(tmp_path: Path, data: str | bytes) -> str:
    """Read a picture with this content."""
    path = tmp_path / "p.svg"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_diagram(path)


def test_a_drawing_passes_whole(tmp_path: Path) -> None:
    """A plain drawing comes back as SVG with its elements, its viewBox and no namespace prefixes."""
    text = read(tmp_path, PICTURE)
    assert text.startswith("<svg") and 'viewBox="0 0 400 100"' in text
    assert len(list(ElementTree.fromstring(text).iter())) == 4


def test_the_first_existing_candidate_is_taken(tmp_path: Path) -> None:
    """A picture beside the concept file stands in for one in diagrams/."""
    (tmp_path / "b.svg").write_text(PICTURE)
    assert read_diagram(tmp_path / "a.svg", tmp_path / "b.svg").startswith("<svg")


@pytest.mark.parametrize(
    "bad",
    [
        PICTURE.replace("<g>", "<g><script>alert(1)</script>"),
        PICTURE.replace("<g>", "<g><style>*{background:url(https://x.org)}</style>"),
        PICTURE.replace("<g>", '<g><image href="https://x.org/a.png"/>'),
        PICTURE.replace("<g>", '<g><foreignObject width="9" height="9"/>'),
        PICTURE.replace("<g>", '<g><a xmlns:x="http://www.w3.org/1999/xlink" x:href="https://x.org"/>'),
        PICTURE.replace("<g>", '<g onclick="alert(1)">'),
        PICTURE.replace("<svg ", '<svg onload="alert(1)" '),
        PICTURE.replace("<g>", '<g fill="url(https://x.org/#a)">'),
        PICTURE.replace("<g>", '<g><h:script xmlns:h="http://www.w3.org/1999/xhtml">1</h:script>'),
        "<!DOCTYPE svg>" + PICTURE,
        '<!DOCTYPE svg [<!ENTITY a "b">]>' + PICTURE,
        PICTURE.replace("0 0 400 100", "0 0 900 100"),
        PICTURE.replace("</g>", ""),
        PICTURE.replace("</g>", "<g>" + " " * 100_000 + "</g></g>"),
        "<html></html>",
        "",
        b"\x89PNG\r\n\x1a\n\x00\x01",
    ],
)
def test_anything_but_drawing_is_refused(tmp_path: Path, bad: str | bytes) -> None:
    """Scripts, handlers, styles, references outside, document types and damaged files raise KnowledgeError."""
    with pytest.raises(KnowledgeError, match=r"p\.svg"):
        read(tmp_path, bad)


@pytest.mark.parametrize("name", ["ONLOAD", "OnClick"])
def test_handlers_are_refused_in_any_case(tmp_path: Path, name: str) -> None:
    """HTML reads attribute names without case, so ONLOAD in an inlined picture would run."""
    with pytest.raises(KnowledgeError):
        read(tmp_path, PICTURE.replace("<svg ", f'<svg {name}="alert(1)" '))


@pytest.mark.parametrize("encoding", ["foo", "utf-32"])
def test_an_unknown_encoding_is_an_error_with_the_path(tmp_path: Path, encoding: str) -> None:
    """An XML declaration that the parser does not know is reported like other damage."""
    with pytest.raises(KnowledgeError):
        read(tmp_path, f'<?xml version="1.0" encoding="{encoding}"?>' + PICTURE)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    """The path that was looked for first is in the message."""
    with pytest.raises(KnowledgeError, match=r"gone\.svg"):
        read_diagram(tmp_path / "gone.svg")
