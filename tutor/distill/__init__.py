"""Distillation: a teacher's choices of sentences, and the LoRA weights that learn to choose like that."""
