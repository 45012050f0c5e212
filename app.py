"""Composition root, and what a Space runs: settings → tutor → page."""

import logging
import os
import sys

# Before gradio and the Hub client are imported: nothing phones home.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def main() -> int:
    """Serve the page; a user's mistake is one line on stderr and exit status 2."""
    from tutor.errors import TutorError
    from tutor.open import open_tutor, read_ahead
    from tutor.settings import Settings
    from tutor.ui.page import build_page, launch_options

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    for name in ("tutor", "knowledge"):
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        settings = Settings.from_environ()
        tutor = open_tutor(settings)
        page = build_page(tutor, settings.cache)
    except TutorError as error:
        sys.stderr.write(f"tutor: {error}\n")
        return 2
    page.launch(**launch_options(settings.cache), prevent_thread_lock=True)
    read_ahead(tutor)
    page.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
