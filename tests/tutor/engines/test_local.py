"""The own decode loop equals transformers', and reusing a prefix changes no answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from tests.tutor.engines.conftest import Tokenizer, asked, count_passes
from tutor.chat import Tutor
from tutor.engines.attention import LlamaLane
from tutor.engines.base import Branch, ChoosingEngine, Message
from tutor.engines.decoder import Pass
from tutor.engines.local import LocalEngine, Parts
from tutor.engines.tokens import Prompt, encode_chat, encode_prompt, encode_text
from tutor.errors import EngineError


def written(engine: LocalEngine, question: str, tokens: int = 24) -> str:
    """All that the engine writes."""
    return "".join(engine.write(asked(question), max_new_tokens=tokens))


def read(engine: LocalEngine, prompt: Prompt) -> torch.Tensor:
    """The logits after a prompt."""
    return engine._open(prompt, 8, (), lambda logits: logits[-1])[2]


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


def test_what_was_asked_before_begins_without_a_pass(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects: a class that asks the same waits for nobody's passes, and gets the same text, whether one token long or more."""
    before = written(engine, "What is pruning?")
    sizes = count_passes(engine, monkeypatch)
    assert before.startswith(written(engine, "What is pruning?", tokens=1)) and not sizes
    assert written(engine, "What is pruning?") == before and sizes


