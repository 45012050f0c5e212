"""What the experiments measure, each the same way: perplexity, KL, decode speed, size, and answers to one question.

Everything slow is a generator that yields `Progress` and returns its result, for `result = yield from …`. Inference
mode is entered anew for each forward pass: a generator that is suspended inside it would leave its caller in it, too.
"""

from __future__ import annotations

import math
import re
import statistics
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from demos.base import Param, Progress
from tutor.errors import DemoError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

T = TypeVar("T")
Steps: TypeAlias = Generator[Progress, None, T]
"""A measurement: progress while it runs, its result at the end."""
Pairs: TypeAlias = Sequence[Sequence[tuple[str, "Linear", "Linear"]]]
"""For each decoder layer: a linear layer's name, the layer in the reference, and the layer in the changed model."""

TEXTS = Path(__file__).parent / "texts"
WINDOW = 256  # tokens read at once; shorter windows give less context and so a higher perplexity
ANSWER_TOKENS = 48
_ATTENTION, _MLP = r"att(?:entio)?n", r"(?:mlps?|feed[- ]?forward)"


_LEAVING_OUT = r"(?:skip|spare|ignore|omit|forget|exclude|drop|miss|leave)"
# "Don't skip attention" leaves nothing out.
_KEPT = rf"\b(?:do not|don['’]?t|never) {_LEAVING_OUT} (?:out )?(?:the )?(?:{_ATTENTION}|{_MLP})\b"


def _spared(part: str) -> str:
    """A pattern for words that leave one part of the decoder out, and so mean the other: "leave attention alone"."""
    return (
        rf"\b(?:not(?! only| just)|no|(?<!nothing )except(?: for)?|(?:everything|anything|all) but|spar(?:e|ing)|skip(?:ping)?|ignor(?:e|ing)|without(?: touching)?|(?:do not|don['’]?t) (?!{_LEAVING_OUT}\b)\w+) (?:the )?{part}\b"
        rf"|\bleav(?:e|ing) (?:the )?{part}\b(?: \w+)? (?:alone|out|be|as|untouched|unchanged|in peace)\b|\b{part}\b(?: \w+)? (?:untouched|unchanged|left (?:alone|out|as)|stays?)\b"
    )


LAYERS = Param(
    "layers",
    "all",
    "which linear layers of the decoder to change",
    choices=("all", "attention", "mlp"),
    spoken=(
        (_KEPT, "all"),
        (
            rf"\b(?:all|both) (?:of )?(?:the )?layers\b|\b(?:all|both|each|every) (?:the )?(?:layer (?:types?|kinds?|sorts?)|(?:types?|kinds?|sorts?) of layers?)\b"
            rf"|\b(?:on|across|over|throughout) (?:the )?(?:whole|entire|full) (?:model|network)\b|\b{_ATTENTION} and (?:also )?(?:the )?{_MLP}\b|\b{_MLP} and (?:also )?(?:the )?{_ATTENTION}\b",
            "all",
        ),
        (_spared(_ATTENTION), "mlp"),
        (_spared(_MLP), "attention"),
        (rf"\b{_ATTENTION}\b", "attention"),
        (rf"\b{_MLP}\b", "mlp"),
    ),
    loose=(("\\b(?:everywhere|the lot|all of it|every layer)\\b", "all"),),
)


@dataclass(frozen=True)
class Span:
    """The part of the progress bar, from `start` to `end` (0 to 1), that one measurement fills."""

    start: float
    end: float

    def step(self, done: float, total: float, note: str) -> Progress:
        """The progress when `done` of `total` is measured."""
        return Progress(self.start + (self.end - self.start) * min(done / total, 1.0), note)

    def split(self, *widths: float) -> list[Span]:
        """Spans side by side that fill this one, as wide in proportion as `widths`, of which none is negative."""
        unit = (self.end - self.start) / (sum(widths) or 1.0)
        ends = [self.start + unit * sum(widths[: i + 1]) for i in range(len(widths))]
        return [Span(start, end) for start, end in zip([self.start, *ends], ends, strict=False)]


@dataclass(frozen=True)
class Reading:
    """How well a model predicted a text. `kl` is 0 where there was no reference to compare with.

    `logits` are kept for the reference only: one [T-1, vocabulary] tensor a window.
    """

    perplexity: float
    kl: float
    logits: tuple[Tensor, ...]


