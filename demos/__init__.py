"""The experiments. A new one is a module here and a line in DEMOS."""

from demos.base import Demo
from demos.few_shot import FEW_SHOT
from demos.prune import PRUNE
from demos.quantize import QUANTIZE
from tutor.errors import DemoError

DEMOS: tuple[Demo, ...] = (QUANTIZE, PRUNE, FEW_SHOT)


def find_demo(name: str) -> Demo:
    """The experiment of that name; raises DemoError that lists the names."""
    found = next((demo for demo in DEMOS if demo.name == name), None)
    if found is None:
        raise DemoError(f"There is no experiment {name!r}; choose one of {', '.join(demo.name for demo in DEMOS)}.")
    return found
