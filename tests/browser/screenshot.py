"""A picture of the page for the documentation: python -m tests.browser.screenshot OUT.png [--dark] [--width 390]."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.browser.driver import Server, Talk, find_chromium

QUESTION = "What is the difference between pruning and quantization?"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshot", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    options = parser.parse_args(arguments)
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write("screenshot: no Chromium found; install one with `apt-get install chromium`\n")
        return 2
    from playwright.sync_api import sync_playwright

    options.out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Server.started(Path(folder) / "app.log") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(
            viewport={"width": options.width, "height": 900}, color_scheme="dark" if options.dark else "light"
        )
        talk = Talk.opened(page, server.url)
        talk.ask(QUESTION)
        page.wait_for_timeout(500)  # fonts and the last scroll
        page.screenshot(path=options.out)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
