"""Yes or No: whether a question wants one, whether an author settled it, and what the readers make of it."""
