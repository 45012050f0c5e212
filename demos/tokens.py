"""The learner's own text in tokens, and embeddings: the vectors that the model looks up, before and after its layers.

Byte pair encoding (Sennrich et al. 2016, arXiv:1508.07909) cuts the text. Input embeddings are rows of the model's first
table, one a token, whatever the sentence; contextual ones are hidden states after the last layer (Peters et al. 2018,
arXiv:1802.05365, and Devlin et al. 2018, arXiv:1810.04805, showed what context adds).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from demos import embedding_space as space
from demos.base import Demo, DemoResult, Lab, Prediction, Progress, Table
from demos.measure import Span
from demos.token_charts import tokens_chart
from demos.token_pieces import Cut, cut_text, listing, most_split, rows_of, split_words
from demos.tokens_settings import MOST_WORDS, PARAMS
from demos.tokens_words import AS_CHARACTERS, AS_WORDS, BETWEEN, outcome, summary_of
from tutor.errors import DemoError

LONGEST = 2_000  # characters, as many as a chat message may have
MOST_ROWS = 24  # words in the table
NEIGHBOURS = 5


def run(lab: Lab, settings: Mapping[str, Any]) -> Iterator[Progress | DemoResult]:
    text = str(settings["text"])
    if not text:
        raise DemoError("--text is empty; give a word or a sentence.")
    texts = {"text": text, "beside": beside} if (beside := str(settings["beside"])) else {"text": text}
    for name, given in texts.items():
        if len(given) > LONGEST:
            raise DemoError(f"--{name} has {len(given):,} characters; give at most {LONGEST:,}.")
    words, left = split_words(str(settings["words"]), MOST_WORDS)
    if not words:
        raise DemoError("--words is empty; give a few words with commas between them.")
    yield Progress(0.0, "Loading a private copy of the model")
    specimen = lab.specimen()
    config = specimen.model.config
    yield Progress(0.2, "Cutting the text into tokens")
    cuts = [cut_text(specimen.tokenizer, given) for given in texts.values()]
    cut = cuts[0]

    yield Progress(0.3, "Looking up embeddings")
    neighbours: dict[str, list[tuple[str, float]]] = {}
    for i, word in enumerate(words):
        yield Span(0.3, 0.6).step(i, len(words), f"Looking for the neighbours of word {i + 1} of {len(words)}")
        neighbours[word] = space.nearest(specimen, space.input_embeddings(specimen, [word])[0], NEIGHBOURS, word)
    if len(words) == 1:
        words += [word for word, _ in neighbours[words[0]]]
    vectors = space.input_embeddings(specimen, words)
    similar = space.cosines(vectors, vectors)
    pairs = sorted(combinations(range(len(words)), 2), key=lambda pair: float(similar[pair]))
    (a, b), (c, d) = pairs[-1], pairs[0]

    contextual = yield from space.read_homonym(specimen, Span(0.6, 0.9))
    in_context = space.cosines(contextual, contextual)
    same, other = space.pair_means(in_context, space.SENSES)
    yield Progress(0.9, "Drawing")
    window = int(config.max_position_embeddings)
    ids = [space.word_ids(specimen, word)[0] for word in words]
    metrics: dict[str, float] = {
        "characters": len(text),
        "words": len(cut.words),
        "tokens": len(cut.pieces),
        "words_split": sum(len(cut.of_word(i)) > 1 for i in range(len(cut.words))),
        "most_tokens": most_split(cut),
        "characters_per_token": len(text) / len(cut.pieces),
        "tokens_per_word": len(cut.pieces) / len(cut.words),
        "vocabulary": len(specimen.tokenizer),
        "width": vectors.shape[1],
        "layers": int(config.num_hidden_layers),
        "window": window,
        "window_words": window * len(cut.words) / len(cut.pieces),
        "compared": len(words),
        "closest_cosine": float(similar[a, b]),
        "farthest_cosine": float(similar[c, d]),
        "closest_id_distance": abs(ids[a] - ids[b]),
        "next_id_cosine": space.next_id_cosine(specimen, words),
        "same_sense_cosine": same,
        "other_sense_cosine": other,
    }
    if beside:
        metrics |= {
            "beside_characters": len(beside),
            "beside_words": len(cuts[1].words),
            "beside_tokens": len(cuts[1].pieces),
            "times_tokens": len(cuts[1].pieces) / len(cut.pieces),
        }
    uses = [f"{sense} {i}" for i, sense in enumerate(space.SENSES, 1)]
    yield DemoResult(
        summary=summary_of(metrics, (words[a], words[b]), (words[c], words[d]), left),
        table=_table(cuts),
        metrics=metrics,
        figure=tokens_chart([cut.pieces for cut in cuts], words, similar, uses, in_context, space.HOMONYM),
        figure_alt="".join(
            f"{len(cut.pieces)} tokens: {' | '.join(piece.text for piece in cut.pieces[:MOST_ROWS])}. " for cut in cuts
        )
        + "Cosines of input embeddings: "
        + ", ".join(f"{words[i]} and {words[j]} {float(similar[i, j]):.2f}" for i, j in reversed(pairs))
        + f". “{space.HOMONYM}” after the last layer: same meaning {same:.2f}, other meaning {other:.2f} on average.",
        exhibits={
            "Every token: place, ID, text": "\n\n".join(listing(cut.pieces) for cut in cuts),
            "Nearest words in the vocabulary, by input embedding": "\n".join(
                f"{word}: " + ", ".join(f"{name} {value:.2f}" for name, value in found)
                for word, found in neighbours.items()
            ),
            f"Sentences that end in “{space.HOMONYM}”": "\n".join(
                f"{use}: {sentence}" for use, sentence in zip(uses, space.SENTENCES, strict=True)
            ),
        },
    )


def _table(cuts: Sequence[Cut]) -> Table:
    """The words of each text; of two, each row names its own."""
    columns = ("Word", "Tokens", "Cut into", "IDs")
    if len(cuts) == 1:
        return Table(columns, rows_of(cuts[0], MOST_ROWS))
    rows = ((str(n), *row) for n, cut in enumerate(cuts, 1) for row in rows_of(cut, MOST_ROWS // 2))
    return Table(("Text", *columns), tuple(rows))


TOKENS = Demo(
    name="tokens",
    title="Your text in tokens, and what embeddings hold",
    concepts=("tokens-vs-words-vs-embeddings", "context-window-vs-memory"),
    params=PARAMS,
    run=run,
    words=r"\btokeni[sz]\w*|(?<!next )(?<!next-)\btokens? (?:of|for|in) (?:[\"“]|my |this |the (?:text|sentence|word)\b)|\btoken ids?\b|"
    r"\b(?:show|see) (?:me |us )?(?:the |some |my )?tokens(?=[\s.!?]*$| of\b| for\b)|\binto tokens\b|\bembeddings?\b|"
    r"\bmy (?:own )?(?:text|sentence)\b",
    verbs=r"tokeni[sz]e\b|(?:cut|split|break|chop|slice)(?: up)? (?:the|this) (?:word|name) [^\W\d_]|count (?:the |all )?tokens? (?:of|in|for) [\"“'‘]|(?:cut|split|break|chop) .{1,200}\b(?:in)?to tokens\b|(?:cut|split|break|chop)(?: up)? (?:(?:the|this) (?:word|text|sentence|phrase|string):? )?[\"“'‘]",
    prediction=Prediction(
        question="The tokenizer cuts a text into tokens. How many tokens will the text here have?",
        choices=(AS_WORDS, BETWEEN, AS_CHARACTERS),
        outcome=outcome,
        gaps={
            AS_WORDS: "tokens-vs-words-vs-embeddings#one-word-can-be-several-tokens",
            AS_CHARACTERS: "tokens-vs-words-vs-embeddings#models-see-tokens-not-letters",
        },
    ),
    because={"size": ("tokens-vs-words-vs-embeddings#how-a-tokenizer-makes-tokens", 2)},
    say='tokenize "unbelievable"',
)
