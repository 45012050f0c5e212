"""What a follow-up leans on: whether it does, the topic before it, and “the second one”."""
