"""From settings to a tutor that is ready to answer."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.classifier import AnswerWords, load_classifier
from knowledge.concept_files import load_knowledge
from knowledge.coverage import elsewhere_questions
from knowledge.dialogue import DIALOGUE
from knowledge.embedder import RememberingEmbedder, SentenceEmbedder, TunedEmbedder
from knowledge.index import Asked, load_or_build
from knowledge.passages import Ask, Knowledge
from knowledge.search import Search
from knowledge.vectors import Progress, VectorStore, log_progress
from tutor.chat import Tutor
from tutor.choosing.causal_classifier import CausalClassifier
from tutor.choosing.encoder_classifier import BothClassifiers, EncoderClassifier
from tutor.choosing.taught import Reads, Taught
from tutor.choosing.weighing import load_weighing
from tutor.compute import begin_on_tensor_thread, leave_cores_to_tensors
from tutor.distill.examples import Example, load_examples
from tutor.engines.base import Engine
from tutor.engines.large_encoder import LargeEncoder
from tutor.engines.lazy import LazyEngine
from tutor.engines.local import LocalEngine
from tutor.engines.models import fastest_dtype
from tutor.engines.weights import ensure_embedder, ensure_large_encoder, ensure_tutor_model
from tutor.errors import KnowledgeError, TutorError
from tutor.experiments.about import load_about
from tutor.experiments.specimens import Specimens
from tutor.judging import load_judge
from tutor.read_ahead import could_load
from tutor.requests.manner import load_manner
from tutor.requests.replies import load_replies
from tutor.settings import Settings
from tutor.verdict.causal_reader import CausalReader
from tutor.verdict.reader import Reader
from tutor.verdict.readers import Readers

log = logging.getLogger(__name__)

_EMBEDDED = "SmolLM2-135M-Instruct"


@dataclass
class Opening:
    """A tutor on its way, for a page that is up before it; `embedded` says how many are done of the texts that are being embedded, as at a first start."""

    tutor: Future[Tutor] = field(default_factory=Future)
    embedded: tuple[int, int] = (0, 0)

    def progress(self, done: int, texts: int) -> None:
        """Take in that so many of so many texts are embedded."""
        log_progress(done, texts)
        self.embedded = done, texts


@dataclass(frozen=True)
class _Fetched:
    """Folders of all weights that answers need, verified: the answering model, the model as published, the larger encoder."""

    model: Path
    published: Path
    encoder: Path


def open_knowledge(settings: Settings) -> Knowledge:
    """Load the concept files; raises KnowledgeError if none can be read."""
    knowledge = load_knowledge(settings.knowledge)
    for problem in knowledge.problems:
        log.warning("left out: %s", problem)
    if not knowledge.concepts:
        raise KnowledgeError("No concept file could be read; see the lines above, or `python -m tutor index --check`.")
    return knowledge


def open_search(
    settings: Settings,
    published: SentenceEmbedder | None = None,
    knowledge: Knowledge | None = None,
    examples: Sequence[Example] | None = None,
    progress: Progress = log_progress,
) -> Search:
    """Load the embedder and the index, and what else is not given; raises KnowledgeError if no concept file can be read."""
    leave_cores_to_tensors()
    published = published or SentenceEmbedder(ensure_embedder(settings.cache))
    knowledge = knowledge or open_knowledge(settings)
    encoder = TunedEmbedder(published)
    embedder, tuned = RememberingEmbedder(published), RememberingEmbedder(encoder)
    dialogue = RememberingEmbedder(TunedEmbedder(encoder, [DIALOGUE], "make dialogue"), most=1_000)
    examples = load_examples(knowledge, strict=False) if examples is None else examples
    asked = asked_of(examples)
    plain, trained = known_texts(knowledge, asked)
    _remember(embedder, plain, settings.cache, progress)
    _remember(tuned, trained, settings.cache, progress)
    index = load_or_build(knowledge.passages, tuned, settings.cache, asked, progress)
    questions = [question for question, _ in asked]
    return Search(
        knowledge,
        index,
        embedder,
        tuned,
        elsewhere_questions(),
        asked=questions,
        dialogue=dialogue,
        learned=AnswerWords(knowledge.passages, load_classifier()),
        words=settings.cache / "index" / "asked-words.json",
    )


def asked_of(examples: Sequence[Example]) -> list[Asked]:
    """The teacher's questions that the notes answer, each with the passage that she answered from first."""
    return [(example.query, example.answer[0][0]) for example in examples if example.answer]


