"""What a tutor that answers already does while nobody asks: load what it lacks, and read all notes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from knowledge.search import Hit
from tutor.chat import Tutor
from tutor.engines.lazy import LazyEngine
from tutor.engines.local import LocalEngine
from tutor.errors import EngineError, TutorError
from tutor.prompts import choice_prompt

log = logging.getLogger(__name__)

ANSWERING = "questions are answered; the language model follows"
READY = "everything is loaded: a question is answered at once"


def read_ahead(tutor: Tutor, notes: bool = True) -> threading.Thread:
    """Load what a tutor opened lazily lacks, and let the embedded model read all notes (or none) while nobody asks: a first answer reads only its question.

    The thread ends with the process, and each note waits for whatever learners need at that moment.
    """

    def read() -> None:
        unasked = "A text that nobody asked, so that the first question finds the encoders loaded."
        tutor.search.search(unasked)
        if tutor.search.dialogue is not None:
            tutor.search.dialogue.embed([unasked])
        tutor.search.spelling.mended(unasked)
        if tutor.taught is not None and not could_load(tutor.taught.load):
            return  # no question is answered without it, and each who asks is told why
        if tutor.readers is not None:
            tutor.readers.encoder.load()
        engine = tutor.engine
        if isinstance(engine, LazyEngine):
            log.info(ANSWERING)
            try:
                engine = engine.load()
            except EngineError as error:
                log.error("%s", error)
                return
        if tutor.readers is not None:
            could_load(tutor.readers.causal.load)  # nearly as large as the model
        log.info(READY)
        if not notes or tutor.free or not isinstance(engine, LocalEngine):
            return
        for passage in tutor.knowledge.passages:
            if not engine.warm(choice_prompt("", (Hit(passage, 0.0, 0.0),))):
                return

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    return thread


def could_load(load: Callable[[], None]) -> bool:
    """Whether it could be loaded; if not, why is logged."""
    try:
        load()
    except TutorError as error:
        log.error("%s", error)
        return False
    return True
