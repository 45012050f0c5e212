"""Composition root, and what a Space runs: settings → page → tutor."""

from __future__ import annotations

import gc
import logging
import os
import sys
import time

# Before gradio and the Hub client are imported: nothing phones home.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

_TOLD = 2.0  # seconds that a page which waits has to say why there will be no tutor


def main() -> int:
    """Serve the page, and open the tutor behind it; a user's mistake is one line on stderr and exit status 2."""
    gc.disable()  # a start makes a million objects that stay: to look for garbage among them takes a fifth of its time
    try:
        return _serve()
    finally:
        gc.enable()


def _serve() -> int:
    from tutor.errors import TutorError
    from tutor.open import Opening, open_knowledge, open_tutor
    from tutor.read_ahead import read_ahead
    from tutor.settings import Settings
    from tutor.ui.stubs import unwritten_stubs

    with unwritten_stubs():
        from tutor.ui.page import build_page, launch_options

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    for name in ("tutor", "knowledge"):
        logging.getLogger(name).setLevel(logging.INFO)
    opening = Opening()
    try:
        settings = Settings.from_environ()
        knowledge = open_knowledge(settings)
        page = build_page(knowledge, opening, settings.cache)
    except TutorError as error:
        sys.stderr.write(f"tutor: {error}\n")
        return 2
    page.launch(**launch_options(settings.cache), prevent_thread_lock=True)
    try:
        opening.tutor.set_result(open_tutor(settings, knowledge, opening.progress, lazy=True))
    # A fitted file of another version is a ValueError that says what to run.
    except (TutorError, ValueError, OSError) as error:
        sys.stderr.write(f"tutor: {error}\n")
        opening.tutor.set_exception(TutorError(str(error)))
        time.sleep(_TOLD)
        return 2
    finally:
        # Whatever else went wrong is told by its traceback, and the page waits for nothing.
        if not opening.tutor.done():
            opening.tutor.set_exception(TutorError("The tutor could not be opened; the log of the start says why."))
    gc.freeze()
    gc.enable()
    read_ahead(opening.tutor.result(), settings.read_ahead)
    page.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
