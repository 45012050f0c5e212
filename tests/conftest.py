"""Fakes that need no weights, and the real tutor for the few tests that need it."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Semaphore
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.classifier import BUCKETS, AnswerWords, SentenceClassifier, buckets_of, key_of
from knowledge.concept_files import load_knowledge
from knowledge.coverage import FEATURES, Coverage, Logit
from knowledge.index import build
from knowledge.passages import Knowledge, Passage
from knowledge.search import Hit, Search
from tests.browser.driver import HOW
from tests.pets import CATS, PICTURE, TEA
from tutor.engines.base import Branch, Grammar, Message
from tutor.settings import Settings

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

    from tutor.chat import Tutor


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once what was left out: -q alone would hide the reason. Here, as where others run the tests the process that reports loads no folder's conftest."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(HOW in str(report.longrepr) for report in skipped):
        names = sorted({report.nodeid.split("::")[0] for report in skipped if HOW in str(report.longrepr)})
        terminalreporter.write_line(f"{HOW}. Left out: {', '.join(names)}")


def coverage_of(near: float, bias: float, strange: float = 0.0) -> Coverage:
    """By the nearest question and, where the classifier knows the notes, by what it makes of the words."""
    weights = (near, *(0.0,) * (len(FEATURES) - 2))
    learned = (*weights, strange)
    return Coverage(Logit(learned, bias), Logit(weights, bias), Logit((*learned, -1.0, 0.0), bias))


# Covered from a nearest question at cosine 0.5 on; everything else counts nothing.
NEAR_IS_COVERED = coverage_of(1.0, -0.5)


def _hashed(word: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(384).astype(np.float32)


class FakeEmbedder:
    """Bags of hashed words: texts that share words are near, all others at about a right angle. Counts its work."""

    def __init__(self, key: str = "fake") -> None:
        self.key = key
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += texts
        vectors = np.zeros((len(texts), 384), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()) or ["nothing"]:
                vectors[row] += _hashed(word)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


class ScriptedEngine:
    """An engine without a model: chooses scripted indexes (else the first allowed branch), writes scripted pieces."""

    name = "scripted"

    def __init__(self, choices: Sequence[int] = (), pieces: Sequence[str] = ()) -> None:
        self.choices, self.pieces = tuple(choices), tuple(pieces)
        self.prompts: list[tuple[Message, ...]] = []
        self.offered: list[tuple[Branch, ...]] = []
        self.written = 0
        self.opened = 0
        self.closed = 0

    def choose(self, messages: Sequence[Message], grammar: Grammar) -> Iterator[Branch]:
        self.prompts.append(tuple(messages))
        self.opened += 1
        chosen: tuple[Branch, ...] = ()
        script = iter(self.choices)
        try:
            while allowed := grammar(chosen):
                self.offered.append(tuple(allowed))
                branch = allowed[next(script, 0)]
                chosen += (branch,)
                yield branch
                if not branch.text:
                    return
        finally:
            self.closed += 1

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        self.prompts.append(tuple(messages))
        self.opened += 1
        try:
            for piece in self.pieces:
                self.written += 1
                yield piece
        finally:
            self.closed += 1

    def count(self, text: str) -> int:
        return len(text.split())


class WritingEngine:
    """The scripted engine with nothing but `write`, as an endpoint has."""

    name = "writing"

    def __init__(self, pieces: Sequence[str]) -> None:
        self.scripted = ScriptedEngine(pieces=pieces)

    def write(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        return self.scripted.write(messages, max_new_tokens=max_new_tokens)

    def count(self, text: str) -> int:
        return self.scripted.count(text)


def make_search(
    knowledge: Knowledge, coverage: Coverage = NEAR_IS_COVERED, learned: AnswerWords | None = None
) -> Search:
    """A search over the knowledge with the fake embedder; one question is known to lie elsewhere."""
    embedder = FakeEmbedder()
    index = build(knowledge.passages, embedder)
    elsewhere = ["how does one repair a bicycle"]
    return Search(knowledge, index, embedder, embedder, elsewhere, coverage=coverage, learned=learned)


def classifier_of(sentences: Mapping[str, str], none: str = "") -> SentenceClassifier:
    """One that answers each word with one sentence, and the word `none` with none of them."""
    answers = len(sentences) + 1
    inner = np.zeros((BUCKETS, answers), dtype=np.int8)
    for place, word in enumerate((*sentences, none)):
        inner[buckets_of(word), place] = 9
    keys = np.array([key_of(sentence) for sentence in sentences.values()], dtype=np.int64)
    ones, outer = np.ones(BUCKETS, dtype=np.float32), np.eye(answers, dtype=np.float32)
    return SentenceClassifier(ones, ones, inner, outer, np.zeros(answers, np.float32), keys)


def hits_of(*passages: Passage) -> tuple[Hit, ...]:
    """The passages as hits, note 1 first."""
    return tuple(Hit(passage, 0.9, 0.9) for passage in passages)


@pytest.fixture
def concept_folder(tmp_path: Path) -> Path:
    """`concepts/` with two sets, and the first one's picture in `diagrams/`."""
    folder = tmp_path / "concepts"
    folder.mkdir()
    (tmp_path / "diagrams").mkdir()
    (tmp_path / "diagrams" / "cats.svg").write_text(PICTURE, encoding="utf-8")
    (folder / "cats-vs-dogs.md").write_text(CATS, encoding="utf-8")
    (folder / "tea-vs-coffee.md").write_text(TEA, encoding="utf-8")
    return folder


@pytest.fixture
def knowledge(concept_folder: Path) -> Knowledge:
    """The two tiny sets."""
    loaded = load_knowledge((concept_folder,))
    assert not loaded.problems
    return loaded


@pytest.fixture
def search(knowledge: Knowledge) -> Search:
    """Search over the two tiny sets; covered means near."""
    return make_search(knowledge)


@pytest.fixture
def tutor(search: Search) -> Tutor:
    """A tutor over the tiny sets whose model takes the first allowed branch."""
    from tutor.chat import Tutor

    return Tutor(search.knowledge, search, ScriptedEngine(), SimpleNamespace(copy=None, bench=Semaphore()))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def real_search() -> Search:
    """The shipped notes with the real embedder."""
    from tutor.open import open_search

    return open_search(Settings.from_environ({}))


@pytest.fixture(scope="session")
def real_tutor() -> Tutor:
    """The whole embedded tutor, loaded once a session."""
    from tutor.open import open_tutor

    return open_tutor(Settings.from_environ({}))


@pytest.fixture(scope="session")
def tiny_llama() -> LlamaForCausalLM:
    """A random fp32 Llama with the embedded model's vocabulary: wrong in what it says, exact in how it computes."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.5,
        bos_token_id=1,
        eos_token_id=2,
    )
    return LlamaForCausalLM(config).float().eval()


def change_without(lost: str, change: Path, folder: Path) -> Path:
    """A copy, in the folder, of a change to the language model's lower layers that lacks all weights with this in their names."""
    from safetensors.torch import load_file, save_file

    shutil.copy(change / "adapter_config.json", folder)
    state = load_file(change / "adapter_model.safetensors")
    kept = {name: value for name, value in state.items() if lost not in name}
    save_file(kept, folder / "adapter_model.safetensors")
    return folder
