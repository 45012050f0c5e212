"""How much each decoder layer matters: perplexity when that layer alone is changed and all others are original."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demos import words
from demos.base import Param
from demos.measure import Pairs, Span, Steps, read_text

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear
    from transformers import PreTrainedModel

TOKENS = 192  # of the evaluation text; thirty layers each read them, so more would take too long


SENSITIVITY = Param(
    "sensitivity",
    "no",
    "also change one decoder layer at a time",
    choices=("no", "yes"),
    spoken=(
        (
            r"\b(?:without|w/o|no|not|drop|skip|omit|forget|leave out|stop|minus) (?:the |that |any )?(?:layer[- ]by[- ]layer|per[- ](?:(?:decoder|transformer)[- ])?layer|sensitivity|one[- ](?:layer )?at[- ]a[- ]time)\b",
            "no",
        ),
        (
            r"\blayer[- ]by[- ]layer\b|\b(?:(?:per|each|every)[- ](?:(?:decoder|transformer)[- ])?|one[- ])layer\b(?! (?:type|kind|sort)s?\b)|\bsensitiv\w+"
            r"|\bwhich (?:\w+ )?layers?\b|\bone (?:layer )?at a time\b|\bwhich of the (?:\w+ )?layers\b|\bone (?:\w+ )?layer at a time\b|\beach (?:\w+ )?layer by itself\b",
            "yes",
        ),
    ),
    loose=(
        (
            r"\blayers?\b[^.;]{0,25}\b(?:one after (?:the other|another)|one by one|on its own|in turn|separately|individually)\b",
            "yes",
        ),
    ),
)


@dataclass(frozen=True)
class Sensitivity:
    """Perplexity with no layer changed (`reference`) and with one changed, by layer, on `tokens` tokens."""

    reference: float
    alone: tuple[float, ...]
    tokens: int

    def most(self) -> int:
        """The layer, counted from 1, whose change hurts most."""
        return self.alone.index(max(self.alone)) + 1

    def metrics(self) -> dict[str, float]:
        """The perplexities as a run's metrics, with the layer that hurts most."""
        named = {f"perplexity_layer_{i}": value for i, value in enumerate(self.alone, 1)}
        return {"most_sensitive_layer": self.most(), "perplexity_no_layer": self.reference, **named}

    def alt(self) -> str:
        """The figure's part on layers, in words."""
        shown = ", ".join(f"{words.number(value)} for layer {i}" for i, value in enumerate(self.alone, 1))
        return f" Last: perplexity with one layer changed, {words.number(self.reference)} with none: {shown}."

    def sentence(self) -> str:
        """What the layers say, with a judgement that depends on the measured ratios."""
        most, ratios = self.most(), sorted(value / self.reference for value in self.alone)
        worst, middle = ratios[-1], ratios[len(ratios) // 2]
        opening = (
            f"Changed one at a time, layer {most} of {len(self.alone)} hurts most: perplexity on {self.tokens} tokens "
            f"goes from {words.number(self.reference)} to {words.number(self.alone[most - 1])}"
        )
        if worst < 1.02:
            return f"{opening}, so no single layer matters much by itself."
        if worst - 1 > 4 * max(0.005, middle - 1):
            return f"{opening}, while the layer in the middle of the ranking changes it by {middle - 1:+.1%}: some layers are far more sensitive than others."
        return f"{opening}, and the layer in the middle of the ranking changes it by {middle - 1:+.1%}: the layers are about equally sensitive."


def change_one_layer_at_a_time(
    model: PreTrainedModel, pairs: Pairs, apply: Callable[[Linear, Linear], float], window: Tensor, span: Span
) -> Steps[Sensitivity]:
    """Change each layer of `model` by `apply(source, target)`, read the window's first tokens, and change it back.

    `model` must hold the original weights and is left with them.
    """
    window = window[:, :TOKENS]
    first, *spans = span.split(*[1] * (len(pairs) + 1))
    unchanged = yield from read_text(model, [window], first, "Reading a shorter text with the original weights")
    alone: list[float] = []
    for i, layer in enumerate(pairs):
        for _, source, target in layer:
            apply(source, target)
        note = f"Reading it with only layer {i + 1} of {len(pairs)} changed"
        reading = yield from read_text(model, [window], spans[i], note)
        alone.append(reading.perplexity)
        for _, source, target in layer:
            target.weight.data.copy_(source.weight.detach())
    return Sensitivity(unchanged.perplexity, tuple(alone), window.shape[1])
