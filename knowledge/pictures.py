"""Pictures of the sets: SVG files that the page inlines, so they take its text colour."""

import re
from pathlib import Path
from xml.etree import ElementTree

from tutor.errors import KnowledgeError

_SVG = "{http://www.w3.org/2000/svg}"
_ALLOWED = frozenset(
    [
        "svg",
        "g",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "title",
        "desc",
        "defs",
        "marker",
        "linearGradient",
        "stop",
    ]
)
_LARGEST_BYTES = 100_000


def read_diagram(*candidates: Path) -> str:
    """Return the first existing picture's SVG text; raises KnowledgeError if it is missing or unsafe.

    The text is inlined in the page, so only drawing elements pass: no script, style, link, image, foreign
    object, event attribute or reference to another document.
    """
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise KnowledgeError(f"no picture at {candidates[0]}")
    data = path.read_bytes()
    if len(data) > _LARGEST_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise KnowledgeError(f"{path} is over {_LARGEST_BYTES} bytes or declares a document type")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise KnowledgeError(f"{path}:{error.position[0]} is not well-formed SVG") from error
    except (LookupError, ValueError) as error:
        raise KnowledgeError(f"{path}:1 declares an encoding that cannot be read ({error})") from error
    if root.tag != f"{_SVG}svg" or not re.match(r"0 0 400 \d+$", root.get("viewBox", "")):
        raise KnowledgeError(f'{path} is not an <svg> with viewBox="0 0 400 HEIGHT"')
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag.removeprefix(_SVG) not in _ALLOWED:
            raise KnowledgeError(f"{path} holds the element {element.tag!r}, which pictures may not")
        for name, value in element.attrib.items():
            if name.lower().startswith("on") or "href" in name.lower() or re.search(r"url\((?!#)|javascript:", value):
                raise KnowledgeError(f"{path} holds the attribute {name!r}, which pictures may not")
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    return ElementTree.tostring(root, encoding="unicode")
