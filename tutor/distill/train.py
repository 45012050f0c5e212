"""LoRA on the embedded base model: learn to choose, order and end like the teacher (`make distill`).

Hu et al. 2021 (arXiv:2106.09685): the base stays frozen; each linear layer gains B·A of rank r. Loss on answer tokens only. Lessons
are packed by length into batches of a token budget. Seeded; a checkpoint a few minutes apart lets an interrupted run go on.
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
from typing import TYPE_CHECKING, Any

from tutor.distill.examples import HELD_OUT_SETS, Lesson, free_lessons, lessons, load_examples, sets_of
from tutor.engines.adapter import ADAPTER
from tutor.engines.models import fastest_dtype
from tutor.engines.tokens import encode_prompt, encode_text
from tutor.engines.weights import ensure_tutor_model
from tutor.open import open_search
from tutor.settings import Settings

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Training settings; what was used is written to the training card."""

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 1e-3
    epochs: float = 1.0
    tokens_a_step: int = 2_000
    warmup: float = 0.05
    seed: int = 0
    validation: int = 40
    most: int = 3_200
    free: bool = False


@dataclass(frozen=True)
class Sample:
    """Token ids of prompt and answer; loss counts from `start` on.

    `positions` are rotary ones, and `owners` tell which note a token belongs to (-1: none): a note's tokens see what comes before
    the notes and their own note only, as tutor/engines/local.py reads them.
    """

    ids: tuple[int, ...]
    start: int
    positions: tuple[int, ...]
    owners: tuple[int, ...]


