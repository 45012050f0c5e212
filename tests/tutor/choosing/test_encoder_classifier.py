"""Which sentence answers, as the larger encoder reads the question, and as both readers do."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from knowledge.concept_files import load_knowledge
from knowledge.passages import Reference
from tutor.choosing.encoder_classifier import OUTPUT, BothClassifiers, EncoderClassifier
from tutor.choosing.outputs import Behind, Named
from tutor.engines.large_encoder import CHANGE, LargeEncoder
from tutor.engines.models import fastest_dtype
from tutor.engines.weights import ensure_large_encoder
from tutor.errors import WeightsError
from tutor.settings import Settings

PASSAGES = load_knowledge().passages
REFERENCES = {"a": ("cats", 0), "b": ("cats", 1)}


@pytest.fixture(scope="module")
def folder() -> Path:
    """The encoder as published."""
    return ensure_large_encoder(Settings.from_environ({}).cache)


@pytest.fixture(scope="module")
def classifier(folder: Path) -> EncoderClassifier:
    return EncoderClassifier(LargeEncoder(lambda: folder), PASSAGES)


def test_what_is_described_is_recognised(classifier: EncoderClassifier) -> None:
    """Protects: no term of the notes is there, and the set that tells of it is found."""
    (named,) = classifier.named(["can I make the file smaller by storing each number with fewer digits?"])
    of_set = Counter[str]()
    for (name, _), share in named.shares.items():
        of_set[name.partition("#")[0]] += share
    assert of_set.most_common(1)[0][0] in ("pruning-vs-quantization", "ptq-vs-qat")


def test_what_the_notes_do_not_answer_is_doubted(classifier: EncoderClassifier) -> None:
    """Protects: a question beside the notes, in their own words, is less likely answered than one that they answer."""
    own, beside = classifier.named(["What does pruning remove from a model?", "Which pruning shears cut roses best?"])
    assert own.none < 0 < beside.none


def test_who_reads_along_changes_nothing(classifier: EncoderClassifier) -> None:
    """Protects two learners: texts of other lengths in the same pass leave a text's shares as they are, in the order in which they were asked."""
    near = 1e-4 if fastest_dtype() == torch.float32 else 1e-2  # bf16 rounds sums of other lengths otherwise
    texts = ["What does pruning remove? " * n for n in (40, 1, 12)] + ["Why?"] * 60
    together, alone = classifier.named(texts), [classifier.named([text])[0] for text in texts[:4]]
    for some, one in zip(together, alone, strict=False):
        assert some.shares == pytest.approx(one.shares, abs=near) and some.none == pytest.approx(
            one.none, abs=10 * near
        )
    lots = classifier._read([texts[:2], texts[2:3], []])
    assert [len(lot) for lot in lots] == [2, 1, 0]
    for logits, one in zip((*lots[0], *lots[1]), alone, strict=False):
        assert int(logits[:-1].argmax()) == [*one.shares].index(max(one.shares, key=one.shares.__getitem__))


def test_an_edited_sentence_has_no_share(folder: Path) -> None:
    """Protects a teacher's edit: the sentence that was trained on is gone, and its share is nobody's."""
    passage = PASSAGES[0]
    edited = replace(passage, text=passage.text.replace(passage.sentences[0], "This is new."))
    (named,) = EncoderClassifier(LargeEncoder(lambda: folder), [edited]).named(["anything"])
    assert set(named.shares) == {(passage.id, i) for i in range(1, len(passage.sentences))}


def test_a_damaged_output_is_named_with_the_next_step(folder: Path, tmp_path: Path) -> None:
    """Protects whoever starts it: what is wrong and what to do, at each question anew."""
    change = Path(shutil.copytree(CHANGE, tmp_path / "change"))
    (change / OUTPUT).write_bytes((change / OUTPUT).read_bytes()[:1000])
    classifier = EncoderClassifier(LargeEncoder(lambda: folder, change), PASSAGES)
    for _ in range(2):
        with pytest.raises(WeightsError, match="make encoder-classifier"):
            classifier.named(["anything"])


class Scripted:
    """Names what it is told to."""

    def __init__(self, none: float, **shares: float) -> None:
        self._named = Named({REFERENCES[name]: share for name, share in shares.items()}, none)

    def load(self) -> None: ...

    def named(self, texts: Sequence[str]) -> list[Named]:
        return [replace(self._named, none=self._named.none + len(text)) for text in texts]

    def behind(self, text: str, said: Sequence[Reference]) -> Behind | None:
        return Behind({}, 0.5, 0.2, 0.3)


def test_both_together_name_what_neither_rules_out() -> None:
    """Protects: each text gets the mean of its own two readings; behind what is said the language model reads alone."""
    both = BothClassifiers(cast(Any, Scripted(-5.0, a=0.64, b=0.36)), cast(Any, Scripted(-1.0, b=0.64, a=0.04)))
    for text, named in zip(("cats", "dogs?"), both.named(["cats", "dogs?"]), strict=True):
        assert max(named.shares, key=named.shares.__getitem__) == REFERENCES["b"]
        assert named.none == len(text) - 3.0
    assert both.behind("cats?", [REFERENCES["a"]]) == Behind({}, 0.5, 0.2, 0.3)
