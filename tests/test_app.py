"""What a start says when there will be no tutor."""

from __future__ import annotations

import pytest

import app
import tutor.open
import tutor.ui.page
from tutor.errors import KnowledgeError, TutorError
from tutor.open import Opening


class Page:
    """A page that is up at once."""

    def __init__(self) -> None:
        self.launched = False

    def launch(self, **_: object) -> None:
        self.launched = True


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> tuple[Page, Opening]:
    """The page and what it waits for."""
    page, opening = Page(), Opening()
    monkeypatch.setattr(app, "_TOLD", 0.0)
    monkeypatch.setattr(tutor.open, "Opening", lambda: opening)
    monkeypatch.setattr(tutor.ui.page, "build_page", lambda *_: page)
    return page, opening


@pytest.mark.parametrize(
    "trouble", [KnowledgeError("add a file"), ValueError("manner.npz must hold 384 numbers; run `make calibrate`")]
)
def test_a_waiting_page_is_told_why(
    page: tuple[Page, Opening], trouble: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Protects: whoever asked while the tutor opened reads what is wrong, as does the log; no question waits for ever."""

    def fail(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(tutor.open, "open_tutor", fail)
    assert app.main() == 2
    assert page[0].launched and str(trouble) in capsys.readouterr().err
    with pytest.raises(TutorError, match=str(trouble).split(";")[0]):
        page[1].tutor.result(timeout=0)


def test_a_wrong_setting_is_told_before_there_is_a_page(
    page: tuple[Page, Opening], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Protects: a mistake that can be seen at once is one line and no page."""
    monkeypatch.setenv("TUTOR_ENGINE", "steam")
    assert app.main() == 2
    assert not page[0].launched and "TUTOR_ENGINE" in capsys.readouterr().err


def test_a_defect_leaves_nobody_waiting(page: tuple[Page, Opening], monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: what nobody foresaw goes up with its traceback, and the page does not wait for a tutor that will not come."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(tutor.open, "open_tutor", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        app.main()
    with pytest.raises(TutorError, match="log"):
        page[1].tutor.result(timeout=0)
