"""Everything that the environment can change, read once into a frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.concept_files import CONCEPTS
from tutor.errors import TutorError

ENGINES = ("local", "remote")


@dataclass(frozen=True)
class Settings:
    """`model` is "embedded", a Hub id, a folder, or the model's name at `endpoint`."""

    model: str = "embedded"
    engine: str = "local"
    endpoint: str = ""
    api_key: str = ""
    cache: Path = Path.home() / ".cache" / "llm-concepts-tutor"
    knowledge: tuple[Path, ...] = (CONCEPTS,)
    read_ahead: bool = True

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read TUTOR_*; raises TutorError for a value that cannot work."""
        engine = environ.get("TUTOR_ENGINE") or "local"
        endpoint = environ.get("TUTOR_ENDPOINT", "")
        if engine not in ENGINES:
            raise TutorError(f"TUTOR_ENGINE is {engine!r}; set it to one of {', '.join(ENGINES)}.")
        if engine == "remote" and not endpoint.startswith(("http://", "https://")):
            raise TutorError(
                f"TUTOR_ENGINE=remote needs TUTOR_ENDPOINT, got {endpoint!r}; "
                "set it to an OpenAI-compatible address such as http://localhost:8000/v1."
            )
        extra = [Path(part).expanduser() for part in environ.get("TUTOR_KNOWLEDGE", "").split(os.pathsep) if part]
        cache = environ.get("TUTOR_CACHE")
        return cls(
            model=environ.get("TUTOR_MODEL") or "embedded",
            engine=engine,
            endpoint=endpoint,
            api_key=environ.get("TUTOR_API_KEY", ""),
            cache=Path(cache).expanduser() if cache else cls.cache,
            knowledge=(CONCEPTS, *extra),
            read_ahead=environ.get("TUTOR_READ_AHEAD") != "0",
        )
