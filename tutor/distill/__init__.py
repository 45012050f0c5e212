"""Distillation: a teacher's choices of sentences, and what learns from them: adapter, sentence encoder, readers."""
