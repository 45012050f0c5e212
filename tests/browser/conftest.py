"""The real app in a subprocess, and a Chromium that may talk to nothing but it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.driver import HOW, Server, Talk, find_chromium

HERE = Path(__file__).parent

# The bracket after the first sides entry is missing: not YAML.
DAMAGED = """---
id: damaged-set
title: A damaged set
question: What is damaged?
sides:
  - {id: left, name: left, aliases: [left
---
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: runs an experiment, 15 s or more")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the folder; without a Chromium leave it out in one line, or fail where TUTOR_NEED_BROWSER is set."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.browser)
        if find_chromium() is None and not os.environ.get("TUTOR_NEED_BROWSER"):
            item.add_marker(pytest.mark.skip(reason=f"{HOW} ({len(ours)} tests of the page)"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        pytest.fail(f"TUTOR_NEED_BROWSER is set, but {HOW}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server.started(tmp_path_factory.mktemp("server") / "app.log") as server:
        yield server


@pytest.fixture
def damaged_server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("concepts")
    (folder / "damaged-set.md").write_text(DAMAGED, encoding="utf-8")
    log = tmp_path_factory.mktemp("server") / "damaged.log"
    with Server.started(log, TUTOR_KNOWLEDGE=str(folder)) as server:
        yield server


class Pages:
    """Opens pages and remembers every address that they asked for."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.contexts: list[BrowserContext] = []
        self.requested: list[str] = []

    def open(self, server: Server, width: int = 1280, height: int = 900, dark: bool = False) -> Talk:
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(60_000)
        context.on("request", lambda request: self.requested.append(request.url))
        self.contexts.append(context)
        return Talk.opened(context.new_page(), server.url)


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    """For every test: whatever it did, no request may have left this machine."""
    pages = Pages(browser)
    yield pages
    for context in pages.contexts:
        context.close()
    local = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    outside = [url for url in pages.requested if not url.startswith(local)]
    assert pages.requested and not outside, f"the page asked for {outside}"


@pytest.fixture
def talk(pages: Pages, server: Server) -> Talk:
    return pages.open(server)
