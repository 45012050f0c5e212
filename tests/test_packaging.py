"""What a Space installs and reads, and which module may import what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FRONT = re.match(r"---\n(.*?)\n---\n", README, re.DOTALL)


def package(requirement: str) -> str:
    """`torch>=2.6` is torch."""
    return re.split(r"[^\w.-]", requirement)[0].lower()


def sources() -> list[Path]:
    """Every Python file that ships."""
    return [
        ROOT / "app.py",
        *(p for name in ("tutor", "knowledge", "demos") for p in sorted((ROOT / name).rglob("*.py"))),
    ]


def imported(path: Path) -> set[str]:
    """Top-level names of the packages that a file imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_requirements_equal_the_runtime_dependencies() -> None:
    """A Space installs what the package declares, less gradio, which sdk_version sets."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    assert listed == [line for line in PROJECT["dependencies"] if package(line) != "gradio"]


@pytest.mark.skipif(FRONT is None, reason="the README has no front matter yet")
def test_the_readme_describes_a_space() -> None:
    """The front matter has the keys and values that a Space accepts, and agrees with pyproject.toml."""
    assert FRONT is not None
    front = yaml.safe_load(FRONT[1])
    assert 0 < len(front["title"]) <= 60 and 0 < len(front["short_description"]) <= 60
    assert front["sdk"] == "gradio" and (ROOT / front["app_file"]).is_file()
    gradio = next(line for line in PROJECT["dependencies"] if package(line) == "gradio")
    bound = re.search(r">=\s*(\d+)\.(\d+)", gradio)
    assert bound and str(front["sdk_version"]).split(".")[:2] == [bound[1], bound[2]]
    assert isinstance(front["sdk_version"], str), "6.30 unquoted would be read as the number 6.3"
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {front.get("colorFrom", "red"), front.get("colorTo", "red")} <= colours
    assert front.get("license", PROJECT["license"].lower()) == PROJECT["license"].lower()
    if "python_version" in front:
        assert str(front["python_version"]) in ("3.10", "3.11", "3.12")


def test_only_the_page_imports_gradio() -> None:
    """The core runs without gradio; the page is its only place."""
    users = {path.relative_to(ROOT).as_posix() for path in sources() if "gradio" in imported(path)}
    assert users and all(path == "app.py" or path.startswith("tutor/ui/") for path in users)


def test_nothing_below_the_page_imports_the_page() -> None:
    """Arrows point one way."""
    for path in sources():
        inside = path.relative_to(ROOT).as_posix()
        if not inside.startswith(("tutor/ui/", "app.py")):
            assert "tutor.ui" not in path.read_text(encoding="utf-8"), inside


def test_every_import_is_declared() -> None:
    """What the shipped code imports is in the dependencies, so a fresh install runs."""
    names = {"pyyaml": "yaml", "faiss-cpu": "faiss", "scikit-learn": "sklearn", "llama-cpp-python": "llama_cpp"}
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    declared = {package(line) for line in (*PROJECT["dependencies"], *extras)}
    modules = {names.get(name, name.replace("-", "_")) for name in declared}
    # huggingface_hub comes with transformers and gradio, and a Space's requirements must not list it.
    own = {"tutor", "knowledge", "demos", "tests", "__future__", "huggingface_hub"}
    for path in sources():
        foreign = imported(path) - set(sys.stdlib_module_names) - own
        assert foreign <= modules, (path, foreign - modules)


@pytest.mark.parametrize("module", ["tutor.chat", "demos", "tutor.__main__", "knowledge.search"])
def test_importing_the_core_is_light(module: str) -> None:
    """Importing a core module loads no model library and no plotting, so commands and tests start fast."""
    code = (
        f"import sys, {module}; print(*sorted({{'torch', 'transformers', 'matplotlib', 'gradio'}} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_data_files_ship() -> None:
    """Every data file that the code reads is matched by package-data, or an installed copy would lack it."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    shipped = {p for name, globs in config.items() for g in globs for p in (ROOT / name.replace(".", "/")).glob(g)}
    read = {path for folder in ("knowledge", "tutor", "demos") for path in (ROOT / folder).rglob("*") if path.is_file()}
    data = {path for path in read if path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts}
    assert not data - shipped, sorted(str(path.relative_to(ROOT)) for path in data - shipped)[:3]


def test_no_file_is_too_large_for_a_push_to_a_space() -> None:
    """Protects: `git push` to Hugging Face, which refuses files of more than 10 MiB without large-file storage."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    tracked = [ROOT / name for name in listed.split("\0") if name]
    shipped = [*tracked, *(path for top in ("knowledge", "tutor", "demos") for path in (ROOT / top).rglob("*"))]
    assert [path for path in shipped if path.is_file() and path.stat().st_size > 10 * 2**20] == []
