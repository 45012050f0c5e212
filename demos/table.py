"""`python -m demos.table` writes the README's table of experiments, so that it says what the code does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from demos import DEMOS
from demos.base import Demo, Param
from tutor.errors import TutorError

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- experiments: written by `make readme` -->", "<!-- end of experiments -->"
EXAMPLES: Mapping[str, str] = {
    "quantize": "compare 8, 4 and 2 bits",
    "prune": "prune 70 percent, only the attention layers",
    "few_shot": "run few-shot with 6 examples",
    "sampling": "show me temperature 2 with top-k 50",
    "tokens": 'tokenize "unbelievable"',
    "stages": "run the training stages without mid-training",
    "lora": "fine-tune with LoRA of rank 16",
    "rag": "show me RAG live",
    "policies": "show me GRPO and a teacher, live",
    "hardware": "show me the roofline of this machine",
    "kv_cache": "run it with and without the KV cache",
    "experts": "show me a mixture of 4 experts",
}
"""For each experiment one sentence that starts it; a test sends it through the routing."""


def table_of(demos: Sequence[Demo]) -> str:
    """The Markdown table: one row an experiment."""
    head = ("Experiment", "What it shows", "Sets", "Settings (default)", "Say")
    rows = [head, ("---",) * len(head), *(_row(demo) for demo in demos)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def with_table(readme: str, table: str) -> str:
    """The README with the table between its two markers; raises TutorError without them."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise TutorError(f"The README must hold {BEGIN!r} and, below it, {END!r}.")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _row(demo: Demo) -> tuple[str, ...]:
    if demo.name not in EXAMPLES:
        raise TutorError(f"Give {demo.name} a sentence in EXAMPLES of {__name__}.")
    sets = ", ".join(f"[{concept}](knowledge/concepts/{concept}.md)" for concept in demo.concepts)
    settings = "<br>".join(_setting(param) for param in demo.params)
    return f"`{demo.name}`", demo.title, sets, settings, f"“{EXAMPLES[demo.name]}”"


def _setting(param: Param) -> str:
    default = str(param.default) or "none"
    return f"`--{param.name}` {param.allowed()} ({default})"


def main() -> None:
    readme = README.read_text(encoding="utf-8")
    README.write_text(with_table(readme, table_of(DEMOS)), encoding="utf-8")


if __name__ == "__main__":
    main()
