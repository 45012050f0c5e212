"""Distillation (Hinton et al. 2015, arXiv:1503.02531): a student learns a teacher's whole probabilities for each next letter; beside it one learns the letters alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demos.finetuning import Rates
from demos.measure import Span, Steps

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module

_AT_ONCE, _BATCH = 60, 24


def read_by_teacher(teacher: Module, windows: Tensor, span: Span, note: str) -> Steps[Tensor]:
    """The teacher's probabilities [windows, WINDOW, letters] for each letter after those before it."""
    import torch

    found: list[Tensor] = []
    parts = windows.split(_AT_ONCE)
    for i, part in enumerate(parts):
        yield span.step(i, len(parts), note)
        with torch.no_grad():
            found.append(teacher(part[:, :-1]).softmax(-1))
    return torch.cat(found)


def teach_student(
    student: Module,
    windows: Tensor,
    targets: Tensor | None,
    source: Generator,
    rates: Rates,
    steps: int,
    span: Span,
    note: str,
) -> Steps[None]:
    """Train it on the `targets`, the teacher's probabilities for the windows, or without them on the letters that came."""
    import torch
    from torch.nn.functional import nll_loss

    optimizer = torch.optim.Adam(student.parameters(), rates.peak)
    for step in range(steps):
        if step % 4 == 0:
            yield span.step(step, steps, note)
        for group in optimizer.param_groups:
            group["lr"] = rates.at(step, steps)
        drawn = torch.randint(0, len(windows), (_BATCH,), generator=source)
        expected = student(windows[drawn, :-1]).log_softmax(-1)
        if targets is None:
            loss = nll_loss(expected.flatten(0, 1), windows[drawn, 1:].flatten())
        else:
            loss = -(targets[drawn] * expected).sum(-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
