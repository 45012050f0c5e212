"""What one learner's text takes: no more than its room, at nobody else's cost, and nothing once it is over."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from tests.tutor.engines.conftest import Tokenizer
from tests.waiting import SECONDS
from tutor.engines import local
from tutor.engines.attention import LlamaLane
from tutor.engines.base import Branch, Message
from tutor.engines.drafts import LONGEST
from tutor.engines.local import LocalEngine

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

PROMPT = [Message("system", "Answer."), Message("user", "Why?")]
WORDS = ("Yes", "No", "It", "The", "In", "We", "At", "On")
SENTENCES = [f"{word} purrs on the warm cushion by the old stove all day long." for word in WORDS]


def chosen(engine: LocalEngine, texts: Sequence[str]) -> list[str]:
    """The texts in the order in which the model takes them, down to the last two."""

    def grammar(taken: tuple[Branch, ...]) -> list[Branch]:
        left = set(texts) - {branch.text for branch in taken}
        return [Branch(text) for text in texts if text in left] if len(left) > 1 else []

    return [branch.text for branch in engine.choose(PROMPT, grammar)]


def test_an_answer_beyond_its_room_ends_and_spoils_no_other(
    tiny_llama: LlamaForCausalLM, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects: notes with long sentences. The answer ends after those that fit, and who shares its steps gets all of its own."""
    engine = LocalEngine(tiny_llama, tokenizer, "shared")
    whole, short = chosen(engine, SENTENCES), chosen(engine, WORDS)
    monkeypatch.setattr(local, "_CHOICE_ROOM", 3 * engine.count(" " + SENTENCES[0]) - LONGEST)
    results: dict[int, list[str]] = {}
    start = threading.Barrier(4)

    def learn(i: int) -> None:
        start.wait(SECONDS)
        results[i] = chosen(engine, WORDS if i else SENTENCES)

    learners = [threading.Thread(target=learn, args=(i,)) for i in range(4)]
    for learner in learners:
        learner.start()
    for learner in learners:
        learner.join(SECONDS)
    assert len(whole) == len(short) == len(WORDS) - 1
    assert 3 <= len(results[0]) < len(whole) and results[0] == whole[: len(results[0])]
    assert [results[i] for i in (1, 2, 3)] == [short] * 3


def test_a_text_is_fed_no_more_than_it_has_room_for(engine: LocalEngine) -> None:
    """Protects: the step that others are in; and tokens that are taken back leave their room."""
    text = local._Text(engine, local.encode_prompt(engine.tokenizer, PROMPT), 4 - LONGEST)
    text.feed([5, 6, 7], lambda logits: None)
    with pytest.raises(ValueError, match="2 tokens do not fit a text with room for 1"):
        text.feed([8, 9], lambda logits: None)
    text.rewind(1)
    text.feed([8, 9], lambda logits: None)
    assert text.room == 0


@pytest.mark.parametrize(
    "use",
    [
        lambda engine: list(engine.write(PROMPT, max_new_tokens=12)),
        lambda engine: next(engine.write(PROMPT, max_new_tokens=12)),
        lambda engine: chosen(engine, WORDS),
        lambda engine: engine.score(PROMPT, ["cats", "dogs"]),
    ],
    ids=["written", "stopped", "chosen", "scored"],
)
def test_an_answer_leaves_no_memory_behind(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, use: Callable[[LocalEngine], object]
) -> None:
    """Protects: keys and values at full capacity, kept after an answer is over until somebody asks again."""
    lanes: list[weakref.ref[LlamaLane]] = []
    made = engine.decoder.lane

    def noted(capacity: int) -> LlamaLane:
        lane = made(capacity)
        assert isinstance(lane, LlamaLane)
        lanes.append(weakref.ref(lane))
        return lane

    monkeypatch.setattr(engine.decoder, "lane", noted)
    use(engine)
    gc.collect()
    assert lanes and all(lane() is None for lane in lanes)
