"""What int8 for single rows changes: the same text read token by token with it and without. Prints JSON."""

from __future__ import annotations

import json
import math
import sys

from tutor.benchmark.contenders import THREADS
from tutor.engines.decoder import Pass
from tutor.engines.llama import Llama, LlamaDecoder
from tutor.engines.models import load_model
from tutor.engines.weights import ensure_tutor_model
from tutor.settings import Settings

TOKENS = 400


def main() -> None:
    import torch

    from demos.measure import TEXTS, token_kl, token_losses

    torch.set_num_threads(THREADS)
    model, tokenizer = load_model(ensure_tutor_model(Settings.from_environ().cache))
    text = (TEXTS / "evaluation.txt").read_text(encoding="utf-8")
    ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])[:TOKENS]
    logits = {}
    for int8 in (False, True):
        decoder = LlamaDecoder(Llama.of(model), int8)
        lane = decoder.lane(len(ids))
        logits[int8] = torch.cat([decoder.run([Pass(lane, [token], i)])[0] for i, token in enumerate(ids)])[:-1]
    wanted = torch.tensor(ids)
    result = {
        "tokens": len(ids) - 1,
        "kl": float(token_kl(logits[False], logits[True]).mean()),
        "perplexity": math.exp(float(token_losses(logits[True], wanted).mean())),
        "perplexity_reference": math.exp(float(token_losses(logits[False], wanted).mean())),
        "same": float((logits[True].argmax(-1) == logits[False].argmax(-1)).float().mean()),
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
