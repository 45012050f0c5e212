"""Models that answer: here on CPU or GPU, or behind an OpenAI-compatible endpoint."""
