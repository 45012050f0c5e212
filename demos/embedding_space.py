"""Embeddings of words: rows of the model's input table, their cosines, neighbours, and what the layers make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from demos.base import Specimen
from demos.measure import Span, Steps

if TYPE_CHECKING:
    from torch import Tensor

# A decoder sees only what comes before, so the word that is compared stands at the end.
HOMONYM = "bank"
SENTENCES = (
    "The fisherman walked along the river to the bank",
    "We sat on the grass by the water of the river bank",
    "She took her money and her savings to the bank",
    "He asked the cashier about his loan at the bank",
)
SENSES = ("river", "river", "money", "money")


def word_ids(specimen: Specimen, word: str) -> list[int]:
    """Token ids of a word as it stands inside a text, after a space."""
    from tutor.engines.tokens import encode_text

    return encode_text(specimen.tokenizer, " " + word)


def input_table(specimen: Specimen) -> Tensor:
    """The model's first table [vocabulary, width]."""
    return specimen.model.get_input_embeddings().get_parameter("weight").detach()


def input_embeddings(specimen: Specimen, words: Sequence[str]) -> Tensor:
    """One row [width] of the input embedding table for each word; the mean of its tokens' rows where it has several."""
    import torch

    table = input_table(specimen)
    return torch.stack([table[word_ids(specimen, word)].float().mean(0) for word in words])


def cosines(vectors: Tensor, others: Tensor) -> Tensor:
    """Cosine of the angle between each of the vectors [n, width] and each of the others [m, width], shape [n, m]."""
    from torch.nn.functional import normalize

    return normalize(vectors.float(), dim=-1) @ normalize(others.float(), dim=-1).T


def nearest(specimen: Specimen, vector: Tensor, count: int, besides: str) -> list[tuple[str, float]]:
    """The whole words in the vocabulary nearest to an embedding [width], with their cosines; spellings count once."""
    table = input_table(specimen)
    order = cosines(vector[None], table)[0].sort(descending=True)
    found: dict[str, float] = {}
    for value, token in zip(order.values.tolist(), order.indices.tolist(), strict=True):
        text = str(specimen.tokenizer.decode([token]))
        word = text.strip().lower()
        if text.startswith(" ") and word.isalpha() and word != besides.strip().lower():
            found.setdefault(word, float(value))
        if len(found) == count:
            break
    return list(found.items())


def next_id_cosine(specimen: Specimen, words: Sequence[str]) -> float:
    """Mean cosine between the first token of each word and the token with the next id."""
    table = input_table(specimen)
    firsts = [word_ids(specimen, word)[0] for word in words]
    pairs = [cosines(table[i : i + 1], table[(i + 1) % len(table)][None]) for i in firsts]
    return sum(float(pair) for pair in pairs) / len(pairs)


def read_homonym(specimen: Specimen, span: Span) -> Steps[Tensor]:
    """Vectors [sentences, width] that the last layer gives the word "bank" in each of SENTENCES."""
    import torch

    from tutor.engines.tokens import encode_text

    vectors = []
    for i, sentence in enumerate(SENTENCES):
        yield span.step(i, len(SENTENCES), f"Reading “{HOMONYM}” in sentence {i + 1} of {len(SENTENCES)}")
        with torch.inference_mode():
            ids = torch.tensor([encode_text(specimen.tokenizer, sentence)], device=specimen.model.device)
            vectors.append(specimen.model.base_model(input_ids=ids, use_cache=False).last_hidden_state[0, -1].float())
    return torch.stack(vectors)


def pair_means(similar: Tensor, groups: Sequence[str]) -> tuple[float, float]:
    """Mean of the pairs within the groups and of the pairs across them, from a square of cosines [n, n]."""
    within: list[float] = []
    across: list[float] = []
    for i, one in enumerate(groups):
        for j in range(i):
            (within if groups[j] == one else across).append(float(similar[i, j]))
    return sum(within) / len(within), sum(across) / len(across)
