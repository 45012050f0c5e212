"""What the environment can change."""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from knowledge.concept_files import CONCEPTS
from tutor.errors import TutorError
from tutor.settings import Settings


def test_an_empty_environment_is_the_embedded_tutor() -> None:
    """Nothing has to be set, and empty values count as not set."""
    empty = {"TUTOR_MODEL": "", "TUTOR_ENGINE": "", "TUTOR_CACHE": "", "TUTOR_KNOWLEDGE": ""}
    assert Settings.from_environ({}) == Settings() == Settings.from_environ(empty)
    assert Settings().model == "embedded" and Settings().knowledge == (CONCEPTS,)


def test_every_variable_arrives() -> None:
    """Each TUTOR_* variable sets its field; extra folders come after the shipped one; ~ is the home folder."""
    settings = Settings.from_environ(
        {
            "TUTOR_MODEL": "org/model",
            "TUTOR_ENGINE": "remote",
            "TUTOR_ENDPOINT": "http://localhost:8000/v1",
            "TUTOR_API_KEY": "key",
            "TUTOR_CACHE": "~/cache",
            "TUTOR_READ_AHEAD": "0",
            "TUTOR_KNOWLEDGE": os.pathsep.join(["/a", "", "~/b"]),
        }
    )
    assert (settings.model, settings.engine, settings.endpoint) == ("org/model", "remote", "http://localhost:8000/v1")
    assert not settings.read_ahead and Settings().read_ahead
    assert settings.api_key == "key" and settings.cache == Path.home() / "cache"
    assert settings.knowledge == (CONCEPTS, Path("/a"), Path.home() / "b")


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"TUTOR_ENGINE": "cloud"}, "'cloud'"),
        ({"TUTOR_ENGINE": "remote"}, "TUTOR_ENDPOINT"),
        ({"TUTOR_ENGINE": "remote", "TUTOR_ENDPOINT": "localhost:8000"}, "'localhost:8000'"),
    ],
)
def test_a_value_that_cannot_work_is_refused(environ: dict[str, str], says: str) -> None:
    """The bad value and what to set instead are in one line."""
    with pytest.raises(TutorError, match=says) as caught:
        Settings.from_environ(environ)
    assert "\n" not in str(caught.value)


def test_settings_do_not_change() -> None:
    """Settings are read once and shared."""
    with pytest.raises(FrozenInstanceError):
        Settings().model = "other"  # type: ignore[misc]
