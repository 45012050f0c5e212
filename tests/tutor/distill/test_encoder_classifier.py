"""The larger encoder's training: begins with what the encoder knows, learns what it is told, and what is saved is what answers read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from knowledge.passages import Knowledge
from tutor.choosing.encoder_classifier import EncoderClassifier
from tutor.distill.asked import Asked
from tutor.distill.encoder_classifier import Trainee, train
from tutor.engines.large_encoder import LargeEncoder
from tutor.engines.weights import ensure_large_encoder
from tutor.settings import Settings

QUESTIONS = ("What do felines do all day?", "Who guards the yard?", "Which bird repeats words?")


def test_what_it_learns_is_what_answers_read(knowledge: Knowledge, tmp_path: Path) -> None:
    """Protects: outputs begin as the sentences' own vectors; training makes what was told likelier, and the saved change and outputs name the same as the trainee."""
    torch.manual_seed(0)
    folder = ensure_large_encoder(Settings.from_environ({}).cache)
    sentences = [sentence for passage in knowledge.passages for sentence in passage.sentences]
    references = [(passage.id, i) for passage in knowledge.passages for i, _ in enumerate(passage.sentences)]
    trainee = Trainee(folder, sentences)
    own = trainee.logits(trainee.vectors(*trainee.lower(sentences).of(range(len(sentences)))))
    assert own[:, : len(sentences)].argmax(1).tolist() == list(range(len(sentences)))
    assert own.diagonal().tolist() == pytest.approx([20.0] * len(sentences), abs=0.1)

    asked = [Asked(question, ((n,),)) for n, question in enumerate(QUESTIONS)] + [
        Asked("Who won the cup?", ((len(sentences),),))
    ]
    for seed in range(6):
        train(asked, trainee, 30.0, seed)
    trainee.save(tmp_path / "change")
    named = EncoderClassifier(LargeEncoder(lambda: folder, tmp_path / "change"), knowledge.passages).named(
        [one.text for one in asked]
    )
    with torch.no_grad():
        told = trainee.logits(trainee.vectors(*trainee.lower([one.text for one in asked]).of(range(len(asked)))))
    shares = told[:, : len(sentences)].softmax(1)
    for n, one in enumerate(named[:-1]):
        assert max(one.shares.values()) == pytest.approx(float(shares[n].max()), abs=0.03)
        assert int(shares[n].argmax()) == n and one.none < 0
        assert max(one.shares, key=one.shares.__getitem__) == references[n]
    assert named[-1].none > 0
    again = Trainee(folder, sentences, tmp_path / "change")
    with torch.no_grad():
        kept = again.logits(again.vectors(*again.lower([asked[0].text]).of([0])))
    torch.testing.assert_close(kept, told[:1], atol=0.2, rtol=0.01)
