"""Experiments in a chat: the turn that runs one, the prediction before it, and what later turns recall of it."""
