"""Train the rater (`make rater`): which sentences of the retrieved notes did the teacher answer with, and was it Yes or No?

Each example's candidates are the sentences of the notes that retrieval returns for it, the hardest negatives there are. Three losses:
each sentence in or out of the answer, the first sentence against all others, and Yes against No on the answer's first sentence.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import platform
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from knowledge.search import Search
from tutor.distill.examples import FOLDER, Example, lessons, load_examples
from tutor.engines.weights import ensure_embedder
from tutor.open import open_search
from tutor.rater import RATER, encode_pairs
from tutor.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Training settings; what was used is written to the training card."""

    rank: int = 32
    alpha: int = 64
    learning_rate: float = 5e-4
    epochs: int = 3
    questions_a_step: int = 8
    negatives: int = 6
    warmup: float = 0.06
    seed: int = 0
    validation: int = 150


@dataclass(frozen=True)
class Case:
    """A question, its candidate sentences, and which of them are the answer; `first` is None where nothing answers."""

    query: str
    sentences: tuple[str, ...]
    answers: frozenset[int]
    neutral: frozenset[int]
    first: int | None
    yes: bool | None


def cases(examples: Sequence[Example], search: Search, also: dict[str, frozenset[str]], seed: int) -> list[Case]:
    """Every example with the notes that retrieval returns for it; `also` are sentences that would fit, too."""
    found = []
    for lesson in lessons(examples, search, seed):
        example = lesson.example
        references = [(hit.passage.id, i) for hit in lesson.hits for i in range(len(hit.passage.sentences))]
        sentences = tuple(sentence for hit in lesson.hits for sentence in hit.passage.sentences)
        answers = frozenset(i for i, reference in enumerate(references) if reference in example.answer)
        extra = also.get(example.id, frozenset())
        neutral = frozenset(i for i, (name, n) in enumerate(references) if f"{name}:{n}" in extra) - answers
        first = references.index(example.answer[0]) if example.answer else None
        yes = None if example.opening is None else example.opening == "yes"
        found.append(Case(example.query, sentences, answers, neutral, first, yes))
    return found


def train(recipe: Recipe, folder: Path, settings: Settings) -> dict[str, Any]:
    """Train, save LoRA weights and heads into `folder`, and return the training card."""
    import torch
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import save_file
    from transformers import AutoModel, AutoTokenizer

    torch.manual_seed(recipe.seed)
    base = ensure_embedder(settings.cache)
    tokenizer = AutoTokenizer.from_pretrained(base)
    plain = AutoModel.from_pretrained(base, add_pooling_layer=False)
    layers = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
    model: Any = get_peft_model(plain, LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, target_modules=layers))
    head = torch.nn.Linear(plain.config.hidden_size, 2)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": trainable}, {"params": head.parameters()}], lr=recipe.learning_rate, weight_decay=0.01
    )
    search = open_search(settings)
    examples = load_examples(search.knowledge)
    every = cases(examples, search, _also(), recipe.seed)
    random.Random(recipe.seed).shuffle(every)
    held, taught = every[: recipe.validation], every[recipe.validation :]
    steps = recipe.epochs * math.ceil(len(taught) / recipe.questions_a_step)
    log.info("%d questions, %d steps; before: %s", len(taught), steps, _validate(model, tokenizer, head, held))
    started, step, history = time.monotonic(), 0, []
    for epoch in range(recipe.epochs):
        model.train()
        for batch in _batches(taught, recipe, epoch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * _schedule(step, steps, recipe.warmup)
            loss = _loss(model, tokenizer, head, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trainable, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            history.append(float(loss.detach()))
            step += 1
            if step % 25 == 0:
                log.info("step %d of %d, loss %.3f, %.0f s", step, steps, sum(history[-25:]) / 25, time.monotonic() - started)
        log.info("epoch %d: %s", epoch + 1, _validate(model, tokenizer, head, held))
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    save_file({"weight": head.weight.detach(), "bias": head.bias.detach()}, folder / "head.safetensors")
    card = {
        "recipe": asdict(recipe),
        "questions": len(taught),
        "steps": steps,
        "validation": _validate(model, tokenizer, head, held),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
    }
    (folder / "training-card.json").write_text(json.dumps(card, indent=1) + "\n")
    return card


def _also() -> dict[str, frozenset[str]]:
    """By example, the sentences that would fit the answer without being needed."""
    rows = [json.loads(line) for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return {row["id"]: frozenset(row.get("also", ())) for row in rows}


def _batches(taught: Sequence[Case], recipe: Recipe, epoch: int) -> Iterator[list[tuple[Case, list[int]]]]:
    """Questions of like length, each with its answers and a few of its other candidates."""
    rng = random.Random(recipe.seed + epoch)
    order = sorted(taught, key=lambda case: len(case.query) + rng.uniform(0, 30))
    groups = [order[i : i + recipe.questions_a_step] for i in range(0, len(order), recipe.questions_a_step)]
    rng.shuffle(groups)
    for group in groups:
        batch = []
        for case in group:
            wrong = [i for i in range(len(case.sentences)) if i not in case.answers | case.neutral]
            batch.append((case, [*sorted(case.answers), *rng.sample(wrong, min(len(wrong), recipe.negatives))]))
        yield batch


def _loss(model: Any, tokenizer: Any, head: Any, batch: Sequence[tuple[Case, list[int]]]) -> Any:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    pairs = [(case.query, case.sentences[i]) for case, chosen in batch for i in chosen]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = encode_pairs(model, tokenizer, pairs)
    logits = head(pooled.float())
    wanted = torch.tensor([float(i in case.answers) for case, chosen in batch for i in chosen])
    loss = binary_cross_entropy_with_logits(logits[:, 0], wanted)
    first, polar, start = [], [], 0
    for case, chosen in batch:
        if case.first is not None:
            place = chosen.index(case.first)
            others = [k for k, i in enumerate(chosen) if i == case.first or i not in case.answers]
            rows = logits[[start + k for k in others], 0]
            first.append(cross_entropy(rows[None], torch.tensor([others.index(place)])))
            if case.yes is not None:
                polar.append(binary_cross_entropy_with_logits(logits[start + place, 1], torch.tensor(float(case.yes))))
        start += len(chosen)
    for part in (first, polar):
        if part:
            loss = loss + torch.stack(part).mean()
    return loss


def _validate(model: Any, tokenizer: Any, head: Any, held: Sequence[Case]) -> dict[str, float]:
    """Shares of held-out questions whose likeliest sentence is in the answer, and whose Yes or No is right."""
    import torch

    model.eval()
    right = asked = polar = polar_asked = 0
    with torch.no_grad():
        for case in held:
            if case.first is None:
                continue
            logits = head(encode_pairs(model, tokenizer, [(case.query, s) for s in case.sentences]))
            best = int(logits[:, 0].argmax())
            asked, right = asked + 1, right + (best in case.answers | case.neutral)
            if case.yes is not None:
                polar_asked, polar = polar_asked + 1, polar + bool((logits[best, 1] > 0) == case.yes)
    return {"likeliest_right": round(right / max(1, asked), 3), "yes_no_right": round(polar / max(1, polar_asked), 3)}


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up, then linear to zero."""
    ramp = max(1, round(warmup * steps))
    return (step + 1) / ramp if step < ramp else (steps - step) / max(1, steps - ramp)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RATER)
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parsed = parser.parse_args()
    log.info("%s", json.dumps(train(Recipe(epochs=parsed.epochs), parsed.out, Settings.from_environ()), indent=1))


if __name__ == "__main__":
    main()
