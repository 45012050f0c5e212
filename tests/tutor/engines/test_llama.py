"""The own forward pass equals transformers', over one lane or several, in order or put together from pieces."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaForCausalLM

from tutor.engines.attention import _Table
from tutor.engines.decoder import Pass
from tutor.engines.generic import GenericDecoder
from tutor.engines.llama import Llama, LlamaDecoder, fits

TOKENS = [5, 9, 2, 7, 7, 1, 30, 12]


def reference(model: LlamaForCausalLM, tokens: list[int]) -> torch.Tensor:
    """transformers' logits of every position."""
    with torch.inference_mode():
        logits: torch.Tensor = model(torch.tensor([tokens])).logits[0]
    return logits


@pytest.fixture(params=["llama", "generic"])
def decoder(request: pytest.FixtureRequest, tiny_llama: LlamaForCausalLM) -> LlamaDecoder | GenericDecoder:
    """Both decoders keep the same promises."""
    return LlamaDecoder(Llama.of(tiny_llama)) if request.param == "llama" else GenericDecoder(tiny_llama)


def test_logits_equal_transformers(decoder: LlamaDecoder, tiny_llama: LlamaForCausalLM) -> None:
    """All kept rows, in one pass and token by token."""
    whole = decoder.run([Pass(decoder.lane(16), TOKENS, 0, keep=len(TOKENS))])[0]
    assert torch.allclose(whole, reference(tiny_llama, TOKENS), atol=1e-3)
    lane = decoder.lane(16)
    rows = [decoder.run([Pass(lane, [token], i)])[0][-1] for i, token in enumerate(TOKENS)]
    assert torch.allclose(torch.stack(rows), whole, atol=1e-3)
    assert lane.length == len(TOKENS)


def test_lanes_run_together_do_not_meet(decoder: LlamaDecoder, tiny_llama: LlamaForCausalLM) -> None:
    """A batch of a prompt, a single token and a pass without logits gives each lane its own."""
    one, two, three = decoder.lane(16), decoder.lane(16), decoder.lane(16)
    decoder.run([Pass(two, [4, 4, 8], 0, keep=0)])
    logits = decoder.run([Pass(one, TOKENS, 0), Pass(two, [6], 3), Pass(three, [1, 2], 0, keep=0)])
    assert torch.allclose(logits[0][-1], reference(tiny_llama, TOKENS)[-1], atol=1e-3)
    assert torch.allclose(logits[1][-1], reference(tiny_llama, [4, 4, 8, 6])[-1], atol=1e-3)
    assert len(logits[2]) == 0 and (one.length, two.length, three.length) == (len(TOKENS), 4, 2)


def test_a_class_attends_as_each_learner_alone(tiny_llama: LlamaForCausalLM) -> None:
    """Lanes of different lengths, in any order, with one new row, two, or a long text's many: each gets its own logits.

    What lanes hold behind their end, whatever it is, reaches nobody.
    """
    decoder = LlamaDecoder(Llama.of(tiny_llama))
    before = [[3, 8, 1, 5, 9], [4], list(range(40, 60)), [], [7, 7, 7], [6, 2]]
    new = [[11], [12, 13], [14], list(range(100, 140)), [15], [16, 17]]
    lanes = [decoder.lane(64) for _ in before]
    for lane, tokens in zip(lanes, before, strict=True):
        lane.data.fill_(float("nan"))
        if tokens:
            decoder.run([Pass(lane, tokens, 0, keep=0)])
    passes = [Pass(lane, n, len(b), keep=len(n)) for lane, b, n in zip(lanes, before, new, strict=True)]
    for rows, b, n in zip(decoder.run(passes), before, new, strict=True):
        assert torch.allclose(rows, reference(tiny_llama, [*b, *n])[len(b) :], atol=1e-3)


def test_a_class_keeps_its_table_whoever_asks_first(
    tiny_llama: LlamaForCausalLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects: speed; all keys and values copied anew at each step because passes arrive in another order or number of rows."""
    decoder = LlamaDecoder(Llama.of(tiny_llama))
    lanes = [decoder.lane(64) for _ in range(3)]
    decoder.run([Pass(lane, [3, 8, 1], 0, keep=0) for lane in lanes])
    monkeypatch.setattr(_Table, "load", lambda *_: pytest.fail("copied anew"))
    for order in ((0, 1, 2), (2, 0, 1), (1, 0, 2)):
        passes = [Pass(lanes[i], [5] * (1 + n), lanes[i].length) for n, i in enumerate(order)]
        assert [len(rows) for rows in decoder.run(passes)] == [1, 1, 1]


def test_stretches_and_rewinding(decoder: LlamaDecoder, tiny_llama: LlamaForCausalLM) -> None:
    """A lane filled from another one's copy goes on as that one would; forgotten tokens leave no trace."""
    lane = decoder.lane(16)
    decoder.run([Pass(lane, TOKENS, 0)])
    copied = decoder.lane(16)
    copied.append(lane.stretch(0, 4))
    decoder.run([Pass(lane, [3, 3], len(TOKENS))])
    lane.rewind(len(TOKENS))
    for one, before in ((copied, TOKENS[:4]), (lane, TOKENS)):
        logits = decoder.run([Pass(one, [11], len(before))])[0][-1]
        assert torch.allclose(logits, reference(tiny_llama, [*before, 11])[-1], atol=1e-3)


def test_texts_read_apart_are_as_under_a_mask(tiny_llama: LlamaForCausalLM) -> None:
    """Two notes read after the head only, side by side at the same positions, equal one pass whose mask parts them."""
    decoder = LlamaDecoder(Llama.of(tiny_llama))
    head, one, two, tail = [1, 2], [3, 4, 5], [6, 7], [8, 9]
    base = decoder.lane(2)
    decoder.run([Pass(base, head, 0, keep=0)])
    whole = decoder.lane(16)
    whole.append(base.stretch(0, 2))
    for note in (one, two):
        lane = decoder.lane(8)
        lane.append(base.stretch(0, 2))
        decoder.run([Pass(lane, note, 2, keep=0)])
        whole.append(lane.stretch(2, lane.length))
    logits = decoder.run([Pass(whole, tail, 5)])[0][-1]
    positions = torch.tensor([[0, 1, 2, 3, 4, 2, 3, 5, 6]])
    mask = torch.ones(9, 9, dtype=torch.bool).tril()
    mask[5:7, 2:5] = False
    with torch.inference_mode():
        expected = tiny_llama(
            torch.tensor([[*head, *one, *two, *tail]]), attention_mask=mask[None, None], position_ids=positions
        ).logits[0, -1]
    assert torch.allclose(logits, expected, atol=1e-3)


def test_other_models_are_left_to_transformers(tiny_llama: LlamaForCausalLM) -> None:
    """A model that the loop does not compute exactly is refused."""
    other = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=16, n_positions=16))
    assert not fits(other) and fits(tiny_llama)
    with pytest.raises(ValueError, match="GPT2"):
        Llama.of(other)
    scaled = copy.deepcopy(tiny_llama)
    scaled.config.rope_parameters = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0}
    assert not fits(scaled)
