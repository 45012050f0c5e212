"""Which sentence answers, as the language model reads the question."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from knowledge.concept_files import load_knowledge
from tests.conftest import change_without
from tutor.choosing.causal_classifier import CHANGE, CausalClassifier, read_tokens
from tutor.engines.weights import ensure_tutor_model
from tutor.errors import WeightsError
from tutor.settings import Settings

PASSAGES = load_knowledge().passages


@pytest.fixture(scope="module")
def folder() -> Path:
    """The model as published."""
    return ensure_tutor_model(Settings.from_environ({}).cache, adapter=None)


@pytest.fixture(scope="module")
def classifier(folder: Path) -> CausalClassifier:
    return CausalClassifier(lambda: folder, PASSAGES)


def test_what_is_described_is_recognised(classifier: CausalClassifier) -> None:
    """Protects: what the model knows of the world comes in; neither is named, and no word of the notes is there."""
    (named,) = classifier.named(
        ["the thing that gamers buy beside the one that Google builds for itself, which runs more kinds of program?"]
    )
    of_set = Counter[str]()
    for (name, _), share in named.shares.items():
        of_set[name.partition("#")[0]] += share
    (first, most), (_, next_most) = of_set.most_common(2)
    assert first == "cpu-vs-gpu-vs-tpu" and most > 2 * next_most


def test_what_the_notes_do_not_answer_is_doubted(classifier: CausalClassifier) -> None:
    """Protects: a question beside the notes, in their own words, is less likely answered than one that they answer."""
    own, beside = classifier.named(["What does pruning remove from a model?", "Which pruning shears cut roses best?"])
    assert own.none < 0 < beside.none


def test_who_reads_along_changes_nothing(classifier: CausalClassifier) -> None:
    """Protects: texts read as one see only themselves, and of an overlong one the end counts, where a follow-up stands."""
    question = "What does pruning remove?"
    texts = [question, "Why?", "It goes on. " * 300 + question]
    together, alone = (
        [one.shares for one in some]
        for some in (classifier.named(texts), [classifier.named([text])[0] for text in texts])
    )
    for some, one in zip(together, alone, strict=True):
        assert some == pytest.approx(one, abs=0.05)
    likeliest = [max(shares, key=shares.__getitem__)[0] for shares in (alone[0], alone[2])]
    assert all("pruning" in name.partition("#")[0] for name in likeliest)


def test_behind_what_is_said_the_second_request_is_left_and_behind_both_less(classifier: CausalClassifier) -> None:
    """Protects: "which one, and why?" goes on to its second half, and a plain question that is answered ends there."""
    question = "What is pruning, and what is quantization?"
    first, second = ("pruning-vs-quantization#what-pruning-is", 0), ("pruning-vs-quantization#what-quantization-is", 0)
    once, twice = classifier.behind(question, [first]), classifier.behind(question, [first, second])
    plain = classifier.behind("What is pruning?", [first])
    assert once and twice and plain
    assert once.end < 0.5 < min(plain.end, twice.end) and 1.5 * once.end < twice.end
    assert once.shares[first] == twice.shares[first] == twice.shares[second] == 0
    text = {(passage.id, i): sentence for passage in PASSAGES for i, sentence in enumerate(passage.sentences)}
    likeliest = sorted(once.shares, key=once.shares.__getitem__)[-3:]
    told = [text[reference].lower() for reference in likeliest]
    assert any("quantization stores" in sentence or "quantization keeps" in sentence for sentence in told)


def test_an_answer_begins_with_yes_or_no_where_it_is_asked_for_one(classifier: CausalClassifier) -> None:
    """Protects: the word is read from a question and the sentence that answers it, better than by chance where it is one of several hints, and other questions want none."""
    asks = [(ask, (passage.id, 0)) for passage in PASSAGES for ask in passage.asks]
    polar, others = (
        [pair for pair in asks if pair[0].polarity][::9],
        [pair for pair in asks if not pair[0].polarity][::60],
    )
    read = [(ask, behind) for ask, said in (*polar, *others) if (behind := classifier.behind(ask.text, [said]))]
    wanted = [behind.yes + behind.no > 0.5 for _, behind in read]
    assert sum(wanted[: len(polar)]) > 0.9 * len(polar) and sum(wanted[len(polar) :]) < 0.2 * len(others)
    for word in ("yes", "no"):
        right = [
            (behind.yes > behind.no) == (word == "yes") for ask, behind in read[: len(polar)] if ask.polarity == word
        ]
        assert len(right) > 30 and sum(right) > 0.55 * len(right), word


def test_nothing_is_read_behind_a_sentence_that_it_does_not_know(classifier: CausalClassifier) -> None:
    """Protects: an answer from a class's own notes, which nobody trained it on."""
    assert classifier.behind("What is pruning?", [("their-own#notes", 0)]) is None


def test_an_edited_sentence_is_not_taken_for_what_was_trained_on(folder: Path) -> None:
    """Protects: a note that says something else since has no share, and all others keep theirs."""
    first = PASSAGES[0]
    edited = replace(first, text=f"{first.sentences[0]} Something else now.")
    (named,) = CausalClassifier(lambda: folder, (edited, *PASSAGES[1:])).named(["What is it?"])
    known = named.shares.keys()
    assert (first.id, 0) in known and (first.id, 1) not in known and (PASSAGES[1].id, 0) in known


@pytest.mark.parametrize(("lost", "told"), [("lora", "no LoRA weights"), ("head", "make causal-classifier")])
def test_a_foreign_change_is_refused(folder: Path, tmp_path: Path, lost: str, told: str) -> None:
    """Protects: weights of something else, or half of them, are not used in silence; the error says what to run, each time."""
    classifier = CausalClassifier(lambda: folder, PASSAGES, change_without(lost, CHANGE, tmp_path))
    for _ in range(2):
        with pytest.raises(WeightsError, match=told):
            classifier.named(["Is it?"])


def test_weights_of_another_version_are_refused(folder: Path, tmp_path: Path) -> None:
    """Protects: outputs that stand for something else are not read as the end, or as Yes."""
    change = tmp_path / "change"
    shutil.copytree(CHANGE, change)
    weights = load_file(change / "adapter_model.safetensors")
    save_file({**weights, "keys": weights["keys"].roll(1)}, change / "adapter_model.safetensors")
    with pytest.raises(WeightsError, match="another version"):
        CausalClassifier(lambda: folder, PASSAGES, change).load()


def test_of_a_long_answer_the_last_sentence_is_read() -> None:
    """Protects: what comes next hangs on what was said last, and the text ends as it did in training."""
    tokens = read_tokens(lambda text: list(text.encode()), "Why?", ["It goes on. " * 99, "Cats sleep."])
    assert bytes(tokens).endswith(b" Cats sleep.\n") and bytes(tokens).startswith(b"Question: Why?\n")
