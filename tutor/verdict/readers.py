"""The two readers that tell whether a note's sentence says Yes or No to a question, or holds a statement."""

from __future__ import annotations

from dataclasses import dataclass

from tutor.verdict.causal_reader import CausalReader
from tutor.verdict.reader import Reader


@dataclass(frozen=True)
class Readers:
    """They err on different questions, so each is asked, and both are weighed (tutor/choosing/weighing.py, tutor/judging.py)."""

    encoder: Reader
    causal: CausalReader

    def log_odds(self, question: str, sentence: str, context: str = "") -> tuple[float, float]:
        """Of Yes against No, in nats, by either. Raises a TutorError if one cannot be loaded.

        The second, which takes longer texts, reads a follow-up's `context` too (knowledge/dialogue.py: in_context), and the mean counts.
        """
        encoded, read = self.encoder.log_odds(question, sentence), self.causal.log_odds(question, sentence)
        return encoded, (read + self.causal.log_odds(context, sentence)) / 2 if context else read