def evaluation_windows(tokenizer: PreTrainedTokenizerBase, most: int | None = None) -> list[Tensor]:
    """The committed evaluation text as token ids, in windows of shape [1, T], T ≤ 256; at most `most` windows."""
    import torch

    text = (TEXTS / "evaluation.txt").read_text(encoding="utf-8")
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    return [window for window in ids.split(WINDOW, dim=1) if window.shape[1] > 1][:most]


def token_losses(logits: Tensor, ids: Tensor) -> Tensor:
    """Cross entropy in nats, shape [T-1], of the tokens `ids` [T] after the first, under `logits` [T-1, vocabulary]."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits.float(), ids[1:], reduction="none")


def token_kl(reference: Tensor, changed: Tensor) -> Tensor:
    """KL(reference ‖ changed) in nats, shape [T-1], between next-token distributions given as logits [T-1, vocabulary].

    0 means that both models expect the same; it is in expectation what believing the changed model costs.
    """
    from torch.nn.functional import kl_div

    log_p, log_q = reference.float().log_softmax(-1), changed.float().log_softmax(-1)
    return kl_div(log_q, log_p, reduction="none", log_target=True).sum(-1).clamp_min(0.0)


def read_text(
    model: PreTrainedModel,
    windows: Sequence[Tensor],
    span: Span,
    note: str,
    reference: Reading | None = None,
    keep: bool = False,
) -> Steps[Reading]:
    """Let the model predict each next token of the windows; perplexity is exp(mean loss), as in the GPT-2 paper.

    The windows are read independently, so each window's first token is context only. With `keep` the logits are kept,
    to be the reference of another reading.
    """
    import torch

    losses, divergences, kept = 0.0, 0.0, []
    count = sum(window.shape[1] - 1 for window in windows)
    for i, window in enumerate(windows):
        yield span.step(i, len(windows), note)
        with torch.inference_mode():
            ids = window.to(model.device)
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
        yield span.step(i + 0.7, len(windows), note)
        with torch.inference_mode():
            losses += float(token_losses(logits, ids[0]).double().sum())
            if reference is not None:
                divergences += float(token_kl(reference.logits[i], logits).double().sum())
        if keep:
            kept.append(logits)
    return Reading(math.exp(losses / count), divergences / count, tuple(kept))


def encode_question(tokenizer: PreTrainedTokenizerBase, question: str) -> list[int]:
    """Token ids of a one-turn chat up to where the answer begins."""
    from tutor.engines.base import Message
    from tutor.engines.tokens import encode_chat

    return encode_chat(tokenizer, [Message("user", question)])


def greedy_tokens(model: PreTrainedModel, prompt: Sequence[int], most: int) -> Generator[tuple[int, float], None, None]:
    """Yield the likeliest next token and the seconds that its forward pass took, over and over, with a KV cache.

    The first pass reads the whole prompt (prefill); each later one reads one token (decode).
    """
    import torch

    cache, ids = None, torch.tensor([list(prompt)], device=model.device)
    for _ in range(most):
        with torch.inference_mode():
            began = time.perf_counter()
            output = model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=1)
            ids, cache = output.logits[:, -1].argmax(-1, keepdim=True), output.cache
            token = int(ids)
            took = time.perf_counter() - began
        yield token, took


def decode_speeds(
    models: Mapping[str, PreTrainedModel], prompt: Sequence[int], span: Span, seconds: float = 1.5
) -> Steps[dict[str, float]]:
    """Tokens per second in the decode phase, by the name that the learner reads; at most `seconds` a model.

    Models take turns token by token, so that other work on the machine hits all alike, and of each one's times the
    median of the faster half counts, since such work only ever adds. Prefill and two tokens of warm-up don't count.
    """
    most = 43
    times: dict[str, list[float]] = {name: [] for name in models}
    for turn in zip(*(greedy_tokens(model, prompt, most) for model in models.values()), strict=True):
        done = len(times[next(iter(times))])
        yield span.step(done, most, f"Timing {' and '.join(models)}")
        for taken, (_, took) in zip(times.values(), turn, strict=True):
            taken.append(took)
        if done > 5 and max(sum(taken[3:]) for taken in times.values()) >= seconds:
            break
    return {name: 1.0 / statistics.quantiles(taken[3:], n=4)[0] for name, taken in times.items()}


def greedy_answer(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, question: str, span: Span, note: str
) -> Steps[list[int]]:
    """Answer a chat question greedily in at most 48 tokens; returns their ids without the end-of-turn token."""
    answer: list[int] = []
    for token, _ in greedy_tokens(model, encode_question(tokenizer, question), ANSWER_TOKENS):
        if token == tokenizer.eos_token_id:
            break
        answer.append(token)
        yield span.step(len(answer), ANSWER_TOKENS, note)
    return answer


def compare_answers(
    models: Mapping[str, PreTrainedModel], tokenizer: PreTrainedTokenizerBase, question: str, span: Span
) -> Steps[tuple[dict[str, str], str]]:
    """Ask two models, given by what the learner reads ("the 4-bit model"), the same question.

    Returns the exhibits and one sentence that says at which token the answers first differ.
    """
    answers: dict[str, list[int]] = {}
    for i, (name, model) in enumerate(models.items()):
        width = (span.end - span.start) / len(models)
        part = Span(span.start + i * width, span.start + (i + 1) * width)
        answers[name] = yield from greedy_answer(model, tokenizer, question, part, f"Asking {name} your question")
    exhibits = {"Your question": question}
    for name, answer in answers.items():
        text = str(tokenizer.decode(answer, skip_special_tokens=True)).strip()
        cut = " …" if len(answer) == ANSWER_TOKENS else ""
        exhibits[f"Answer by {name}"] = (text or "(nothing)") + cut
    (first, one), (second, two) = answers.items()
    place = first_difference(one, two)
    if place is None:
        return (
            exhibits,
            f"Asked the last question that you had put, {first} and {second} gave the same {len(one)} tokens.",
        )
    return (
        exhibits,
        f"Asked the last question that you had put, {first} and {second} gave answers that first differ at token {place}.",
    )


def first_difference(one: Sequence[int], two: Sequence[int]) -> int | None:
    """The position, counted from 1, of the first token that differs or that only one has; None where there is none."""
    for i, (a, b) in enumerate(zip(one, two, strict=False)):
        if a != b:
            return i + 1
    return None if len(one) == len(two) else min(len(one), len(two)) + 1


def decoder_linears(model: PreTrainedModel, layers: str) -> list[list[tuple[str, Linear]]]:
    """The linear layers of each decoder layer in order, with their names; `layers` is all, attention or mlp.

    The embedding table and the output head (the same matrix here) are not among them.
    """
    from torch.nn import Linear

    part = {"all": "", "attention": "attn", "mlp": "mlp"}[layers]
    found: dict[int, list[tuple[str, Linear]]] = {}
    for name, module in model.named_modules():
        place = re.search(r"\.(?:layers|h|blocks)\.(\d+)\.", name)
        if place is not None and isinstance(module, Linear) and part in name:
            found.setdefault(int(place[1]), []).append((name, module))
    if not found:
        raise DemoError(f"This model has no linear layers to change under layers={layers}; try another TUTOR_MODEL.")
    return [found[i] for i in sorted(found)]


def pair_linears(reference: PreTrainedModel, changed: PreTrainedModel, layers: str) -> Pairs:
    """The same linear layers of two models of one shape, side by side; `layers` as in `decoder_linears`."""
    both = zip(decoder_linears(reference, layers), decoder_linears(changed, layers), strict=True)
    return [[(name, a, b) for (name, a), (_, b) in zip(one, two, strict=True)] for one, two in both]


def size_mb(model: PreTrainedModel, stored_bits: Mapping[str, float] | None = None) -> float:
    """Size in MB (10^6 bytes) when stored: `stored_bits` has the total bits of a module's weight by the module's name.

    Every other parameter takes 16 bits. A matrix shared by embedding and output head counts once.
    """
    stored = dict(stored_bits or {})
    bits = sum(stored.pop(name.removesuffix(".weight"), p.numel() * 16.0) for name, p in model.named_parameters())
    if stored:
        raise ValueError(f"stored_bits must name modules of the model with a weight; got {sorted(stored)!r}")
    return bits / 8e6
