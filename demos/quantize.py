"""Post-training quantization: round the weights of the linear layers to 2-8 bits, and measure what that costs.

Round-to-nearest without calibration data: the plainest member of the family that GPTQ and AWQ refine. The rounded
weights are expanded to the model's own type to be measured, so that perplexity and answers need no special kernel;
speed is measured with a kernel that reads the packed codes, where PyTorch has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from demos import charts, kernels, measure, words
from demos.base import Demo, DemoResult, Lab, Param, Prediction, Progress
from demos.compare import Change, compare
from demos.levels import COUNT, SAID_BITS, TO, UNTIL_IT_BREAKS, Levels, beside, read_levels, several
from demos.quantize_words import FEWER_BITS, FEWER_WEIGHTS, NOTHING, rows_of, summary_of, what_makes_it_smaller
from demos.rounding import Rounded, round_weight
from demos.sensitivity import SENSITIVITY

if TYPE_CHECKING:
    from torch.nn import Linear

CURVE = (2, 3, 4, 8)


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    bits, group = int(settings["bits"]), int(settings["group-size"])
    compared = tuple(int(level) for level in read_levels(settings["compare"]) if level != bits)
    kernel = _kernel(bits, group)

    def apply(source: Linear, target: Linear, level: int) -> float:
        rounded = round_weight(source.weight, level, group)
        target.weight.data.copy_(rounded.values())
        return rounded.stored_bits()

    def shrink(source: Linear, target: Linear) -> None:
        if kernel is not None and kernels.can_run(source, kernel):
            kernel(target, round_weight(source.weight, bits, group))

    outcome = yield from compare(
        lab,
        Change(
            name=f"the {bits}-bit model",
            doing="Rounding the weights",
            worded=lambda level: f"{level} bits",
            level=bits,
            other_levels=() if compared else tuple(level for level in CURVE if level != bits),
            apply=apply,
            shrink=shrink,
            beside=compared,
        ),
        str(settings["layers"]),
        settings["sensitivity"] == "yes",
    )
    sources = [source for layer in outcome.pairs for _, source, _ in layer]
    middle = outcome.pairs[len(outcome.pairs) // 2][0][1]
    metrics = outcome.metrics | {
        "weights": sum(target.weight.numel() for layer in outcome.pairs for _, _, target in layer),
        "weights_reference": sum(source.weight.numel() for source in sources),
    }
    for level, cost in outcome.beside.items():
        metrics |= cost.metrics(f"{level}_bits")
    packed = kernel is not None and all(kernels.can_run(source, kernel) for source in sources)
    yield DemoResult(
        summary=summary_of(outcome, bits, group, packed, settings["layers"]),
        table=words.compare_table(
            f"Rounded to {bits} bits",
            metrics,
            rows_of(outcome, metrics),
            {f"{level} bits": cost.shown() for level, cost in outcome.beside.items()},
        ),
        metrics=metrics,
        figure=charts.rounding_chart(middle.weight.detach(), round_weight(middle.weight, bits, group), outcome),
        figure_alt=f"Top: before rounding, one layer's weights form a hill; after it they stand on the {2**bits} steps "
        f"of {bits} bits. Below: perplexity {words.number(metrics['perplexity_reference'])} at 16 bits, "
        + ", ".join(f"{words.number(outcome.curve[b])} at {b}" for b in sorted(outcome.curve, reverse=True))
        + "."
        + (outcome.sensitivity.alt() if outcome.sensitivity else ""),
        exhibits=outcome.exhibits,
    )


def _kernel(bits: int, group: int) -> Callable[[Linear, Rounded], None] | None:
    """PyTorch has CPU kernels for 4-bit codes in groups and 8-bit codes by channel; narrower codes fit in them, too."""
    if bits <= 4:
        return kernels.run_int4
    return kernels.run_int8 if group == 0 else None


BITS = Param(
    "bits",
    4,
    "bits a weight",
    2,
    8,
    spoken=SAID_BITS,
    loose=(r"\b(?:to|at|with|in|only|just|use|try) ([2-8])\b(?!\s*(?:[%:.]\d|%|[^\W\d_]))",),
)


QUANTIZE = Demo(
    name="quantize",
    title="Round the weights to fewer bits",
    concepts=("pruning-vs-quantization", "ptq-vs-qat", "perplexity-vs-benchmarks"),
    because={
        "quality": ("ptq-vs-qat#why-practising-with-rounded-weights-helps", 0),
        "size": ("pruning-vs-quantization#what-quantization-is", 0),
        "speed": ("pruning-vs-quantization#fewer-bits-are-not-always-faster", 0),
        "bigger": ("ptq-vs-qat#why-small-models-lose-more-at-4-bits", 1),
    },
    params=(
        BITS,
        Param(
            "group-size",
            64,
            "neighbouring weights that share a scale; 0: a whole row",
            choices=(0, 32, 64, 128),
            spoken=(
                rf"\b(?:groups?|blocks?)(?:[- ]size)?{TO}(\d+)\b(?! (?:or|and) \d+[- ]?bits?\b|[- ]?bits?\b(?!\s*[=:]?\s*\d))",
                r"\b(\d+)(?: weights)? (?:per|a|to a|in (?:a|one|each|every)) (?:group|block|scale)\b|\b(\d+)-weight (?:groups|blocks)\b",
                r"\b(?:small|larg|bigg?)(?:er|est) groups?[,:]? (\d+)\b",
                r"\b(\d+) weights (?:sharing|share|per|to|for|with|get|have) (?:a|one|each|every|the same) scale\b",
                r"\bevery (\d+) neighbou?ring weights\b",
                r"\bscales? (?:for|per|to|over|between|among|every)(?: (?:each|every|all))? (\d+)\b",
                (
                    r"\bscale (?:for|per) (?:a|each|the|every) (?:whole |entire )?row\b|\b(?:each|every) row (?:\w+ )?(?:a|one|its own) scale\b",
                    0,
                ),
                (
                    r"\b(?:whole|entire|full) row (?:per|a|to a|with one|(?:has to |must |to )?shar(?:es?|ing) (?:a|one|the same)) scale\b",
                    0,
                ),
                (r"\bper[- ](?:output[- ])?(?:channel|row)\b|\b(?:no|without) groups\b", 0),
            ),
            loose=(
                r"\bgs? ?=? ?(32|64|128)\b",
                r"\b(0|32|64|128) (?:\w+ ){0,2}?(?:per|to|for|share|sharing|under|with|behind|on) (?:(?:a|one|the|each|every|same|single|common) )*(?:scale|group|block|step size)s?\b",
                r"\b(?:scale|group|block)s?\b[^.;\d]{0,30}(?<![\d.])(0|32|64|128)\b(?!\.\d)|\b(32|64|128) (?:each|apiece)\b",
                (r"\b(?:whole|entire|full|complete|each|every|per|by) rows?\b|\brow[- ](?:wise|by[- ]row)\b", 0),
            ),
        ),
        measure.LAYERS,
        Levels(
            "compare",
            "",
            "further bits a weight, to be measured beside",
            spoken=(
                several("bits?"),
                r"\b(int\d(?:(?:,? (?:and |or |then |vs\.? |versus |against )?)int\d)+)\b",
                r"\bbits *[=:] *(\d(?:,? and \d|, ?\d)+)",
            ),
            loose=(
                rf"\b((?:[2-8]|{COUNT})[- ]?bits?(?:(?:,| then| next to| versus| vs\.?| against| and| or| finally| plus| live| compare(?: (?:it|that|this|them))?(?: with| to)?)+ (?:[2-8]|{COUNT})(?:[- ]?bits?)?\b(?! ?[%:]))+)",
                beside(rf"(?:[2-8]|{COUNT})(?:[- ]?bits?)?"),
                r"(?<![\w.])([2-8](?: (?:vs\.?|versus|against) [2-8])+)(?![\w%]|\.\d)",
                (UNTIL_IT_BREAKS, "8,4,3,2"),
            ),
            of=BITS,
        ),
        SENSITIVITY,
    ),
    run=run,
    prediction=Prediction(
        question="What will make the rounded model smaller?",
        choices=(FEWER_WEIGHTS, FEWER_BITS, NOTHING),
        outcome=what_makes_it_smaller,
        gaps={FEWER_WEIGHTS: "pruning-vs-quantization#quantization-does-not-remove-weights"},
    ),
    words=rf"\bquanti[sz]\w*|\bptq\b|\bint\d\b|\b(?:\d|{COUNT})[- ]?bits?\b|\bround\w* (?:(?:the|its|an?|some|your|all|\w+['’]s?|model) ){{0,3}}weights\b|\bweights (?:(?:get|being|are|be) )?(?:rounded|quanti[sz]ed)\b",
    verbs=r"quanti[sz]e\b|(?:round|shrink) (?:the |its )?weights\b",
    say="compare 8, 4 and 2 bits",
)
