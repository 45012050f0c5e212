"""Start the app on a free port, and the words of the page's tests: ask, wait, read."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from tutor.read_ahead import READY

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ROOT = Path(__file__).parents[2]
HOW = "no Chromium found, so tests/browser was left out: install one with `apt-get install chromium`"
START_S = 900  # with a cold cache it converts the weights and embeds all questions first
ANSWER_MS = 120_000


def find_chromium() -> str | None:
    """The system's Chromium, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name, path="/usr/bin") or shutil.which(name))), None)


@dataclass(frozen=True)
class Server:
    """A running app."""

    url: str

    @classmethod
    @contextmanager
    def started(cls, log: Path, opened: bool = True, **environ: str) -> Iterator[Server]:
        """The app with the user's own cache, and its tutor `opened` or not yet; ended when the block ends."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        served = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
        served["TUTOR_READ_AHEAD"] = "0"  # which would take both cores from the tests for minutes
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **served, **environ}, stdout=out, stderr=out
            )
            try:
                url = f"http://127.0.0.1:{port}"
                _wait_until_it_answers(process, url, log, opened)
                yield cls(url)
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path, opened: bool) -> None:
    """The page is up long before its tutor is `opened`, which takes minutes with a cold cache."""
    opener, deadline = build_opener(ProxyHandler({})), time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if not opened or READY in log.read_text(errors="replace"):
                opener.open(url, timeout=5).close()
                return
        except (URLError, OSError):
            pass
        time.sleep(0.3)
    raise RuntimeError(f"the app did not start:\n{log.read_text(errors='replace')[-3000:]}")


@dataclass(frozen=True)
class Talk:
    """One learner's page."""

    page: Page

    @classmethod
    def opened(cls, page: Page, url: str) -> Talk:
        page.goto(url)
        page.locator("#box textarea").wait_for(timeout=ANSWER_MS)
        page.locator("#box .submit-button").wait_for(timeout=ANSWER_MS)
        return cls(page)

    @property
    def box(self) -> Locator:
        return self.page.locator("#box textarea")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name="chatbot conversation")

    @property
    def asked(self) -> Locator:
        return self.page.get_by_test_id("user")

    @property
    def said(self) -> Locator:
        return self.page.get_by_test_id("bot")

    @property
    def options(self) -> Locator:
        return self.log.locator("button.option")

    @property
    def panel(self) -> Locator:
        return self.page.locator("#panel")

    def ask(self, text: str) -> str:
        """Type a question, send it and wait for the end of the turn; the last message's text."""
        turns = self.asked.count()
        self.box.fill(text)
        self.box.press("Enter")
        return self.answer(turns + 1)

    def start(self, request: str) -> None:
        """Ask for an experiment and skip the question before it."""
        self.ask(request)
        self.log.get_by_role("button", name="Just run it").click()

    def answer(self, turns: int) -> str:
        """Wait until that many questions are on the page and the last has its whole answer with buttons."""
        from playwright.sync_api import expect

        expect(self.asked).to_have_count(turns, timeout=ANSWER_MS)
        self.options.first.wait_for(timeout=ANSWER_MS)  # only the last message of a finished turn has buttons
        expect(self.said.last).not_to_have_text("", timeout=ANSWER_MS)
        self.ready()
        return self.said.last.inner_text()

    def ready(self) -> None:
        """Wait until the box takes a question again."""
        from playwright.sync_api import expect

        self.page.locator("#box .submit-button").wait_for(timeout=ANSWER_MS)
        expect(self.box).to_be_enabled(timeout=ANSWER_MS)

    def cited(self) -> list[int]:
        """The note numbers in the last answer."""
        return [int(n) for n in re.findall(r"\[(\d+)\]", self.said.last.inner_text())]