def known_texts(knowledge: Knowledge, asked: Sequence[Asked]) -> tuple[list[str], list[str]]:
    """What answers weigh against a learner's words, as the published and as the tuned encoder read it."""
    sentences = [sentence for passage in knowledge.passages for sentence in passage.sentences]
    polar = [ask.text for passage in knowledge.passages for ask in passage.asks if ask.polarity]
    polar += [passage.claim for passage in knowledge.passages if passage.claim]
    published = [*sentences, *(text.rstrip("?!. ") for text in polar)]
    return published, [*sentences, *elsewhere_questions(), *polar, *(question for question, _ in asked)]


def _remember(embedder: RememberingEmbedder, texts: Sequence[str], cache: Path, progress: Progress) -> None:
    """Embed what will be needed, or read it from where an earlier start put it."""
    embedder.remember(texts, *VectorStore(cache / "index", embedder, progress).table(texts))


def open_tutor(
    settings: Settings, knowledge: Knowledge | None = None, progress: Progress = log_progress, lazy: bool = False
) -> Tutor:
    """Everything loaded, or, if `lazy`, all but the embedded model. Raises TutorError with the next step for whatever is missing or damaged,
    ValueError for a fitted file of another version."""
    load_weighing()
    with _uncollected():
        return _open(settings, knowledge, progress, lazy)