def train(recipe: Recipe, folder: Path, settings: Settings) -> dict[str, Any]:
    """Train, save the adapter into `folder`, and return the training card."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    random.seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    base = ensure_tutor_model(settings.cache, adapter=None)
    tokenizer = AutoTokenizer.from_pretrained(base)
    base_model = AutoModelForCausalLM.from_pretrained(base, dtype=fastest_dtype())
    linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, target_modules=linear, lora_dropout=0.0, task_type="CAUSAL_LM"
    )
    model: Any = get_peft_model(base_model, config, autocast_adapter_dtype=False)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    # Master copies in fp32: bf16 alone would round the small updates away.
    masters = [parameter.detach().float().clone().requires_grad_() for parameter in trainable]
    optimizer = torch.optim.AdamW(masters, lr=recipe.learning_rate, weight_decay=0.0)

    search = open_search(settings)
    taught = free_lessons if recipe.free else lessons
    examples = [e for e in load_examples(search.knowledge) if not sets_of(e) & HELD_OUT_SETS]
    if len(examples) > recipe.most and not recipe.free:
        # All that the teacher wrote would take most of a day; retrieval and votes (tutor/choosing/taught.py) use the rest.
        examples = random.Random(recipe.seed).sample(examples, recipe.most)
    samples = [_sample(tokenizer, lesson) for lesson in taught(examples, search, recipe.seed)]
    random.Random(recipe.seed).shuffle(samples)
    held, samples = samples[: recipe.validation], samples[recipe.validation :]
    batches = [
        batch
        for epoch in range(math.ceil(recipe.epochs))
        for batch in _batches(samples, recipe.tokens_a_step, recipe.seed + epoch)
    ]
    batches = batches[: round(len(batches) * recipe.epochs / math.ceil(recipe.epochs))]
    checkpoint = folder / "checkpoint.pt"
    folder.mkdir(parents=True, exist_ok=True)
    first, spent, history = 0, 0.0, []
    if checkpoint.is_file():
        saved = torch.load(checkpoint)
        if saved["recipe"] == asdict(recipe) and saved["batches"] == len(batches):
            first, spent, history = saved["step"], saved["spent"], saved["history"]
            optimizer.load_state_dict(saved["optimizer"])
            for master, value in zip(masters, saved["masters"], strict=True):
                master.data.copy_(value)
            log.info("going on at step %d of %d", first, len(batches))
    _publish(masters, trainable)
    started, last_save, before = time.monotonic() - spent, time.monotonic(), _validate(model, held)
    log.info("%d samples, %d steps; validation loss before: %.4f", len(samples), len(batches), before)
    for step in range(first, len(batches)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, len(batches), recipe.warmup)
        loss = _loss(model, batches[step])
        loss.backward()
        for master, parameter in zip(masters, trainable, strict=True):
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        torch.nn.utils.clip_grad_norm_(masters, 1.0)
        optimizer.step()
        _publish(masters, trainable)
        history.append(round(float(loss.detach()), 4))
        if step % 10 == 9:
            took = time.monotonic() - started
            tokens = sum(len(sample.ids) for batch in batches[first : step + 1] for sample in batch)
            log.info(
                "step %d of %d, loss %.4f, %.0f s, %.0f tokens/s",
                step + 1,
                len(batches),
                sum(history[-10:]) / 10,
                took,
                tokens / max(took - spent, 1),
            )
        if time.monotonic() - last_save > 180:
            state = {
                "recipe": asdict(recipe),
                "batches": len(batches),
                "step": step + 1,
                "spent": time.monotonic() - started,
                "history": history,
            }
            torch.save(
                {**state, "optimizer": optimizer.state_dict(), "masters": [master.detach() for master in masters]},
                checkpoint,
            )
            last_save = time.monotonic()
    for parameter in trainable:  # as it is saved
        parameter.data.copy_(parameter.data.bfloat16())
    after = _validate(model, held)
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    checkpoint.unlink(missing_ok=True)
    card = {
        "base": base.name,
        "recipe": asdict(recipe),
        "examples": len(samples),
        "validation_examples": len(held),
        "held_out_sets": sorted(HELD_OUT_SETS),
        "tokens": sum(len(sample.ids) for batch in batches for sample in batch),
        "steps": len(batches),
        "validation_loss_before": round(before, 4),
        "validation_loss_after": round(after, 4),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
        "loss_every_10_steps": [
            round(sum(history[i : i + 10]) / len(history[i : i + 10]), 4) for i in range(0, len(history), 10)
        ],
    }
    (folder / "training-card.json").write_text(json.dumps(card, indent=1) + "\n")
    return card


def _sample(tokenizer: Any, lesson: Lesson) -> Sample:
    prompt = encode_prompt(tokenizer, lesson.messages)
    answer = [*encode_text(tokenizer, lesson.target), tokenizer.eos_token_id]
    ids = (*prompt.tokens, *answer)
    before = len(prompt.head)
    positions = [*range(before), *(before + i for note in prompt.notes for i in range(len(note)))]
    positions += range(prompt.tail_position, prompt.tail_position + len(ids) - len(positions))
    owners = [-1] * before + [n for n, note in enumerate(prompt.notes) for _ in note]
    owners += [-1] * (len(ids) - len(owners))
    return Sample(ids, len(prompt.tokens), tuple(positions), tuple(owners))


def _batches(samples: Sequence[Sample], budget: int, seed: int) -> Iterator[list[Sample]]:
    """Batches of samples of like length whose padded size stays within the token budget, in random order."""
    rng = random.Random(seed)
    order = sorted(samples, key=lambda sample: len(sample.ids) + rng.uniform(0, 40))
    batches: list[list[Sample]] = [[]]
    for sample in order:
        if batches[-1] and (len(batches[-1]) + 1) * max(len(sample.ids), *(len(s.ids) for s in batches[-1])) > budget:
            batches.append([])
        batches[-1].append(sample)
    rng.shuffle(batches)
    return iter(batches)


def _loss(model: Any, batch: Sequence[Sample]) -> torch.Tensor:
    """Mean cross-entropy of the answer tokens. The head runs on these positions only: it is a fifth of the model."""
    import torch

    longest = max(len(sample.ids) for sample in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    positions = torch.zeros(len(batch), longest, dtype=torch.long)
    owners = torch.full((len(batch), longest), -1)
    wanted = torch.zeros(len(batch), longest, dtype=torch.bool)
    for row, sample in enumerate(batch):
        ids[row, : len(sample.ids)] = torch.tensor(sample.ids)
        positions[row, : len(sample.ids)] = torch.tensor(sample.positions)
        owners[row, : len(sample.ids)] = torch.tensor(sample.owners)
        wanted[row, sample.start - 1 : len(sample.ids) - 1] = True
    # Causal, but no note sees another one. Padding stands last, where no real token sees it.
    seen = (owners[:, None, :] == -1) | (owners[:, :, None] == -1) | (owners[:, None, :] == owners[:, :, None])
    mask = (seen & torch.ones(longest, longest, dtype=torch.bool).tril())[:, None]
    inner = model.get_base_model()
    hidden = inner.model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).last_hidden_state
    logits = inner.lm_head(hidden[wanted]).float()
    return torch.nn.functional.cross_entropy(logits, ids.roll(-1, dims=1)[wanted])


def _validate(model: Any, held: Sequence[Sample]) -> float:
    import torch

    with torch.no_grad():
        losses = [float(_loss(model, held[i : i + 4])) for i in range(0, len(held), 4)]
    return sum(losses) / max(1, len(losses))


def _publish(masters: Sequence[torch.Tensor], parameters: Sequence[torch.Tensor]) -> None:
    for master, parameter in zip(masters, parameters, strict=True):
        parameter.data.copy_(master.data)


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up, then a cosine to zero."""
    ramp = max(1, round(warmup * steps))
    return (step + 1) / ramp if step < ramp else 0.5 * (1 + math.cos(math.pi * (step - ramp) / max(1, steps - ramp)))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ADAPTER)
    parser.add_argument("--epochs", type=float, default=Recipe.epochs)
    parser.add_argument(
        "--free", action="store_true", help="free wordings instead of the notes' own, for the comparison"
    )
    parsed = parser.parse_args()
    card = train(Recipe(epochs=parsed.epochs, free=parsed.free), parsed.out, Settings.from_environ())
    log.info("%s", json.dumps({key: value for key, value in card.items() if key != "loss_every_10_steps"}, indent=1))


if __name__ == "__main__":
    main()