def test_reusing_a_prefix_gives_close_logits(
    engine: LocalEngine, tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the new tokens are run, and the logits are those of running all."""
    prompt = encode_prompt(tokenizer, asked("And quantization?"))
    whole = tiny_llama(torch.tensor([prompt.tokens])).logits[0, -1]
    read(engine, encode_prompt(tokenizer, asked("What is pruning?")))
    sizes = count_passes(engine, monkeypatch)
    logits = read(engine, prompt)
    assert 0 < sum(sizes) < 20 < len(prompt.tokens)
    assert torch.allclose(logits, whole, atol=1e-4)
    assert torch.equal(read(engine, prompt), logits) and len(sizes) == 1


def noted(question: str, *notes: str) -> list[Message]:
    """A prompt whose notes may be read apart."""
    return [Message("system", "Answer from the notes."), Message("user", f"\nQuestion: {question}", notes)]


def test_notes_are_read_once(engine: LocalEngine, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another question on a known and a new note reads the new note and the question, whatever the order."""
    one, two = "- Pruning removes weights.\n", "- Quantization keeps them.\n"
    read(engine, encode_prompt(tokenizer, noted("Why?", one)))
    sizes = count_passes(engine, monkeypatch)
    prompt = encode_prompt(tokenizer, noted("And how?", two, one))
    read(engine, prompt)
    assert sizes == [len(prompt.notes[0]), len(prompt.tail)]


def test_notes_read_ahead_change_no_answer(
    engine: LocalEngine, tokenizer: Tokenizer, tiny_llama: LlamaForCausalLM
) -> None:
    """Warming is only a head start."""
    notes = ("- Pruning removes weights.\n", "- Quantization keeps them.\n")
    prompt = encode_prompt(tokenizer, noted("Why?", *notes))
    fresh = read(LocalEngine(tiny_llama, tokenizer, "fresh"), prompt)
    for note in notes:
        assert engine.warm(noted("", note))
    assert torch.allclose(read(engine, prompt), fresh, atol=1e-5)


def test_a_model_that_cannot_read_apart_reads_the_notes_in_a_row(
    tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    """For transformers' own forward the notes are text like any other."""
    engine = LocalEngine(tiny_llama, tokenizer, "generic", Parts(own_loop=False))
    prompt = encode_prompt(tokenizer, noted("Why?", "- One.\n", "- Two.\n"))
    whole = tiny_llama(torch.tensor([prompt.tokens])).logits[0, -1]
    assert torch.allclose(read(engine, prompt), whole, atol=1e-4)


def test_drafts_change_no_text(
    tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is guessed, right or wrong, the text is the greedy one; right guesses save passes."""
    plain = LocalEngine(tiny_llama, tokenizer, "plain", Parts(drafts=False))
    expected = written(plain, "Why?", 20)
    ids = torch.tensor([encode_chat(tokenizer, asked("Why?"))])
    tokens = tiny_llama.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24)[
        0, ids.shape[1] :
    ].tolist()
    engine = LocalEngine(tiny_llama, tokenizer, "drafting")
    for wrong in (False, True):

        def guess(prompt: Sequence[int], answer: Sequence[int], wrong: bool = wrong) -> list[int]:
            return [3, 3, 3] if wrong else tokens[len(answer) : len(answer) + 5]

        monkeypatch.setattr("tutor.engines.local.draft", guess)
        sizes = count_passes(engine, monkeypatch)
        assert written(engine, "Why?", 20) == expected
        assert wrong or len(sizes) < 12


def test_learners_at_once_get_what_each_gets_alone(tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    """Eight threads on one engine, one of them stopping early."""
    questions = [f"What is {word}?" for word in ("pruning", "RAG", "LoRA", "RLHF", "a TPU", "top-k", "decode", "SFT")]
    alone = [written(LocalEngine(tiny_llama, tokenizer, "fresh"), question) for question in questions]
    engine = LocalEngine(tiny_llama, tokenizer, "shared")
    texts = [""] * len(questions)

    def learn(i: int) -> None:
        stream = engine.write(asked(questions[i]), max_new_tokens=24)
        if i == 3:
            texts[i] = next(stream)
            stream.close()
        else:
            texts[i] = "".join(stream)

    threads = [threading.Thread(target=learn, args=(i,)) for i in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(text == whole for i, (text, whole) in enumerate(zip(texts, alone, strict=True)) if i != 3)
    assert texts[3] and alone[3].startswith(texts[3])


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
    prompt = encode_prompt(engine.tokenizer, asked("What is quantization?"))
    lane = engine.decoder.lane(len(prompt.tokens))
    fresh = engine.decoder.run([Pass(lane, prompt.tokens, 0)])[0][-1]
    read(engine, encode_prompt(engine.tokenizer, asked("What is pruning?")))
    reused = read(engine, prompt)
    assert int(reused.argmax()) == int(fresh.argmax())
    assert float((reused.softmax(-1) - fresh.softmax(-1)).abs().max()) < 0.05


def test_a_score_is_the_texts_log_probability(
    engine: LocalEngine, tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    """Protects: which rows of the logits belong to which token, for several texts at once."""
    prompt = encode_prompt(tokenizer, asked("What is pruning?")).tokens
    texts = ["It removes weights.", "No."]
    for text, score in zip(texts, engine.score(asked("What is pruning?"), texts), strict=True):
        tokens = encode_text(tokenizer, text)
        with torch.inference_mode():
            likely = tiny_llama(torch.tensor([[*prompt, *tokens]])).logits[0].log_softmax(-1)
        assert score == pytest.approx(
            sum(float(likely[len(prompt) - 1 + i, t]) for i, t in enumerate(tokens)), abs=0.01
        )


def test_all_tensor_work_is_on_one_thread(
    tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects: speed; a copy in a learner's thread brings OpenMP workers that slow every later pass (tutor/compute.py)."""
    engine, threads = LocalEngine(tiny_llama, tokenizer, "tiny"), set[str]()
    for name in ("append", "stretch"):
        plain = getattr(LlamaLane, name)

        def noted_down(*args: object, plain: Callable[..., object] = plain) -> object:
            threads.add(threading.current_thread().name)
            return plain(*args)

        monkeypatch.setattr(LlamaLane, name, noted_down)
    list(
        engine.choose(noted("What purrs?", "Cats purr. "), lambda chosen: () if chosen else (Branch("a"), Branch("b")))
    )
    written(engine, "What purrs?")
    engine.score(asked("What purrs?"), ["cats", "dogs"])
    assert len(threads) == 1 and threading.current_thread().name not in threads
