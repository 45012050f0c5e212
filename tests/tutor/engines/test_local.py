"""The own decode loop equals transformers', and reusing a prefix changes no answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from tests.tutor.engines.conftest import Tokenizer
from tutor.chat import Tutor
from tutor.engines.base import Branch, ChoosingEngine, Message
from tutor.engines.local import LocalEngine
from tutor.engines.tokens import encode_chat, encode_text
from tutor.errors import EngineError

NOTES = "Pruning removes weights. Quantization rounds them to fewer bits, and keeps every one of them."


def asked(question: str) -> list[Message]:
    """A prompt with notes and a question."""
    return [Message("system", "Answer from the notes."), Message("user", f"{NOTES}\n\nQuestion: {question}")]


def written(engine: LocalEngine, question: str, tokens: int = 24) -> str:
    """All that the engine writes."""
    return "".join(engine.write(asked(question), max_new_tokens=tokens))


def count_passes(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list of the number of tokens that each forward pass was given."""
    sizes: list[int] = []
    advance = engine._advance

    def counted(prefix: Any, tokens: list[int]) -> torch.Tensor:
        sizes.append(len(tokens))
        return advance(prefix, tokens)

    monkeypatch.setattr(engine, "_advance", counted)
    return sizes


def test_it_can_choose(engine: LocalEngine) -> None:
    """The chat turn recognises the local engine as one that chooses."""
    assert isinstance(engine, ChoosingEngine)


@pytest.mark.parametrize("question", ["What is pruning?", "Why?", "汉字 🙂"])
def test_writing_equals_transformers(
    engine: LocalEngine, tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer, question: str
) -> None:
    """Greedy text is what `generate` gives for the same tokens, in fp32."""
    prompt = torch.tensor([encode_chat(tokenizer, asked(question))])
    reference = tiny_llama.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=24)
    expected = tokenizer.decode(reference[0, prompt.shape[1] :], skip_special_tokens=True)
    # What ends in half a character stays unsaid.
    assert expected.rstrip("\ufffd").startswith(written(engine, question).rstrip("\ufffd"))
    assert len(written(engine, question)) >= len(expected.rstrip("\ufffd")) - 4 and expected.strip()


def test_reusing_a_prefix_gives_the_same_text(engine: LocalEngine, tiny_llama: LlamaForCausalLM) -> None:
    """A question after others with the same notes is answered as if it were the first."""
    fresh = LocalEngine(tiny_llama, engine.tokenizer, "fresh")
    alone = written(fresh, "And quantization?")
    written(engine, "What is pruning?")
    assert written(engine, "And quantization?") == alone
    assert written(engine, "And quantization?") == alone


def test_reusing_a_prefix_gives_close_logits(
    engine: LocalEngine, tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the new tokens are run, and the logits are those of running all."""
    prompt = encode_chat(tokenizer, asked("And quantization?"))
    whole = tiny_llama(torch.tensor([prompt])).logits[0, -1]
    engine._prefill(encode_chat(tokenizer, asked("What is pruning?")))
    sizes = count_passes(engine, monkeypatch)
    prefix, logits = engine._prefill(prompt)
    assert 0 < sum(sizes) < 20 < len(prompt) == len(prefix.tokens) == prefix.cache.get_seq_length()
    assert torch.allclose(logits, whole, atol=1e-4)
    again, same = engine._prefill(prompt)
    assert len(sizes) == 1 and torch.equal(same, logits) and again.cache.get_seq_length() == len(prompt)


def test_two_answers_at_once_do_not_meet(engine: LocalEngine, tiny_llama: LlamaForCausalLM) -> None:
    """Two generators drawn from in turn give what each gives alone."""
    questions = ("What is pruning?", "What is quantization?")
    alone = [written(LocalEngine(tiny_llama, engine.tokenizer, "fresh"), question) for question in questions]
    streams = [engine.write(asked(question), max_new_tokens=24) for question in questions]
    texts = ["", ""]
    for _ in range(30):
        for i, stream in enumerate(streams):
            texts[i] += next(stream, "")
    assert texts == alone


def test_closing_stops_the_passes(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """After close no further forward pass runs."""
    sizes = count_passes(engine, monkeypatch)
    stream = engine.write(asked("Why?"), max_new_tokens=50)
    next(stream)
    stream.close()
    assert len(sizes) <= 3


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
    """A large bias lets any branch win."""
    for favourite in range(3):
        branches = [Branch(word, i, 100.0 * (i == favourite)) for i, word in enumerate(("Alpha", "Beta", "Gamma"))]
        assert next(iter(engine.choose(asked("Why?"), lambda taken, b=branches: b))).key == favourite


def test_a_branch_that_begins_another_can_win(engine: LocalEngine) -> None:
    """The shorter of two texts is a choice as well."""
    branches = [Branch("Yes", 0, 1000.0), Branch("Yes indeed", 1)]
    assert next(iter(engine.choose(asked("Why?"), lambda taken: branches))).key == 0


def test_an_empty_grammar_reads_nothing(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is allowed, the model does not run."""
    sizes = count_passes(engine, monkeypatch)
    assert list(engine.choose(asked("Why?"), lambda taken: ())) == [] and sizes == []


def test_a_prompt_beyond_the_context_is_an_error_with_a_next_step(engine: LocalEngine) -> None:
    """Too long a prompt is refused before any work, naming what to do."""
    with pytest.raises(EngineError, match="shorter question"):
        next(engine.write([Message("user", "word " * 5000)], max_new_tokens=10))


def test_count_is_the_tokenizers(engine: LocalEngine, tokenizer: Tokenizer) -> None:
    """Tokens are counted as the model reads them, markers as plain text."""
    assert engine.count("<|im_end|>") == len(encode_text(tokenizer, "<|im_end|>")) > 1


@pytest.mark.parametrize("config", [None, "{", '{"model_type": "nonsense"}'])
def test_a_folder_that_is_no_model_is_an_error_with_a_next_step(tmp_path: Path, config: str | None) -> None:
    """A wrong TUTOR_MODEL gives one EngineError that names the setting."""
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(EngineError, match="TUTOR_MODEL"):
        LocalEngine.load(tmp_path)


def test_the_embedded_model_reuses_without_a_difference(real_tutor: Tutor) -> None:
    """With the real weights a reused prefix gives logits close to a fresh run's, and the same first choice."""
    engine = real_tutor.engine
    assert isinstance(engine, LocalEngine)
    prompt = encode_chat(engine.tokenizer, asked("What is quantization?"))
    fresh = LocalEngine(engine.model, engine.tokenizer, "fresh")._prefill(prompt)[1]
    engine._prefill(encode_chat(engine.tokenizer, asked("What is pruning?")))
    reused = engine._prefill(prompt)[1]
    assert int(reused.argmax()) == int(fresh.argmax())
    assert float((reused.softmax(-1) - fresh.softmax(-1)).abs().max()) < 0.05
