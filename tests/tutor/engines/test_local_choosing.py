"""A model chooses among given texts: grammar, likelihoods and biases, on a tiny Llama."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from transformers import LlamaForCausalLM

from tests.tutor.engines.conftest import Tokenizer, asked, count_passes
from tutor.engines.base import Branch
from tutor.engines.choosing import DECIDED
from tutor.engines.local import LocalEngine
from tutor.engines.tokens import encode_chat, encode_text


def test_choosing_gives_only_what_is_allowed(engine: LocalEngine) -> None:
    """The grammar sees what was taken, and its branches come back until the end branch."""
    texts = ["Pruning removes weights [1].", "Pruning saves memory [1].", "Nothing else [2]."]
    seen: list[tuple[int, ...]] = []

    def grammar(chosen: tuple[Branch, ...]) -> list[Branch]:
        seen.append(tuple(branch.key for branch in chosen))
        left = [Branch(text, key) for key, text in enumerate(texts) if key not in seen[-1]]
        return [*left, Branch("", 9, -50.0)] if chosen else left

    chosen = list(engine.choose(asked("Why?"), grammar))
    assert sorted(branch.key for branch in chosen) == [0, 1, 2, 9] and chosen[-1].text == ""
    assert seen == [tuple(branch.key for branch in chosen[:n]) for n in range(4)]


def test_choosing_takes_the_likelier_branch(
    engine: LocalEngine, tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    """Where branches part, the token with the larger logit wins, at the first sentence and at the second."""
    words = ("Alpha", "Beta", "Gamma", "Delta")
    ids = encode_chat(tokenizer, asked("Why?"))
    chosen: list[str] = []
    for branch in engine.choose(
        asked("Why?"), lambda taken: [Branch(w, i) for i, w in enumerate(words)] * (len(taken) < 2)
    ):
        lead = " " if chosen else ""
        logits = tiny_llama(torch.tensor([ids])).logits[0, -1]
        first = {word: encode_text(tokenizer, lead + word)[0] for word in words}
        assert len(set(first.values())) == len(words)
        assert branch.text == max(words, key=lambda word: float(logits[first[word]]))
        ids += encode_text(tokenizer, lead + branch.text)
        chosen.append(branch.text)
    assert len(chosen) == 2


def test_bias_decides_against_the_model(engine: LocalEngine) -> None:
    """A bias that makes good what a branch lacks in likelihood lets it win, and one that falls short does not."""
    words = ("Yes", "No", "It", "The", "In", "We", "At", "On")  # a token each
    likely = dict(zip(words, engine.score(asked("Why?"), words), strict=True))
    ranked = sorted(words, key=lambda word: -likely[word])
    better, worse = min(pairwise(ranked), key=lambda pair: likely[pair[0]] - likely[pair[1]])
    gap = likely[better] - likely[worse]
    assert 0 < 1.5 * gap < DECIDED  # else the model would not be asked
    for bias, wins in ((1.5 * gap, worse), (0.5 * gap, better)):
        branches = [Branch(better), Branch(worse, bias=bias)]
        assert next(iter(engine.choose(asked("Why?"), lambda taken, b=branches: b))).text == wins


def test_a_branch_that_begins_another_can_win(engine: LocalEngine) -> None:
    """The shorter of two texts is a choice as well, though the model is asked."""
    branches = [Branch("Yes", 0, DECIDED - 1), Branch("Yes indeed", 1)]
    assert next(iter(engine.choose(asked("Why?"), lambda taken: branches))).key == 0


def test_an_empty_grammar_reads_nothing(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is allowed, the model does not run."""
    sizes = count_passes(engine, monkeypatch)
    assert list(engine.choose(asked("Why?"), lambda taken: ())) == [] and sizes == []