def open_unfitted(settings: Settings) -> Tutor:
    """The same for whoever fits what an answer weighs with: the file there may be of another version."""
    with _uncollected():
        return _open(settings, None, log_progress, False)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles, which would look through a million objects again and again while they are made; what is there once all went well stays, so it leaves that alone later, too (https://docs.python.org/3/library/gc.html#gc.freeze)."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collected:
            gc.enable()


def _open(settings: Settings, knowledge: Knowledge | None, progress: Progress, lazy: bool) -> Tutor:
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    published = SentenceEmbedder(ensure_embedder(settings.cache))
    knowledge = knowledge or open_knowledge(settings)
    leave_cores_to_tensors()
    # Imports torch meanwhile; whoever needs the encoder next is told what failed.
    begin_on_tensor_thread(lambda: published.bert)
    embedded = settings.engine != "remote" and settings.model == "embedded"
    fetched = begin_on_tensor_thread(lambda: _fetch(settings.cache)) if embedded else None
    encoder = open_encoder(settings, fetched)
    reads = open_classifier(settings, knowledge, encoder, fetched) if embedded else None
    if reads is not None and fetched is not None:
        _load_meanwhile(reads, fetched)
    else:
        # What it tells of a message is told of every engine's; nobody waits for it who does not ask.
        begin_on_tensor_thread(fastest_dtype)
        threading.Thread(target=lambda: could_load(encoder.load), name="load encoder", daemon=True).start()
    examples = load_examples(knowledge, strict=False)
    search = open_search(settings, published=published, knowledge=knowledge, examples=examples, progress=progress)
    engine = _open_engine(settings, fetched, lazy)
    taught = teach(search, examples, reads, settings.cache) if embedded else None
    readers = open_readers(settings, published)
    # What another model writes is judged by itself where it can score texts, else by the embedded one.
    judge = (
        None if embedded else load_judge(engine if isinstance(engine, LocalEngine) else _unadapted(settings), readers)
    )
    manner = load_manner(RememberingEmbedder(encoder, most=1_000))
    return Tutor(
        search.knowledge,
        search,
        engine,
        Specimens(settings.cache),
        free=not embedded,
        taught=taught,
        manner=manner,
        replies=load_replies(manner.embedder, manner.judge),
        about=load_about(manner.embedder),
        judge=judge,
        readers=readers,
    )


def teach(
    search: Search,
    examples: Sequence[Example] | None = None,
    reads: Reads | None = None,
    cache: Path | None = None,
) -> Taught:
    """The teacher's questions, read unless they are given, and the notes' own that have a Yes or No; `reads` was trained on them. What is counted of their words is kept under `cache`."""
    examples = load_examples(search.knowledge, strict=False) if examples is None else examples
    settled = [ask for passage in search.knowledge.passages for ask in passage.asks if ask.polarity]
    # What is often believed wrongly is asked with a No to follow.
    settled += [Ask(passage.claim, "no") for passage in search.knowledge.passages if passage.claim]
    words = cache / "index" / "shared-words.npz" if cache else None
    return Taught(examples, search.tuned, settled, search.learned, reads, words)


def open_encoder(settings: Settings, fetched: Future[_Fetched] | None = None) -> LargeEncoder:
    """The larger encoder, loaded when it is first asked, or told to, from what was `fetched`, if it was."""
    return LargeEncoder(lambda: fetched.result().encoder if fetched else ensure_large_encoder(settings.cache))


def open_classifier(
    settings: Settings,
    knowledge: Knowledge,
    encoder: LargeEncoder | None = None,
    fetched: Future[_Fetched] | None = None,
) -> BothClassifiers:
    """What tells by reading which sentence answers; loaded when it is first asked, or told to, from what was `fetched`, if it was."""
    found = fetched.result if fetched is not None else lambda: _fetch(settings.cache)
    return BothClassifiers(
        CausalClassifier(lambda: found().published, knowledge.passages),
        EncoderClassifier(encoder or open_encoder(settings, fetched), knowledge.passages),
    )


def open_readers(settings: Settings, published: SentenceEmbedder | None = None) -> Readers:
    """What tells Yes from No; each is loaded when it is first asked, or told to."""
    published = published or SentenceEmbedder(ensure_embedder(settings.cache))
    return Readers(Reader(published), CausalReader(lambda: ensure_tutor_model(settings.cache, adapter=None)))


def _unadapted(settings: Settings) -> LocalEngine:
    return LocalEngine.load(ensure_tutor_model(settings.cache, adapter=None), "SmolLM2-135M-Instruct as published")


def _fetch(cache: Path) -> _Fetched:
    """Fetch them here, where the page shows it, and not at the first question."""
    fastest_dtype()  # measured by one thread, before several load
    return _Fetched(ensure_tutor_model(cache), ensure_tutor_model(cache, adapter=None), ensure_large_encoder(cache))


def _load_meanwhile(reads: BothClassifiers, fetched: Future[_Fetched]) -> None:
    """Load what reads questions, which is mostly not Python's work, while the rest is opened, which mostly is; whoever needs it next is told what failed."""

    def load() -> None:
        wait([fetched])
        if fetched.exception() is None:
            with suppress(TutorError, OSError):
                reads.load()

    threading.Thread(target=load, name="load readers", daemon=True).start()


def _open_engine(settings: Settings, fetched: Future[_Fetched] | None, lazy: bool) -> Engine:
    """The answering model, an embedded one from where it was `fetched`."""
    if settings.engine == "remote":
        from tutor.engines.remote import RemoteEngine

        return RemoteEngine(settings.endpoint, settings.model, settings.api_key)
    if fetched is not None:
        folder = fetched.result().model
        return LazyEngine(folder, _EMBEDDED) if lazy else LocalEngine.load(folder, _EMBEDDED)
    return LocalEngine.load(settings.model)
