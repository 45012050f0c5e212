"""Embed what a first start would embed and ship it (`make vectors`): after the encoder was trained, and after questions were taught.

Follow-ups among these are filled in first (tutor/distill/filled.json).
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from knowledge.concept_files import load_knowledge
from knowledge.embedder import SentenceEmbedder, TunedEmbedder
from knowledge.index import passage_rows
from knowledge.passages import Knowledge
from knowledge.shipped import FOLDER, write_shipped
from knowledge.vectors import VectorStore
from tutor.distill.examples import FILLED, filled_in, load_examples
from tutor.engines.weights import ensure_embedder
from tutor.open import asked_of, known_texts
from tutor.settings import Settings

log = logging.getLogger(__name__)


def texts_to_ship(knowledge: Knowledge) -> tuple[list[str], list[str]]:
    """Each text once, for the published and for the tuned encoder."""
    asked = asked_of(load_examples(knowledge))
    plain, trained = known_texts(knowledge, asked)
    rows = [text for text, *_ in passage_rows(knowledge.passages, asked)]
    return list(dict.fromkeys(plain)), list(dict.fromkeys([*trained, *rows]))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = Settings.from_environ()
    published = SentenceEmbedder(ensure_embedder(settings.cache))
    knowledge = load_knowledge()  # a class's own notes do not ship
    FILLED.write_text(json.dumps(filled_in(knowledge), ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    texts = texts_to_ship(knowledge)
    written: list[Path] = []
    for embedder, known in zip((published, TunedEmbedder(published)), texts, strict=True):
        written += write_shipped(embedder.key, known, VectorStore(settings.cache / "index", embedder).embed(known))
    for path in sorted(FOLDER.glob("*.npz")):
        if path in written:
            log.info("%s: %.1f MB", path, path.stat().st_size / 1e6)
        else:
            path.unlink()  # an earlier encoder's


if __name__ == "__main__":
    main()
