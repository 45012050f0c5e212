"""The experiments. A new one is a module here and a line in DEMOS."""

from demos.base import Demo
from demos.experts import EXPERTS
from demos.few_shot import FEW_SHOT
from demos.hardware import HARDWARE
from demos.kv_cache import KV_CACHE
from demos.lora import LORA
from demos.policies import POLICIES
from demos.prune import PRUNE
from demos.qat import QAT
from demos.quantize import QUANTIZE
from demos.rag import RAG
from demos.sampling import SAMPLING
from demos.speculative import SPECULATIVE
from demos.stages import STAGES
from demos.tokens import TOKENS
from tutor.errors import DemoError

DEMOS: tuple[Demo, ...] = (
    QUANTIZE,
    QAT,
    PRUNE,
    FEW_SHOT,
    HARDWARE,
    KV_CACHE,
    POLICIES,
    EXPERTS,
    LORA,
    SAMPLING,
    STAGES,
    TOKENS,
    RAG,
    SPECULATIVE,
)


def find_demo(name: str) -> Demo:
    """The experiment of that name; raises DemoError that lists the names."""
    found = next((demo for demo in DEMOS if demo.name == name), None)
    if found is None:
        raise DemoError(f"There is no experiment {name!r}; choose one of {', '.join(demo.name for demo in DEMOS)}.")
    return found
